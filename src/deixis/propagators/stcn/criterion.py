"""The network in training and its loss (STCN; propagation, section 1.10).

Axes: b clips, k objects, n = k + 1 with the background first, t frames, m elements of the memory, d channels
of a value, H W pixels.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float, Integer
from torch import Tensor
from torch.nn import functional as F

from deixis.losses.pixels import IGNORED, hardest_mean

from .memory import key_rows, read_all
from .network import StcnNetwork, log_odds

LAST_SHARE = 0.15
"""Share of the pixels that count when the warm-up is over."""


def follow(
    network: StcnNetwork,
    frames: Float[Tensor, "b t 3 H W"],
    masks: Float[Tensor, "b k H W"],
    is_there: Bool[Tensor, "b k"],
) -> Float[Tensor, "b _t n H W"]:
    """Return the aggregated logits of all frames after the first, whose masks are known.

    What is predicted of a frame is remembered with its gradient; all of the memory is read. Objects that are
    not there make up for clips with fewer of them: they have no probability anywhere.
    """
    b, t = frames.shape[:2]
    in_time = frames.transpose(0, 1).flatten(0, 1)  # of all clips, frame after frame
    every = network.encode_key(in_time)
    keys = key_rows(every.key.float()).unflatten(0, (t, b))
    selector = is_there[:, :, None, None]
    probabilities = masks
    logits, values = [], []
    for place in range(t):
        here = slice(place * b, (place + 1) * b)
        key = every[here]
        if place:
            known = torch.cat([*keys[:place]], dim=1)  # b m _
            with torch.autocast(frames.device.type, enabled=False):
                readout = read_all(known, torch.cat(values, dim=2), key.key.float())
            found = network.decode(readout.flatten(0, 1), key).float().sigmoid()
            logits.append(log_odds(found.view(masks.shape) * selector))
            probabilities = logits[-1].softmax(dim=1)[:, 1:]
        if place < t - 1:
            value = network.encode_values(in_time[here], key, probabilities)
            values.append(value.flatten(3).transpose(2, 3).float())  # b k m d
    return torch.stack(logits, dim=1)


def clip_loss(
    logits: Float[Tensor, "b t n H W"],
    labels: Integer[Tensor, "b t H W"],
    counts: Sequence[int],
    share: float,
) -> Float[Tensor, "t"]:
    """Return the loss of each frame: the mean over the clips, of which each has ``counts`` objects."""
    each = [
        hard_pixel_loss(one[:, : count + 1], own, share)
        for one, own, count in zip(logits, labels, counts, strict=True)
    ]
    return torch.stack(each).mean(dim=0)


def hard_pixel_loss(
    logits: Float[Tensor, "t n H W"], labels: Integer[Tensor, "t H W"], share: float
) -> Float[Tensor, "t"]:
    """Return the mean cross-entropy of each frame over the ``share`` of its pixels with the largest one."""
    losses = F.cross_entropy(logits, labels.long(), ignore_index=IGNORED, reduction="none")
    return hardest_mean(losses, share)


def share_at(step: float, start: float = 20_000, end: float = 70_000, last: float = LAST_SHARE) -> float:
    """Return the share of pixels that count: all until ``start``, then fewer, ``last`` from ``end`` on."""
    if step >= end:
        return last
    return 1.0 if step < start else last + (1 - last) * (end - step) / (end - start)
