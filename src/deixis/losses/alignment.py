"""Inner products of sentences and objects before any fusion: what is denoted, told without a transformer.

Axes: e sentences, n objects, t frames, c channels, h w cells, H W pixels; k cells of all levels.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional as F

from deixis.structures import Target

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


def alignment_map(
    tokens: Float[Tensor, "b t c h w"], sentences: Float[Tensor, "e c"], padding_mask: Bool[Tensor, "b t h w"]
) -> Float[Tensor, "e t h w"]:
    """Return how much each sentence denotes each video token, as logits; never on padding.

    Args:
        tokens: of each expression's clip, or of the one clip (``b == 1``) of all, with their positions.
        sentences: the mean of the words.
        padding_mask: of the clips of ``tokens``.
    """
    placed = tokens.movedim(2, -1)  # b t h w c
    cells = placed.flatten(1, 3)  # b (t h w) c
    # One clip serves all its sentences in one product.
    asked = sentences[None] if len(cells) == 1 else sentences[:, None]
    logits = alignment_logits(asked, cells).flatten(0, 1).unflatten(1, placed.shape[1:4])  # e t h w
    return logits.masked_fill(padding_mask, -10.0)


def over_levels(
    alignment: Float[Tensor, "e t h w"], sizes: Sequence[tuple[int, int]]
) -> Float[Tensor, "e t k"]:
    """Return the mean of the map in the cells of every level, one after another."""
    return torch.cat([F.adaptive_avg_pool2d(alignment, size).flatten(2) for size in sizes], dim=2)


def alignment_loss(
    video_tokens: Float[Tensor, "_e t c h w"], sentences: Float[Tensor, "e c"], targets: Sequence[Target]
) -> Float[Tensor, ""]:
    """Ask each sentence which objects it denotes, by inner products before any fusion (ours).

    An object is the mean of the video tokens under its mask. Among the objects of its clip, each is asked for
    on its own; among those of all clips, the share of the denoted ones is taken: a few of the others may
    answer the sentence too, but most do not. Objects not seen in the predicted frames are not asked about.
    """
    objects, owners, places = [], [], []
    clips: set[int] = set()  # the expressions of a clip share their masks
    for index, target in enumerate(targets):
        clip = target.masks.data_ptr()
        if clip in clips:
            continue
        clips.add(clip)
        tokens = video_tokens[index % len(video_tokens), : target.masks.shape[1]]  # t c h w
        vectors, is_seen = object_vectors(tokens, target.masks)
        seen = is_seen.nonzero()[:, 0]
        objects.append(vectors[seen])
        owners += [clip] * len(seen)
        places += seen.tolist()
    everything = torch.cat(objects)  # n c
    if not len(everything):
        return sentences.sum() * 0
    logits = alignment_logits(sentences, everything)  # e n
    is_own = torch.tensor(
        [[owner == target.masks.data_ptr() for owner in owners] for target in targets], device=logits.device
    )
    is_denoted = is_own & torch.tensor(
        [[place in target.referents for place in places] for target in targets], device=logits.device
    )
    asked = F.binary_cross_entropy_with_logits(logits, is_denoted.to(logits.dtype), reduction="none")
    in_clip = (asked * is_own).sum(dim=1) / is_own.sum(dim=1).clamp(min=1)  # e
    denoted = logits.masked_fill(~is_denoted, -torch.inf).logsumexp(dim=1)
    has_answer = is_denoted.any(dim=1)
    in_batch = (logits.logsumexp(dim=1) - denoted)[has_answer]
    return (in_clip.sum() + in_batch.sum()) / len(targets)
