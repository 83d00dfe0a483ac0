"""What STCN remembers, and the exact sparse read of it (propagation, sections 1.5 and 6).

A cell of the current frame reads the few elements of the bank whose keys are nearest to its own. Scores are
made for some cells at a time and never kept; the largest are found among the largest of blocks, of which they
are a part, so that most scores are looked at once. The result is that of the dense affinity.

Axes: m elements of the bank (memory frames x cells), q cells of the current frame, s elements that are read,
k objects, c channels, h w cells.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional as F

BLOCK = 64
"""Scores of which the largest is found first."""
SCRATCH = 1 << 20
"""Scores that are held at a time, at most where one cell has fewer."""


class Rows:
    """A tensor that grows at its end without being copied each time, and is still a value.

    Rows written once never change. Two continuations of the same rows share what they have in common; the
    second copies it.
    """

    def __init__(self, rows: Float[Tensor, "m c"]) -> None:
        """Begin with ``rows``, which are not copied."""
        self._buffer = rows
        self._used = [len(rows)]
        self._count = len(rows)

    def __len__(self) -> int:
        return self._count

    @property
    def tensor(self) -> Float[Tensor, "m c"]:
        """The rows; not to be changed."""
        return self._buffer[: self._count]

    def with_more(self, rows: Float[Tensor, "_n c"]) -> "Rows":
        """Return these rows and ``rows`` after them."""
        count = self._count + len(rows)
        grown = Rows(self._buffer)
        if self._used[0] == self._count and count <= len(self._buffer):
            grown._used = self._used
        else:
            grown._buffer = self._buffer.new_empty(max(count, 2 * self._count), self._buffer.shape[1])
            grown._buffer[: self._count] = self.tensor
            grown._used = [self._count]
        grown._buffer[self._count : count] = rows
        grown._used[0] = grown._count = count
        return grown

    def without(self, start: int, stop: int) -> "Rows":
        """Return a copy that lacks the rows from ``start`` to ``stop``."""
        return Rows(torch.cat((self.tensor[:start], self.tensor[stop:])))

    def pack(self) -> Tensor:
        """Return the rows for a file, without the room that is kept for more."""
        return self.tensor.clone()

    @staticmethod
    def unpack(packed: Tensor) -> "Rows":
        """Return rows from a file."""
        return Rows(packed)


@dataclass(frozen=True)
class MemoryBank:
    """Keys of memory frames, and values of each object from the frame on in which it joined.

    Attributes:
        frame_cells: cells of a frame.
        keys: ``float [m, c + 1]``: twice the key and minus its squared length, over the root of c (64, as
            published), so that the product with a key and a 1 is the score.
        values: of each object, ``float [m_object, d]`` (512, as published).
        firsts: memory frame of each object's first value.
        is_given: of each memory frame: masks were given there, it is kept.
    """

    frame_cells: int
    keys: Rows
    values: tuple[Rows, ...]
    firsts: tuple[int, ...]
    is_given: tuple[bool, ...]

    @property
    def num_frames(self) -> int:
        """Memory frames."""
        return len(self.is_given)

    @property
    def num_bytes(self) -> int:
        """Of the rows in use."""
        return sum(rows.tensor.nbytes for rows in (self.keys, *self.values))

    def without(self, place: int) -> "MemoryBank":
        """Forget a memory frame, in which no object is given."""
        if self.is_given[place]:
            raise ValueError(f"memory frame {place} has given masks; it is what its objects are known by")
        cells = self.frame_cells
        values = []
        for rows, first in zip(self.values, self.firsts, strict=True):
            start = (place - first) * cells
            values.append(rows if start < 0 else rows.without(start, start + cells))
        return replace(
            self,
            keys=self.keys.without(place * cells, (place + 1) * cells),
            values=tuple(values),
            firsts=tuple(first - (first > place) for first in self.firsts),
            is_given=self.is_given[:place] + self.is_given[place + 1 :],
        )

    def of_objects(self, places: Sequence[int]) -> "MemoryBank":
        """Keep the objects at ``places`` alone, and the memory frames from the first of them on."""
        start = min(self.firsts[place] for place in places)
        return replace(
            self,
            keys=self.keys.without(0, start * self.frame_cells),
            values=tuple(self.values[place] for place in places),
            firsts=tuple(self.firsts[place] - start for place in places),
            is_given=self.is_given[start:],
        )


def remember(
    bank: MemoryBank | None,
    key: Float[Tensor, "1 c h w"],
    value: Float[Tensor, "k d h w"],
    *,
    is_given: bool,
) -> MemoryBank:
    """Add a memory frame; objects beyond those of ``bank`` join in it.

    Raises:
        ValueError: an object of the bank has no value, or the map has another size.
    """
    keys = key_rows(key)[0]
    rows = value.flatten(2).transpose(1, 2)  # k m d
    if bank is None:
        own = tuple(Rows(one.contiguous()) for one in rows)
        return MemoryBank(len(keys), Rows(keys), own, (0,) * len(own), (is_given,))
    if len(keys) != bank.frame_cells or len(rows) < len(bank.values):
        raise ValueError(
            f"the bank has frames of {bank.frame_cells} cells and {len(bank.values)} objects; "
            f"got {len(keys)} cells and {len(rows)} objects"
        )
    known = [old.with_more(one) for old, one in zip(bank.values, rows, strict=False)]
    joined = [Rows(one.contiguous()) for one in rows[len(known) :]]
    return replace(
        bank,
        keys=bank.keys.with_more(keys),
        values=(*known, *joined),
        firsts=bank.firsts + (bank.num_frames,) * len(joined),
        is_given=(*bank.is_given, is_given),
    )


def keep_newest(bank: MemoryBank, max_frames: int) -> MemoryBank:
    """Forget the oldest memory frames without given masks until ``max_frames`` of them are left."""
    while bank.is_given.count(False) > max_frames:
        bank = bank.without(bank.is_given.index(False))
    return bank


def read(bank: MemoryBank, key: Float[Tensor, "1 c h w"], top_k: int) -> Float[Tensor, "k d h w"]:
    """Return for each object the mean of the values nearest to each cell, weighted by the softmax of scores.

    Args:
        bank: with at least one object.
        key: of the current frame.
        top_k: elements that each cell reads.
    """
    size = key.shape[-2:]
    starts = {first: first * bank.frame_cells for first in bank.firsts}
    found = {
        first: find_nearest(bank.keys.tensor[start:], key, top_k) for first, start in starts.items()
    }  # one comparison for all objects that joined together
    maps = []
    for rows, first in zip(bank.values, bank.firsts, strict=True):
        weights, places = found[first]
        mean = F.embedding_bag(places, rows.tensor, per_sample_weights=weights, mode="sum")  # q d
        maps.append(mean.T.unflatten(1, size))
    return torch.stack(maps)


def find_nearest(
    keys: Float[Tensor, "m _c"], key: Float[Tensor, "1 c h w"], top_k: int
) -> tuple[Float[Tensor, "q s"], Int[Tensor, "q s"]]:
    """Return the weights and places of the elements with the largest scores, for every cell.

    Args:
        keys: as a bank holds them.
        key: of the current frame.
        top_k: elements of each cell; all where there are fewer.
    """
    cells = key[0].flatten(1).T  # q c
    cells = torch.cat((cells, cells.new_ones(len(cells), 1)), dim=1)
    count = min(top_k, len(keys))
    parts = [_largest(chunk @ keys.T, count) for chunk in cells.split(max(SCRATCH // len(keys), 1))]
    scores = torch.cat([values for values, _ in parts])
    return scores.softmax(dim=1), torch.cat([places for _, places in parts])


def read_all(
    keys: Float[Tensor, "b m _c"], values: Float[Tensor, "b k m d"], key: Float[Tensor, "b c h w"]
) -> Float[Tensor, "b k d h w"]:
    """Read by the softmax over all elements, each frame from a bank of its own, as in training."""
    cells = key.flatten(2).transpose(1, 2)  # b q c
    cells = torch.cat((cells, cells.new_ones(*cells.shape[:2], 1)), dim=2)
    affinity = (cells @ keys.transpose(1, 2)).softmax(dim=2)  # b q m
    return (affinity[:, None] @ values).transpose(2, 3).unflatten(3, key.shape[-2:])


def key_rows(key: Float[Tensor, "b c h w"]) -> Float[Tensor, "b m _c"]:
    """Return the keys of frames as a bank holds them."""
    rows = key.flatten(2).transpose(1, 2)  # b m c
    lengths = rows.square().sum(dim=2, keepdim=True)
    return torch.cat((2 * rows, -lengths), dim=2) / rows.shape[2] ** 0.5


def _largest(scores: Float[Tensor, "q m"], count: int) -> tuple[Float[Tensor, "q s"], Int[Tensor, "q s"]]:
    """Return the ``count`` largest scores of each row and their places.

    Each of them lies in one of the ``count`` blocks with the largest maxima: a block before it in that order
    has a larger score.
    """
    num_blocks = scores.shape[1] // BLOCK
    if num_blocks <= 2 * count:
        return scores.topk(count, dim=1)
    whole, rest = scores[:, : num_blocks * BLOCK], scores[:, num_blocks * BLOCK :]
    blocks = whole.unflatten(1, (num_blocks, BLOCK))
    chosen = blocks.amax(dim=2).topk(count, dim=1, sorted=False).indices  # q s
    inside = blocks.gather(1, chosen[:, :, None].expand(-1, -1, BLOCK)).flatten(1)
    values, found = torch.cat((inside, rest), dim=1).topk(count, dim=1)
    block = chosen.gather(1, (found // BLOCK).clamp(max=count - 1))
    in_blocks = block * BLOCK + found % BLOCK
    in_rest = found - count * BLOCK + num_blocks * BLOCK
    return values, torch.where(found < count * BLOCK, in_blocks, in_rest)
