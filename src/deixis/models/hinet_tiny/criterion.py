"""The loss of hinet-tiny: which pixels move by themselves, and what the things are.

Axes: b clips, t frames, n frames of all clips, m objects, k categories, h w cells, H W pixels.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional as F

from deixis.structures import Target

SMOOTHING = 20.0
"""Pixels added to both sides of Dice: a frame in which hardly anything moves has no say through it."""
CROSS_ENTROPY_WEIGHT = 2.0
SMALLEST = 1.5
"""Cells that a thing must fill to have a category."""


def mover_losses(
    logits: Float[Tensor, "b t h w"],
    categories: Float[Tensor, "b t k _h _w"],
    targets: Sequence[Target],
    sizes: Sequence[tuple[int, int]],
    category_weight: float,
) -> dict[str, Tensor]:
    """Return the weighted terms.

    Args:
        logits: of what moves.
        categories: logits of the categories, where the targets have labels.
        targets: of each clip; what moves are the referents.
        sizes: of each clip's frames without padding, in pixels of the targets' masks.
        category_weight: of the third term.
    """
    wanted, valid, category_losses = [], [], []
    for index, (target, (height, width)) in enumerate(zip(targets, sizes, strict=True)):
        moving = target.masks[list(target.referents)].any(dim=0)  # t H W
        wanted.append(F.adaptive_avg_pool2d(moving.float()[None], _of(logits))[0])
        inside = torch.zeros(moving.shape[-2:], device=logits.device)
        inside[:height, :width] = 1
        valid.append(F.adaptive_avg_pool2d(inside[None], _of(logits))[0].expand_as(wanted[-1]))
        if target.labels is not None:
            category_losses.append(_category_losses(categories[index], target.masks, target.labels))
    terms = _mask_losses(logits, torch.stack(wanted), torch.stack(valid))
    if category_weight and category_losses:
        losses = torch.cat(category_losses)
        terms["loss_category"] = category_weight * losses.sum() / max(len(losses), 1)
    return terms


def _mask_losses(
    logits: Float[Tensor, "b t h w"], wanted: Float[Tensor, "b t h w"], valid: Float[Tensor, "b t h w"]
) -> dict[str, Tensor]:
    """Return cross-entropy and Dice, the mean over frames; soft where a cell is shared."""
    losses = F.binary_cross_entropy_with_logits(logits.float(), wanted, reduction="none") * valid
    chance = logits.float().sigmoid() * valid
    wanted = wanted * valid
    overlap = 2 * (chance * wanted).sum(dim=(2, 3)) + SMOOTHING
    total = chance.sum(dim=(2, 3)) + wanted.sum(dim=(2, 3)) + SMOOTHING
    return {
        "loss_cross_entropy": CROSS_ENTROPY_WEIGHT * losses.sum() / valid.sum().clamp(min=1),
        "loss_dice": (1 - overlap / total).mean(),
    }


def _category_losses(
    categories: Float[Tensor, "t k h w"], masks: Bool[Tensor, "m t H W"], labels: Int[Tensor, "m"]
) -> Float[Tensor, "_n"]:
    """Return the cross-entropy of each object in each frame that shows it.

    The logits of a thing are the mean over its cells, as in inference: cells that cannot tell may abstain.
    """
    if not len(masks):
        return categories.new_zeros(0, dtype=torch.float32)
    shares = F.adaptive_avg_pool2d(masks.float(), _of(categories))  # m t h w
    sizes = shares.sum(dim=(2, 3))  # m t
    pooled = torch.einsum("mthw,tkhw->mtk", shares, categories.float()) / sizes.clamp(min=1e-6)[..., None]
    shown = sizes >= SMALLEST
    wanted = labels[:, None].expand_as(shown)
    return F.cross_entropy(pooled[shown], wanted[shown], reduction="none")


def _of(maps: Tensor) -> tuple[int, int]:
    return int(maps.shape[-2]), int(maps.shape[-1])
