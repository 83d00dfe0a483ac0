"""The synthetic benchmarks: their splits as records."""

from collections.abc import Sequence

from deixis.data.records import VideoRecord
from deixis.errors import UnknownNameError
from deixis.synthetic.worlds import WORLDS, rendered_records

EVALUATED = ("val", "test")
"""The splits of a fixed length; ``train`` has no end."""

BENCHMARKS = tuple(WORLDS)
"""The worlds that results are reported on."""


def find_records(
    split: str = "test", num_clips: int | None = None, benchmark: str = "synthetic"
) -> Sequence[VideoRecord]:
    """Return the first ``num_clips`` (default: all) clips of a split that results are reported on.

    Raises:
        UnknownNameError: there is no such benchmark, or no such split to evaluate.
    """
    if split not in EVALUATED:
        raise UnknownNameError(f"split of {benchmark}", split, EVALUATED)
    return rendered_records(benchmark, split, num_clips)
