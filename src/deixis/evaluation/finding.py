"""A model that takes examples as a method to score: of each image the first few of its class in, a mask out.

Axes: H W pixels of an image.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import UInt8

from deixis.configuration import to_plain
from deixis.data.records import VideoRecord
from deixis.errors import DatasetError
from deixis.inference.examples import Example, Finder, Learned


@dataclass(frozen=True, kw_only=True)
class FinderOnDemand:
    """A model with examples that other processes can take along: each makes it when it is first asked.

    Attributes:
        model, checkpoint, device, dtype: as ``Finder`` takes them.
        shots: examples of an image.
        num_threads: that the process may use on the CPU; 0: as many as it does.
    """

    model: str
    checkpoint: Path | None = None
    device: str = "auto"
    dtype: str = "auto"
    shots: int = 1
    num_threads: int = 0

    @cached_property
    def finder(self) -> Finder:
        """The model, made once."""
        if self.num_threads:
            torch.set_num_threads(self.num_threads)
        return Finder(self.model, checkpoint=self.checkpoint, device=self.device, dtype=self.dtype)

    def __call__(self, record: VideoRecord) -> Iterator[list[tuple[str, UInt8[np.ndarray, "H W"]]]]:
        """Yield the mask of every image of a class, as ``saving.save_images`` wants it."""
        learned: dict[tuple[int, ...], Learned] = {}
        for index in range(len(record.frame_names)):
            chosen = choose_examples(record, index, self.shots)
            if chosen not in learned:
                learned[chosen] = self.finder.learn(read_examples(record, chosen))
            mask, _ = self.finder.find(record.frames.read([index])[0], learned[chosen])
            yield [("", np.where(mask, 255, 0).astype(np.uint8))]

    def settings(self) -> dict[str, Any]:
        """Return what the predictions depend on."""
        return {
            "model": self.model,
            "weights_sha256": self.finder.weights_hash,
            "dtype": str(self.finder.engine.dtype),
            "inputs": to_plain(self.finder.inputs),
            "shots": self.shots,
        }

    def found_device(self) -> torch.device:
        """Return where it runs."""
        return self.finder.engine.device

    def __getstate__(self) -> dict[str, Any]:
        return {item.name: getattr(self, item.name) for item in fields(self)}


def choose_examples(record: VideoRecord, index: int, shots: int) -> tuple[int, ...]:
    """Return the first ``shots`` images that may be examples of one, without those whose mask is empty.

    Raises:
        DatasetError: there are not so many.
    """
    if not record.examples:
        raise DatasetError(f"{record.name} has no examples; only FSS-1000 asks by examples")
    assert record.masks is not None
    chosen: list[int] = []
    for other in record.examples[index]:
        if len(chosen) < shots and record.masks.read([other], record.object_ids).any():
            chosen.append(other)
    if len(chosen) < shots:
        name = f"{record.name}/{record.frame_names[index]}"
        raise DatasetError(f"{name} has {len(chosen)} examples; give fewer than {shots} --shots")
    return tuple(chosen)


def read_examples(record: VideoRecord, chosen: Sequence[int]) -> list[Example]:
    """Read images of a record as examples."""
    assert record.masks is not None
    return [
        Example(
            record.frames.read([index])[0],
            np.asarray(record.masks.read([index], record.object_ids)[:, 0].any(axis=0)),
            f"{record.name}/{record.frame_names[index]}",
        )
        for index in chosen
    ]
