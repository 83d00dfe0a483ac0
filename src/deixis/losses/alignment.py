"""Inner products of sentences and objects before any fusion: what is denoted, told without a transformer.

Axes: e sentences, n objects, t frames, c channels, h w cells, H W pixels.
"""

import torch
from jaxtyping import Bool, Float, Int
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


def token_owners(
    masks: Bool[Tensor, "n t H W"], size: tuple[int, int]
) -> tuple[Int[Tensor, "t h w"], Float[Tensor, "t h w"]]:
    """Tell what each video token shows, and how much it counts where objects are to count alike.

    A token shows the object that covers most of it, if that is a third or more; nothing, where objects cover
    less than a twentieth; else it is left out.

    Returns:
        indices of objects, ``n`` for nothing; and weights, of which each object that is seen has 1 in all, as
        nothing has.
    """
    n = len(masks)
    share = F.adaptive_avg_pool2d(masks.float(), size)  # n t h w
    is_nothing = share.sum(dim=0) < 0.05
    shares = torch.cat((share * (share >= 1 / 3), is_nothing[None].float()))  # n+1 t h w
    most, owner = shares.max(dim=0)
    one_hot = F.one_hot(owner, n + 1) * (most > 0)[..., None]  # t h w n+1
    counts = one_hot.sum(dim=(0, 1, 2))
    return owner, (one_hot / counts.clamp(min=1)).sum(dim=-1)


def alignment_logits(
    sentences: Float[Tensor, "*b e c"], objects: Float[Tensor, "*b n c"]
) -> Float[Tensor, "*b e n"]:
    """Return how much each sentence denotes each object, as logits.

    Both sides are normalised, so that the inner product of independent ones has variance 1.
    """
    c = objects.shape[-1:]
    products = F.layer_norm(sentences.float(), c) @ F.layer_norm(objects.float(), c).mT  # b e n
    return products * (_SCALE / c[0] ** 0.5) + _BIAS
