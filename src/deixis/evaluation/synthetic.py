"""The synthetic benchmark: its splits as records."""

from collections.abc import Sequence

from deixis.data.records import VideoRecord
from deixis.errors import UnknownNameError
from deixis.synthetic.benchmark import NUM_CLIPS, records

EVALUATED = ("val", "test")
"""The splits of a fixed length; ``train`` has no end."""


def find_records(split: str = "test", num_clips: int | None = None) -> Sequence[VideoRecord]:
    """Return the first ``num_clips`` (default: all) clips of a split that results are reported on.

    Raises:
        UnknownNameError: there is no such split to evaluate.
    """
    for name in EVALUATED:
        if name == split:
            return records(name, None if num_clips is None else min(num_clips, NUM_CLIPS[name]))
    raise UnknownNameError("split of synthetic", split, EVALUATED)
