import threading
import time

import pytest

from deixis.flow.prefetch import prefetched


def test_values_come_in_order():
    assert list(prefetched(range(50), depth=3)) == list(range(50))
    assert list(prefetched([])) == []


def test_it_works_ahead_and_no_further_than_asked():
    made = []

    def values():
        for number in range(10):
            made.append(number)
            yield number

    ahead = prefetched(values(), depth=2)
    assert next(ahead) == 0
    deadline = time.monotonic() + 5
    while len(made) < 4 and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.05)
    assert made == [0, 1, 2, 3]  # one taken, two waiting, one in hand
    ahead.close()


def test_errors_come_where_the_value_would_have():
    def values():
        yield 1
        raise KeyError("broken")

    ahead = prefetched(values())
    assert next(ahead) == 1
    with pytest.raises(KeyError, match="broken"):
        next(ahead)


def test_stopping_early_ends_the_worker_and_closes_its_iterator():
    closed = threading.Event()

    def values():
        try:
            while True:
                yield 0
        finally:
            closed.set()

    ahead = prefetched(values())
    next(ahead)
    ahead.close()
    assert closed.is_set()
    assert not [thread for thread in threading.enumerate() if thread.name == "deixis-prefetch"]


def test_the_next_value_is_made_while_the_consumer_is_busy():
    made = [threading.Event() for _ in range(5)]

    def values():
        for number, event in enumerate(made):
            event.set()
            yield number

    for number in prefetched(values()):
        # Nobody has asked for the next one yet.
        assert all(event.wait(timeout=30) for event in made[number + 1 : number + 2])


def test_depth_is_checked():
    with pytest.raises(ValueError, match="depth"):
        prefetched([], depth=0)
