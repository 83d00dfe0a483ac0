"""Ref-DAVIS17: DAVIS 2017 with four expressions an object, those that name it alone in turn."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from deixis.data.davis_texts import DAVIS17_FILES
from deixis.data.records import VideoRecord

from . import davis17
from .davis_texts import TextLines


def write(records: Iterable[VideoRecord], root: Path, split: str, image: str) -> None:
    """Write a split; expressions of several or no objects are left out."""
    texts = TextLines(DAVIS17_FILES)
    davis17.write(_gathering(records, texts), root, split, image)
    texts.write(root)


def _gathering(records: Iterable[VideoRecord], texts: TextLines) -> Iterator[VideoRecord]:
    for record in records:
        for identity in record.object_ids:
            found = [one.text for one in record.expressions if one.object_ids == (identity,)]
            texts.add(f"{record.name} {identity}", found or [f"object {identity}"])
        yield record
