"""Frames per second and peak memory of methods that work through videos (UniRef, supplement, Table 4).

The field has two conventions and both are given. STCN: frames of all videos, the first of each included, over
the time of all. AOT: the first (given) frame of a video is not timed; *all frames* is frames over time, *per
sequence* is the reciprocal of the mean over videos of the seconds a frame. Neither counts reading or writing;
memory is the most that was allocated over all videos (metrics, section 14).

A method whose memory is constant shows a flat curve of :func:`frames_per_second_by_window`.

Legend: t frames.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

GIGABYTE = 1 << 30
COLUMNS = (
    "frames",
    "objects",
    "FPS",
    "FPS without first frames",
    "FPS per sequence",
    "peak memory in GiB",
)


@dataclass(frozen=True)
class TimedVideo:
    """How long each frame of a video took.

    Attributes:
        video: its name.
        num_objects: that were followed.
        seconds: of each frame, from the input of the network to the masks at the output's size.
        peak_bytes: the most memory that was allocated so far.
    """

    video: str
    num_objects: int
    seconds: Float[np.ndarray, "t"]
    peak_bytes: int


def time_video(
    video: str,
    num_objects: int,
    steps: Iterable[object],
    *,
    synchronise: Callable[[], None] = lambda: None,
    peak_bytes: Callable[[], int] = lambda: 0,
    clock: Callable[[], float] = time.perf_counter,
) -> TimedVideo:
    """Time a video; ``steps`` does the work of one frame each time it is asked for the next item.

    Args:
        video: its name.
        num_objects: that are followed.
        steps: frames must have been read before, so that no reading is timed.
        synchronise: waits until the device is done (``torch.cuda.synchronize``).
        peak_bytes: gives the peak of allocated memory (``torch.cuda.max_memory_allocated``).
        clock: gives seconds.

    Raises:
        ValueError: there are no frames.
    """
    seconds = list(_intervals(steps, synchronise, clock))
    if not seconds:
        raise ValueError(f"{video} has no frames to time")
    return TimedVideo(video, num_objects, np.array(seconds), peak_bytes())


def _intervals(
    steps: Iterable[object], synchronise: Callable[[], None], clock: Callable[[], float]
) -> Iterator[float]:
    synchronise()
    before = clock()
    for _ in steps:
        synchronise()
        after = clock()
        yield after - before
        before = clock()


def table_of_speed(videos: Sequence[TimedVideo]) -> dict[str, float]:
    """Return mean frames and objects of the videos, frames per second in each convention, peak memory.

    Raises:
        ValueError: there are no videos.
    """
    if not videos:
        raise ValueError("there are no timed videos; time one at least, after another to warm up")
    lengths = [len(video.seconds) for video in videos]
    later = [video.seconds[1:] for video in videos if len(video.seconds) > 1]
    later_seconds = sum(float(seconds.sum()) for seconds in later)
    seconds_a_frame = [float(seconds.mean()) for seconds in later]
    values = (
        float(np.mean(lengths)),
        float(np.mean([video.num_objects for video in videos])),
        sum(lengths) / sum(float(video.seconds.sum()) for video in videos),
        sum(map(len, later)) / later_seconds if later else float("nan"),
        1 / float(np.mean(seconds_a_frame)) if later else float("nan"),
        max(video.peak_bytes for video in videos) / GIGABYTE,
    )
    return dict(zip(COLUMNS, values, strict=True))


def frames_per_second_by_window(video: TimedVideo, window: int = 100) -> list[tuple[tuple[int, int], float]]:
    """Return the frames per second of frames 0 to 100, 100 to 200, ...; a last part of a window is left out.

    Raises:
        ValueError: ``window`` is below 1.
    """
    if window < 1:
        raise ValueError(f"window is {window}; give 1 or more")
    ends = range(window, len(video.seconds) + 1, window)
    return [((end - window, end), window / float(video.seconds[end - window : end].sum())) for end in ends]
