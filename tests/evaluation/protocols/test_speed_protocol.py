import itertools

import numpy as np
import pytest

from deixis.evaluation.protocols.speed import (
    COLUMNS,
    GIGABYTE,
    TimedVideo,
    frames_per_second_by_window,
    table_of_speed,
    time_video,
)


def test_the_two_conventions_differ_in_the_first_frame():
    videos = [
        TimedVideo("a", 1, np.array([1.0, 0.1, 0.1]), 2 * GIGABYTE),
        TimedVideo("b", 3, np.array([2.0, 0.4]), GIGABYTE),
    ]
    table = table_of_speed(videos)
    assert tuple(table) == COLUMNS
    assert list(table.values()) == pytest.approx([2.5, 2, 5 / 3.6, 3 / 0.6, 1 / np.mean([0.1, 0.4]), 2])
    alone = table_of_speed([TimedVideo("a", 1, np.array([0.5]), 0)])
    assert alone["FPS"] == 2 and np.isnan(alone["FPS per sequence"])
    with pytest.raises(ValueError, match="no timed videos"):
        table_of_speed([])


def test_only_the_work_on_frames_is_timed():
    ticks = itertools.count()
    waits = []
    timed = time_video(
        "a",
        2,
        iter(range(3)),
        synchronise=lambda: waits.append(1),
        peak_bytes=lambda: 7,
        clock=lambda: float(next(ticks)),
    )
    np.testing.assert_array_equal(timed.seconds, [1, 1, 1])
    assert len(waits) == 4 and timed.peak_bytes == 7
    with pytest.raises(ValueError, match="a has no frames"):
        time_video("a", 1, [])


def test_windows_show_whether_a_method_slows_down():
    video = TimedVideo("a", 1, np.repeat([0.1, 0.2, 0.3], [100, 100, 40]), 0)
    assert frames_per_second_by_window(video) == [
        ((0, 100), pytest.approx(10)),
        ((100, 200), pytest.approx(5)),
    ]
    with pytest.raises(ValueError, match="window is 0"):
        frames_per_second_by_window(video, 0)
