"""The network in training and its loss (STCN; propagation, section 1.10).

Axes: k objects, n = k + 1 with the background first, t frames, H W pixels.
"""

import torch
from jaxtyping import Float, Integer
from torch import Tensor
from torch.nn import functional as F

from deixis.losses.pixels import hardest_mean

from .memory import key_rows, read_all
from .network import FrameKey, StcnNetwork, log_odds

LAST_SHARE = 0.15
"""Share of the pixels that count when the warm-up is over."""


def follow(
    network: StcnNetwork, frames: Float[Tensor, "t 3 H W"], masks: Float[Tensor, "k 1 H W"]
) -> Float[Tensor, "_t n H W"]:
    """Return the aggregated logits of all frames after the first, whose masks are known.

    What is predicted of a frame is remembered with its gradient; all of the memory is read.
    """
    known: list[tuple[FrameKey, Tensor]] = []
    logits = []
    probabilities = masks
    for place, frame in enumerate(frames):
        key = network.encode_key(frame[None])
        if place:
            keys = torch.cat([key_rows(before.key) for before, _ in known])
            values = torch.cat([value for _, value in known], dim=1)  # k m d
            found = network.decode(read_all(keys, values, key.key), key).sigmoid()
            logits.append(log_odds(found)[:, 0])
            probabilities = logits[-1].softmax(dim=0)[1:, None]
        if place < len(frames) - 1:
            value = network.encode_value(frame[None], key, probabilities)
            known.append((key, value.flatten(2).transpose(1, 2)))
    return torch.stack(logits)


def hard_pixel_loss(
    logits: Float[Tensor, "t n H W"], labels: Integer[Tensor, "t H W"], share: float
) -> Float[Tensor, "t"]:
    """Return the mean cross-entropy of each frame over the ``share`` of its pixels with the largest one."""
    return hardest_mean(F.cross_entropy(logits, labels.long(), reduction="none"), share)


def share_at(step: int, start: int = 20_000, end: int = 70_000, last: float = LAST_SHARE) -> float:
    """Return the share of pixels that count: all until ``start``, then fewer, ``last`` from ``end`` on."""
    if step < start:
        return 1.0
    return last + (1 - last) * max(end - step, 0) / (end - start)
