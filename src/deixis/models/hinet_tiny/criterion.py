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
VISIBLE = 0.82
"""How well motion must tell what moves (area under the curve) for a frame to teach anything but timidity."""
EMPTY_WEIGHT = 0.25
"""Of a frame in which nothing moves."""
_STEP = 4
"""Only every fourth pixel of every fourth row is looked at for that."""
SMALLEST = 1.5
"""Cells that a thing must fill to have a category."""


def mover_losses(
    logits: Float[Tensor, "b t h w"],
    categories: Float[Tensor, "b t k _h _w"],
    flow: Float[Tensor, "b t 4 H W"],
    targets: Sequence[Target],
    sizes: Sequence[tuple[int, int]],
    category_weight: float,
) -> dict[str, Tensor]:
    """Return the weighted terms.

    Args:
        logits: of what moves.
        categories: logits of the categories, where the targets have labels.
        flow: in which the motion may be seen or not.
        targets: of each clip; what moves are the referents.
        sizes: of each clip's frames without padding, in pixels of the targets' masks.
        category_weight: of the third term.
    """
    wanted, valid, weights, category_losses = [], [], [], []
    for index, (target, (height, width)) in enumerate(zip(targets, sizes, strict=True)):
        moving = target.masks[list(target.referents)].any(dim=0)  # t H W
        wanted.append(F.adaptive_avg_pool2d(moving.float()[None], _of(logits))[0])
        inside = torch.zeros(moving.shape[-2:], device=logits.device)
        inside[:height, :width] = 1
        valid.append(F.adaptive_avg_pool2d(inside[None], _of(logits))[0].expand_as(wanted[-1]))
        shown = flow[index, :, :, :height:_STEP, :width:_STEP]
        weights.append(frame_weights(shown, moving[:, :height:_STEP, :width:_STEP]))
        if target.labels is not None:
            category_losses.append(_category_losses(categories[index], target.masks, target.labels))
    terms = _mask_losses(logits, torch.stack(wanted), torch.stack(valid), torch.stack(weights))
    if category_weight and category_losses:
        losses = torch.cat(category_losses)
        terms["loss_category"] = category_weight * losses.sum() / max(len(losses), 1)
    return terms


def frame_weights(flow: Float[Tensor, "t 4 H W"], moving: Bool[Tensor, "t H W"]) -> Float[Tensor, "t"]:
    """Return how much each frame counts: 1 where the motion can be seen, 0 where it cannot.

    That is the chance that a pixel of what moves has a larger residual motion than one of the rest.
    """
    motion = flow.unflatten(1, (2, 2)).norm(dim=2).amin(dim=1).flatten(1)  # t p
    moves = moving.flatten(1)
    ranks = motion.argsort(dim=1).argsort(dim=1).double()
    count = moves.sum(dim=1).double()
    others = moves.shape[1] - count
    area = ((ranks * moves).sum(dim=1) - count * (count - 1) / 2) / (count * others).clamp(min=1)
    return torch.where(count == 0, EMPTY_WEIGHT, (area >= VISIBLE).double()).float()


def _mask_losses(
    logits: Float[Tensor, "b t h w"],
    wanted: Float[Tensor, "b t h w"],
    valid: Float[Tensor, "b t h w"],
    weights: Float[Tensor, "b t"],
) -> dict[str, Tensor]:
    """Return cross-entropy and Dice, the weighted mean over frames; soft where a cell is shared."""
    losses = F.binary_cross_entropy_with_logits(logits.float(), wanted, reduction="none") * valid
    chance = logits.float().sigmoid() * valid
    wanted = wanted * valid
    overlap = 2 * (chance * wanted).sum(dim=(2, 3)) + SMOOTHING
    total = chance.sum(dim=(2, 3)) + wanted.sum(dim=(2, 3)) + SMOOTHING
    entropy = losses.sum(dim=(2, 3)) / valid.sum(dim=(2, 3)).clamp(min=1)
    count = weights.sum().clamp(min=1)
    return {
        "loss_cross_entropy": CROSS_ENTROPY_WEIGHT * (weights * entropy).sum() / count,
        "loss_dice": (weights * (1 - overlap / total)).sum() / count,
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
