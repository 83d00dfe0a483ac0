"""Flow made ahead: into a cache, or as files named after the frames.

Axes: H W pixels.
"""

from collections.abc import Generator, Iterable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from deixis.errors import SinkError
from deixis.ops.atomic import write_atomically

from .cache import CachedFlow, encode_flow
from .config import MotionSpec
from .cuts import is_cut
from .estimator import FlowEstimator
from .tracker import track, work_frame

Frames = Iterable[tuple[UInt8[np.ndarray, "H W 3"], str]]
"""Frames of one video with their names."""


def precompute(frames: Frames, spec: MotionSpec, cache: CachedFlow) -> Generator[str]:
    """Put all flow in the ``cache`` that a model with ``spec`` will ask for; yield each frame's name."""
    plain = replace(spec, camera="none", form="vectors")  # the compensation is no part of the cache
    for name, _ in track(frames, (1, 1), plain, cache):
        yield name


def export_flow(
    frames: Frames, spec: MotionSpec, estimator: FlowEstimator, folder: str | Path
) -> Generator[str]:
    """Write the flow from each frame to the next as ``FOLDER/FRAME.png`` in KITTI's format; yield names.

    Sizes are those at which ``spec`` estimates. The last frame, and the last one before a cut, have no file.

    Raises:
        SinkError: the folder cannot be written.
    """
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        reduced = ((work_frame(image, spec), name) for image, name in frames)
        for (first, name), (second, _) in pairwise(reduced):
            if not is_cut(first, second):
                write_atomically(folder / f"{name}.png", encode_flow(estimator(first, second)))
            yield name
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise SinkError(f"{folder} cannot be written ({reason}); free space or choose another") from error
