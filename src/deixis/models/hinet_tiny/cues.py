"""What the network sees besides colours: motion on several scales, and the weight-free answer.

Axes: n frames, m 4 components of flow (forward u v, backward u v), H W pixels.
"""

import torch
from jaxtyping import Float
from torch import Tensor

NUM_CHANNELS = 12
"""3 of colour, 4 of vectors, 3 + 1 of magnitudes, 1 of the weight-free answer."""
MAX_VECTOR = 3.0
_LARGEST, _MEDIAN = 0.3 / 128, 0.06 / 128
"""Floors of the 99th percentile and of the median magnitude, in heights of the frame."""


def motion_cues(vectors: Float[Tensor, "n 4 H W"]) -> Float[Tensor, "n 8 H W"]:
    """Return the flow at two scales, both independent of frame rate and size.

    Four vector components over the 99th percentile of their magnitude, within +-3: what moves most;
    ``log1p(magnitude / (4 median)) / 2`` forward, backward and of the smaller one: what moves at all, beside
    parts that move fast; ``log(p99 / median) / 2``: how much one can trust them.
    """
    height = vectors.shape[-2]
    pairs = vectors.unflatten(1, (2, 2))  # n 2 2 H W
    magnitudes = pairs.norm(dim=2)  # n 2 H W
    both = torch.cat((magnitudes, magnitudes.amin(dim=1, keepdim=True)), dim=1)  # n 3 H W
    # Every second pixel of every second row tells the percentiles well enough.
    sampled = both[:, 2, ::2, ::2].flatten(1)
    largest, median = _percentiles(sampled)
    largest = largest.clamp(min=_LARGEST * height)[:, None, None, None]
    median = median.clamp(min=_MEDIAN * height)[:, None, None, None]
    scaled = (vectors / largest).clamp(-MAX_VECTOR, MAX_VECTOR)
    logs = torch.log1p(both / (4 * median)) / 2
    trust = (torch.log(largest / median) / 2).expand(-1, 1, *vectors.shape[-2:])
    return torch.cat((scaled, logs, trust), dim=1)


def _percentiles(values: Float[Tensor, "n p"]) -> tuple[Float[Tensor, "n"], Float[Tensor, "n"]]:
    """Return the 99th percentile and the median of each row."""
    count = values.shape[1]
    ordered = values.sort(dim=1).values
    return ordered[:, min(int(0.99 * count), count - 1)], ordered[:, count // 2]
