"""Many videos through one protocol, in one process or several.

A video is the unit of work: nothing is shared between videos, so time falls with the number of processes, and
each process holds a frame of truth and of prediction at a time.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from multiprocessing import get_context

from deixis.evaluation.protocols.base import (
    ObjectRow,
    Options,
    Score,
    VideoPrediction,
    VideoProtocol,
    VideoTruth,
)

_DEFAULTS = Options()


def score_videos(
    protocol: VideoProtocol,
    truths: Sequence[VideoTruth],
    predictions: Mapping[str, VideoPrediction],
    options: Options = _DEFAULTS,
    *,
    workers: int = 1,
    done: Mapping[str, Sequence[ObjectRow]] | None = None,
    on_video: Callable[[str, list[ObjectRow]], None] | None = None,
) -> Score:
    """Score all videos and aggregate; the result does not depend on ``workers``.

    Processes are started afresh: a script that asks for several needs ``if __name__ == "__main__":``.

    Args:
        protocol: of videos.
        truths: one a video.
        predictions: video -> what is predicted for it.
        options: see there.
        workers: processes; 1 works in this one.
        done: rows of videos that were scored before, which are not scored again.
        on_video: called after each newly scored video, in any order, with its name and rows.

    Raises:
        ValueError: ``workers`` is below 1, or a video has no entry in ``predictions``.
        DatasetError: a mask is missing, unreadable, of another size, or has ids that the protocol refuses.
    """
    if workers < 1:
        raise ValueError(f"workers is {workers}; give 1 or more")
    unknown = [truth.name for truth in truths if truth.name not in predictions]
    if unknown:
        raise ValueError(f"no predictions are given for {len(unknown)} videos, the first: {unknown[0]}")
    found = dict(done or {})
    pending = [truth for truth in truths if truth.name not in found]
    for name, rows in _score_all(protocol, pending, predictions, options, min(workers, len(pending))):
        found[name] = rows
        if on_video is not None:
            on_video(name, rows)
    return protocol.aggregate([row for truth in truths for row in found[truth.name]], options)


def _score_all(
    protocol: VideoProtocol,
    truths: Sequence[VideoTruth],
    predictions: Mapping[str, VideoPrediction],
    options: Options,
    workers: int,
) -> Iterable[tuple[str, list[ObjectRow]]]:
    """Yield the rows of each video as they come."""
    if workers <= 1:
        for truth in truths:
            yield truth.name, protocol.score_video(truth, predictions[truth.name], options)
        return
    # The longest first: a long video that begins last would keep one process busy while all others wait.
    waiting = sorted(truths, key=lambda truth: -len(truth.frames) * max(1, len(truth.expressions)))
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        running: dict[Future[list[ObjectRow]], str] = {}
        try:
            while waiting or running:
                while waiting and len(running) < 2 * workers:
                    truth = waiting.pop(0)
                    task = pool.submit(protocol.score_video, truth, predictions[truth.name], options)
                    running[task] = truth.name
                for task in wait(running, return_when=FIRST_COMPLETED).done:
                    yield running.pop(task), task.result()
        finally:
            pool.shutdown(cancel_futures=True)
