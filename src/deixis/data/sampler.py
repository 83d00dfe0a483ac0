"""The order of training clips: endless, shuffled, a mix of sources, and a pure function of seed and position.

Nothing but the position needs saving: a run that goes on from position p sees exactly the clips that the
unbroken run would have seen, in any number of processes.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np

from deixis.errors import DatasetError


@dataclass(frozen=True)
class Draw:
    """One clip to load: the ``index``-th of ``source``; the ``position`` of the draw seeds its chances."""

    source: int
    index: int
    position: int


class Sampler:
    """Endless draws from several sources in proportion to their weights.

    Each pass over a source is a permutation of its clips. Sources take turns by largest deficit, so that any
    stretch of the order holds them in proportion. A turn is ``run_length`` draws.
    """

    def __init__(
        self, sizes: Sequence[int], weights: Sequence[float], seed: int, run_length: int = 1
    ) -> None:
        """Build for sources of ``sizes`` clips.

        Raises:
            DatasetError: a source has no clips.
        """
        for index, size in enumerate(sizes):
            if size < 1:
                raise DatasetError(
                    f"data source {index} has no training clips; check its folder and the clip rule"
                )
        self.sizes = tuple(sizes)
        self.shares = tuple(weight / sum(weights) for weight in weights)
        self.seed = seed
        self.run_length = run_length

    def draws(self, position: int = 0) -> Iterator[Draw]:
        """Yield the draws from ``position`` on."""
        turn, done = divmod(position, self.run_length)
        turns, orders = self._turns(turn), [(-1, np.empty(0, np.int64))] * len(self.sizes)
        while True:
            source = self._next(turns, turn)
            for place_in_turn in range(done, self.run_length):
                count = turns[source] * self.run_length + place_in_turn
                epoch, place = divmod(count, self.sizes[source])
                if orders[source][0] != epoch:
                    generator = np.random.default_rng([self.seed, source, epoch])
                    orders[source] = (epoch, generator.permutation(self.sizes[source]))
                yield Draw(source, int(orders[source][1][place]), position)
                position += 1
            turns[source] += 1
            turn, done = turn + 1, 0

    def _next(self, turns: Sequence[int], turn: int) -> int:
        deficits = [share * (turn + 1) - count for share, count in zip(self.shares, turns, strict=True)]
        return deficits.index(max(deficits))

    def _turns(self, turn: int) -> list[int]:
        """Return how many turns each source had before ``turn``."""
        if len(self.sizes) == 1:
            return [turn]
        turns = [0] * len(self.sizes)
        for earlier in range(turn):
            turns[self._next(turns, earlier)] += 1
        return turns


class ShardedBatches:
    """The draws of one process, in the parts in which it computes them.

    A ``batch_sampler`` of a ``DataLoader``.

    The ``batch_size`` draws of an optimiser step are cut into ``num_processes * parts`` equal pieces; process
    ``rank`` takes every ``num_processes``-th of them.
    """

    def __init__(
        self,
        sampler: Sampler,
        *,
        batch_size: int,
        parts: int = 1,
        rank: int = 0,
        num_processes: int = 1,
        position: int = 0,
    ) -> None:
        """Start at ``position``, counted in draws of all processes.

        Raises:
            ValueError: ``batch_size`` is not a multiple of ``parts * num_processes``.
        """
        pieces = parts * num_processes
        if batch_size % pieces:
            raise ValueError(f"a batch of {batch_size} cannot be shared by {num_processes} x {parts} parts")
        self.sampler = sampler
        self.batch_size = batch_size
        self.piece = batch_size // pieces
        self.rank = rank
        self.num_processes = num_processes
        self.position = position

    def __iter__(self) -> Iterator[list[Draw]]:
        draws = self.sampler.draws(self.position)
        while True:
            step = list(islice(draws, self.batch_size))
            for start in range(self.rank * self.piece, self.batch_size, self.piece * self.num_processes):
                yield step[start : start + self.piece]


def share_of(count: int, rank: int, num_processes: int) -> range:
    """Return which of ``count`` evaluation samples are those of one process: every ``num_processes``-th.

    The shares of all processes hold each sample once. Published samplers repeat samples to make the shares
    equally large, and their predictions are then scored twice; here shares may differ by one.

    Raises:
        ValueError: there is no such process.
    """
    if not 0 <= rank < num_processes:
        raise ValueError(f"there are {num_processes} processes, numbered from 0; there is no process {rank}")
    return range(rank, count, num_processes)
