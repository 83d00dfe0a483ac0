"""What the network compares a frame with: words, or other frames with masks (UniRef, section 3.2).

Axes: n objects, k tokens of a reference in one level, s words, c channels.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor


@dataclass(frozen=True)
class MaskReference:
    """Frames in which masks are known; one entry a level in every field, fine to coarse.

    Attributes:
        keys: ``float [n or 1, k, c]``, normalised features of the frame, which do not depend on the mask: one
            row serves all objects where they share the frame.
        hidden: ``bool [n or 1, k]``, True on padding.
        embeddings: ``float [n or 1, c]``, the mean of the features of the frame.
        values: ``float [n, k, c]``, features of frame and mask.
    """

    keys: tuple[Float[Tensor, "_n _k c"], ...]
    hidden: tuple[Bool[Tensor, "_n _k"], ...]
    embeddings: tuple[Float[Tensor, "_n c"], ...]
    values: tuple[Float[Tensor, "n _k c"], ...]

    @property
    def num_objects(self) -> int:
        """How many objects have masks."""
        return len(self.values[0])

    def pooled(self) -> "MaskReference":
        """Return one object's reference from ``n`` supports of it: all their tokens (few-shot)."""
        keys, hidden = (
            tuple(part.expand(self.num_objects, *part.shape[1:]).flatten(0, 1)[None] for part in parts)
            for parts in (self.keys, self.hidden)
        )
        embeddings = tuple(part.mean(dim=0, keepdim=True) for part in self.embeddings)
        return MaskReference(
            keys, hidden, embeddings, tuple(part.flatten(0, 1)[None] for part in self.values)
        )


def concatenate(references: Sequence[MaskReference]) -> MaskReference:
    """Join references to the same objects (first and previous frame): tokens of all, mean embedding."""
    if len(references) == 1:
        return references[0]

    def join(name: str) -> tuple[Tensor, ...]:
        levels = zip(*(getattr(reference, name) for reference in references), strict=True)
        return tuple(_cat_tokens(level) for level in levels)

    embeddings = zip(*(reference.embeddings for reference in references), strict=True)
    means = tuple(sum(level[1:], level[0]) / len(level) for level in embeddings)
    return MaskReference(join("keys"), join("hidden"), means, join("values"))


def stack(references: Sequence[MaskReference]) -> MaskReference:
    """Batch references to different objects in one frame, whose keys the first of them holds for all."""
    values = zip(*(reference.values for reference in references), strict=True)
    first = references[0]
    return MaskReference(
        first.keys, first.hidden, first.embeddings, tuple(torch.cat(level) for level in values)
    )


def _cat_tokens(parts: Sequence[Tensor]) -> Tensor:
    """Join tokens of parts of which some have one row for all objects."""
    n = max(len(part) for part in parts)
    return torch.cat([part.expand(n, *part.shape[1:]) for part in parts], dim=1)
