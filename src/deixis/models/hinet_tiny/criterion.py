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
IGNORED = -100
_SMALLEST_SHARE = 0.4
"""Of a cell that one object must cover to lend it its category."""


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
    wanted, valid, labels = [], [], []
    for target, (height, width) in zip(targets, sizes, strict=True):
        moving = target.masks[list(target.referents)].any(dim=0)  # t H W
        wanted.append(F.adaptive_avg_pool2d(moving.float()[None], _of(logits))[0])
        inside = torch.zeros(moving.shape[-2:], device=logits.device)
        inside[:height, :width] = 1
        valid.append(F.adaptive_avg_pool2d(inside[None], _of(logits))[0].expand_as(wanted[-1]))
        labels.append(_category_map(target, _of(categories)))
    terms = _mask_losses(logits, torch.stack(wanted), torch.stack(valid))
    if category_weight:
        loss = F.cross_entropy(
            categories.float().flatten(0, 1),
            torch.stack(labels).flatten(0, 1),
            ignore_index=IGNORED,
            reduction="sum",
        )
        count = (torch.stack(labels) != IGNORED).sum().clamp(min=1)
        terms["loss_category"] = category_weight * loss / count
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


def _category_map(target: Target, size: tuple[int, int]) -> Int[Tensor, "t h w"]:
    """Return the category of the object that covers each cell, :data:`IGNORED` where there is none."""
    masks: Bool[Tensor, "m t H W"] = target.masks
    if target.labels is None or len(masks) == 0:
        return torch.full((masks.shape[1], *size), IGNORED, device=masks.device)
    shares = F.adaptive_avg_pool2d(masks.float(), size)  # m t h w
    best, owner = shares.max(dim=0)
    return target.labels[owner].masked_fill(best < _SMALLEST_SHARE, IGNORED)


def _of(maps: Tensor) -> tuple[int, int]:
    return int(maps.shape[-2]), int(maps.shape[-1])
