"""An iterator that works ahead in a thread, so that whoever consumes it does not wait."""

import queue
import threading
from collections.abc import Generator, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class _Value(Generic[T]):
    """What the worker hands over."""

    value: T


@dataclass(frozen=True)
class _End:
    """How the worker ended: with an error, or with the last value."""

    error: BaseException | None = None


def prefetched(values: Iterable[T], depth: int = 2) -> Generator[T]:
    """Yield ``values``, of which up to ``depth`` are made ahead in a thread of their own.

    Decoding, optical flow and tensor work leave Python's lock, so they run beside the consumer. Errors are
    raised where the failing value would have come. When the consumer stops early, the worker ends after the
    value it is at, and its iterator is closed.

    Raises:
        ValueError: ``depth`` is not positive.
    """
    if depth < 1:
        raise ValueError(f"depth must be at least 1, got {depth}")
    return _consume(values, depth)


def _consume(values: Iterable[T], depth: int) -> Generator[T]:
    handed: queue.Queue[_Value[T] | _End] = queue.Queue(maxsize=depth)
    is_stopped = threading.Event()

    def hand_over(item: _Value[T] | _End) -> bool:
        while not is_stopped.is_set():
            try:
                handed.put(item, timeout=0.1)
                return True
            except queue.Full:
                continue
        return False

    def work() -> None:
        iterator = iter(values)
        try:
            for value in iterator:
                if not hand_over(_Value(value)):
                    return
            hand_over(_End())
        except BaseException as error:  # raised again in the consumer's thread
            hand_over(_End(error))
        finally:
            if isinstance(iterator, Generator):
                iterator.close()

    worker = threading.Thread(target=work, name="deixis-prefetch", daemon=True)
    worker.start()
    try:
        while True:
            item = handed.get()
            if isinstance(item, _Value):
                yield item.value
            elif item.error is not None:
                raise item.error
            else:
                return
    finally:
        is_stopped.set()
        worker.join()
