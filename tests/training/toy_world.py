"""A world small enough to train on in a second; no torch, so that processes that render it start fast."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from deixis.data.records import Expression, VideoRecord

COLOURS = {"red": (220, 30, 30), "green": (30, 220, 30), "blue": (30, 30, 220)}
HEIGHT, WIDTH = 16, 24


@dataclass(frozen=True)
class ToyVideo:
    """Coloured squares that move to the right; object ids from 1 in the order of ``names``."""

    names: tuple[str, ...]
    places: tuple[tuple[int, int], ...]
    num_frames: int

    def masks(self, indices: Sequence[int], object_ids: Sequence[int]) -> np.ndarray:
        masks = np.zeros((len(object_ids), len(indices), HEIGHT, WIDTH), bool)
        for row, identity in enumerate(object_ids):
            top, left = self.places[identity - 1]
            for column, index in enumerate(indices):
                masks[row, column, top : top + 5, left + index : left + index + 5] = True
        return masks


@dataclass(frozen=True)
class ToyFrames:
    video: ToyVideo

    def read(self, indices: Sequence[int]) -> np.ndarray:
        frames = np.full((len(indices), HEIGHT, WIDTH, 3), 90, np.uint8)
        for identity, name in enumerate(self.video.names, start=1):
            frames[self.video.masks(indices, [identity])[0]] = COLOURS[name]
        return frames


@dataclass(frozen=True)
class ToyMasks:
    video: ToyVideo

    def read(self, indices: Sequence[int], object_ids: Sequence[int]) -> np.ndarray:
        return self.video.masks(indices, object_ids)


def toy_records(count: int = 12, num_frames: int = 6) -> list[VideoRecord]:
    generator = np.random.default_rng(5)
    records = []
    for number in range(count):
        names = tuple(generator.permutation(list(COLOURS))[: 2 + number % 2])
        places = tuple(
            (5 * row, int(generator.integers(0, WIDTH - 5 - num_frames))) for row in range(len(names))
        )
        video = ToyVideo(names, places, num_frames)
        expressions = [
            Expression(str(row), f"the {name} square", (row + 1,)) for row, name in enumerate(names)
        ]
        # Some videos have fewer expressions than others, so that processes get unequal shares.
        absent = [name for name in COLOURS if name not in names] if number % 3 else []
        expressions += [Expression(f"absent {name}", f"the {name} square on the left") for name in absent]
        records.append(
            VideoRecord(
                name=f"toy{number}",
                frame_names=tuple(f"{index:05d}" for index in range(num_frames)),
                frames=ToyFrames(video),
                expressions=tuple(expressions),
                object_ids=tuple(range(1, len(names) + 1)),
                masks=ToyMasks(video),
                size=(HEIGHT, WIDTH),
            )
        )
    return records
