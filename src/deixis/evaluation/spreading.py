"""Work on videos shared by processes that each keep what is costly to make, such as a model."""

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection, wait
from typing import TypeVar

from deixis.data.records import VideoRecord
from deixis.data.sampler import share_of
from deixis.errors import DeixisError
from deixis.evaluation.ledger import Ledger

Row = TypeVar("Row")
Item = TypeVar("Item")
Result = TypeVar("Result")


def finish_videos(
    records: Sequence[VideoRecord],
    works: Sequence[Callable[[VideoRecord], Sequence[Row]]],
    ledger: Ledger[Row],
    on_video: Callable[[], object] | None = None,
) -> list[Row]:
    """Work on the videos that ``ledger`` does not hold yet, and write them down as they are done.

    Args:
        records: videos.
        works: gives the rows of a video, one a process (see :func:`spread`).
        ledger: of finished videos.
        on_video: called for each video, also for those that were finished before.

    Returns:
        The rows of all ``records``, in their order.
    """
    pending = []
    for record in records:
        if record.name not in ledger.done:
            pending.append(record)
        elif on_video is not None:
            on_video()
    for place, rows in spread(works, pending):
        ledger.add(pending[place].name, rows)
        if on_video is not None:
            on_video()
    return [row for record in records for row in ledger.done[record.name]]


def spread(works: Sequence[Callable[[Item], Result]], items: Sequence[Item]) -> Iterator[tuple[int, Result]]:
    """Yield the place of each item and what work on it gives, as the results come.

    Args:
        works: one a process, which takes it along and keeps it for all of its items; only one: this process
            works.
        items: each goes to one process (see :func:`deixis.data.sampler.share_of`).

    Raises:
        DeixisError: work on an item raised one, or a process died.
    """
    if len(works) == 1:
        yield from enumerate(map(works[0], items))
        return
    # A forked process may inherit locks that other threads hold; a spawned one starts clean.
    context = multiprocessing.get_context("spawn")
    processes, open_ends = [], []
    try:
        for rank, work in enumerate(works):
            share = [(place, items[place]) for place in share_of(len(items), rank, len(works))]
            if not share:
                continue
            receiver, sender = context.Pipe(duplex=False)
            process = context.Process(target=_work, args=(sender, work, share), daemon=True)
            process.start()
            sender.close()  # else the end of the process would not end the pipe
            processes.append(process)
            open_ends.append(receiver)
        while open_ends:
            for receiver in wait(open_ends):
                assert isinstance(receiver, Connection)
                try:
                    place, result = receiver.recv()
                except EOFError:
                    open_ends.remove(receiver)
                    continue
                if isinstance(result, DeixisError):
                    raise result
                yield place, result
        for process in processes:
            process.join()
            if process.exitcode:
                raise DeixisError(
                    f"one of {len(processes)} processes ended with status {process.exitcode} before its work "
                    "was done; what is done is kept: start again, with fewer --workers if memory is short"
                )
    finally:
        for process in processes:
            process.terminate()


def _work(sender: Connection, work: Callable[[Item], object], share: Sequence[tuple[int, Item]]) -> None:
    """Send the results of a share; an error ends it."""
    with sender:
        for place, item in share:
            try:
                result = work(item)
            except DeixisError as error:
                sender.send((place, DeixisError(str(error))))
                return
            sender.send((place, result))
