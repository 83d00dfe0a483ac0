"""The loss of hinet-tiny: which pixels move by themselves, and what the things are.

Axes: b clips, t frames, n frames of all clips, m objects, k categories, h w cells, H W pixels.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from jaxtyping import Bool, Float, UInt8
from torch import Tensor
from torch.nn import functional as F

from deixis.models.hinet_tiny.silhouettes import SilhouetteNet, cut_out
from deixis.models.hinet_tiny.things import part
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
SMALLEST_CUTOUT = 150
"""Pixels of a thing that can be told by its outline."""
RECOGNISED = 0.4
"""Overlap (intersection over union) from which a part of what was found is taken for an object."""
SMOOTH_LABELS = 0.05


def mover_losses(
    logits: Float[Tensor, "b t h w"],
    flow: Float[Tensor, "b t 4 H W"],
    targets: Sequence[Target],
    sizes: Sequence[tuple[int, int]],
) -> dict[str, Tensor]:
    """Return the weighted terms.

    Args:
        logits: of what moves.
        flow: in which the motion may be seen or not.
        targets: of each clip; what moves are the referents.
        sizes: of each clip's frames without padding, in pixels of the targets' masks.
    """
    wanted, valid, weights = [], [], []
    for index, (target, (height, width)) in enumerate(zip(targets, sizes, strict=True)):
        moving = target.masks[list(target.referents)].any(dim=0)  # t H W
        wanted.append(F.adaptive_avg_pool2d(moving.float()[None], _of(logits))[0])
        inside = torch.zeros(moving.shape[-2:], device=logits.device)
        inside[:height, :width] = 1
        valid.append(F.adaptive_avg_pool2d(inside[None], _of(logits))[0].expand_as(wanted[-1]))
        shown = flow[index, :, :, :height:_STEP, :width:_STEP]
        weights.append(frame_weights(shown, moving[:, :height:_STEP, :width:_STEP]))
    return _mask_losses(logits, torch.stack(wanted), torch.stack(valid), torch.stack(weights))


def silhouette_loss(
    network: SilhouetteNet,
    pixels: UInt8[Tensor, "b t H W 3"],
    targets: Sequence[Target],
    found: Bool[Tensor, "b t H W"],
) -> Float[Tensor, ""]:
    """Return the mean cross-entropy of the categories of cut-outs.

    Of all objects by their true masks, disturbed; and of those of them that were found, by what was found.

    Args:
        network: names cut-outs.
        pixels: frames of each clip that the targets speak of.
        targets: of each clip, with labels.
        found: what moves, as inference finds it; nothing in frames where it was not looked for.
    """
    # Chance comes from PyTorch's generator, whose state a checkpoint holds.
    generator = np.random.default_rng(int(torch.randint(1 << 31, ())))
    cutouts, labels = [], []
    for frames, target, movers in zip(pixels, targets, found, strict=True):
        if target.labels is None:
            continue
        names = target.labels.tolist()
        for image, masks, mover in zip(
            frames.cpu().numpy(), target.masks.transpose(0, 1), movers, strict=True
        ):
            for thing, mask, is_exact in _examples(masks.cpu().numpy(), mover.cpu().numpy()):
                cutouts.append(cut_out(image, mask, generator, is_exact=is_exact))
                labels.append(names[thing])
    weight = network.head.weight
    if len(cutouts) < 2:  # batch norm needs two
        return weight.sum() * 0
    shown = torch.from_numpy(np.stack(cutouts)).to(weight)
    wanted = torch.tensor(labels, device=weight.device)
    return F.cross_entropy(network(shown).float(), wanted, label_smoothing=SMOOTH_LABELS)


def _examples(
    masks: Bool[np.ndarray, "m H W"], found: Bool[np.ndarray, "H W"]
) -> Iterator[tuple[int, Bool[np.ndarray, "H W"], bool]]:
    """Yield objects of one frame: index, a mask, and whether that is the true one."""
    areas = masks.sum(axis=(1, 2))
    for thing in np.flatnonzero(areas >= SMALLEST_CUTOUT).tolist():
        yield thing, masks[thing], True
    numbers, count = part(found)
    for number in range(1, count + 1):
        mask = numbers == number
        shared = (masks & mask).sum(axis=(1, 2))
        overlaps = shared / np.maximum(areas + mask.sum() - shared, 1)
        if mask.sum() >= SMALLEST_CUTOUT and overlaps.max(initial=0) >= RECOGNISED:
            yield int(overlaps.argmax()), mask, False


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


def _of(maps: Tensor) -> tuple[int, int]:
    return int(maps.shape[-2]), int(maps.shape[-1])
