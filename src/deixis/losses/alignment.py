"""Inner products of sentences and objects before any fusion: what is denoted, told without a transformer.

Axes: e sentences, n objects, t frames, c channels, h w cells, H W pixels.
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional as F

_SCALE, _BIAS = 2.0, -2.0
"""Of the inner product; before training, a sentence denotes an object one time in eight."""


def object_vectors(
    tokens: Float[Tensor, "t c h w"], masks: Bool[Tensor, "n t H W"]
) -> tuple[Float[Tensor, "n c"], Bool[Tensor, "n"]]:
    """Return the mean of the video tokens under the masks of each object, and which objects are seen at all.

    The vector of an object that is not seen is 0.
    """
    height, width = tokens.shape[-2:]
    share = F.adaptive_avg_pool2d(masks.float(), (height, width))  # n t h w
    areas = share.sum(dim=(1, 2, 3))  # n
    sums = torch.einsum("nthw,tchw->nc", share, tokens.float())
    return sums / areas[:, None].clamp(min=1e-6), areas > 0


def alignment_logits(
    sentences: Float[Tensor, "*b e c"], objects: Float[Tensor, "*b n c"]
) -> Float[Tensor, "*b e n"]:
    """Return how much each sentence denotes each object, as logits.

    Both sides are normalised, so that the inner product of independent ones has variance 1.
    """
    c = objects.shape[-1:]
    products = F.layer_norm(sentences.float(), c) @ F.layer_norm(objects.float(), c).mT  # b e n
    return products * (_SCALE / c[0] ** 0.5) + _BIAS
