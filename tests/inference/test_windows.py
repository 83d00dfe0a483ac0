from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deixis.errors import UnknownNameError
from deixis.inference.windows import DEMO, WindowCutter, WindowRule, cut_windows, find_rule, handover
from deixis.models.inputs import InputSpec


def spans(num_frames, rule):
    return [(window.start, window.stop) for window in cut_windows(range(num_frames), rule)]


def test_demo_rule_is_the_published_one():
    # MTTR, section 7: 42 frames give a last window of 6 frames that the one before covers already.
    assert spans(42, DEMO) == [(0, 24), (18, 42), (36, 42)]
    assert spans(24, DEMO) == [(0, 24), (18, 24)]
    assert spans(19, DEMO) == [(0, 19), (18, 19)]
    assert spans(18, DEMO) == [(0, 18)]


def test_last_linked_window_keeps_its_length():
    rule = WindowRule(length=6, overlap=2)
    assert spans(6, rule) == [(0, 6)]
    assert spans(7, rule) == [(0, 6), (1, 7)]
    assert spans(10, rule) == [(0, 6), (4, 10)]
    assert spans(11, rule) == [(0, 6), (4, 10), (5, 11)]
    assert spans(3, rule) == [(0, 3)]
    assert spans(0, rule) == []


def test_whole_video_is_one_window():
    assert spans(100, WindowRule()) == [(0, 100)]


rules = st.integers(1, 9).flatmap(
    lambda length: st.builds(
        WindowRule,
        length=st.just(length),
        overlap=st.integers(1, length - 1) if length > 1 else st.just(0),
        is_linked=st.booleans() if length > 1 else st.just(False),
    )
)


@given(rules, st.integers(0, 60))
def test_windows_hold_their_frames_cover_everything_and_share_frames(rule, num_frames):
    windows = list(cut_windows(range(num_frames), rule))
    for window in windows:
        assert window.frames == tuple(range(window.start, window.stop))
        assert len(window.frames) <= rule.length
    assert sorted({frame for window in windows for frame in window.frames}) == list(range(num_frames))
    assert [window.is_last for window in windows] == [False] * (len(windows) - 1) + [True] * bool(windows)
    if rule.is_linked:
        for before, after in pairwise(windows):
            assert before.stop - after.start >= rule.overlap


@given(rules, st.integers(1, 60), st.integers(0, 60))
def test_a_cutter_goes_on_from_its_state(rule, num_frames, pause):
    def run(should_pause):
        cutter, windows = WindowCutter(rule), []
        for frame in range(num_frames):
            if should_pause and frame == pause:
                *numbers, frames = cutter.state()
                cutter = WindowCutter(rule)
                cutter.load_state(*numbers, frames)
            windows.append(cutter.push(frame))
        return [window for window in windows if window] + cutter.finish()

    assert run(True) == run(False)


def test_lookahead_is_one_frame():
    read = []

    def frames():
        for index in range(100):
            read.append(index)
            yield index

    rule = WindowRule(length=6, overlap=2)
    for window in cut_windows(frames(), rule):
        assert len(read) <= window.stop + 1


def test_rules_by_name():
    inputs = InputSpec(window_length=12, window_overlap=3)
    assert find_rule(None, inputs) == find_rule("linked", inputs) == WindowRule(length=12, overlap=3)
    assert find_rule("whole", inputs) == WindowRule()
    assert find_rule("demo", inputs) == DEMO
    assert find_rule("clips", inputs) == WindowRule(length=12, is_linked=False)
    assert spans(30, find_rule("clips", inputs)) == [(0, 12), (12, 24), (24, 30)]
    assert find_rule(None, InputSpec(window_length=None)) == WindowRule()
    assert not find_rule(None, InputSpec(window_length=1, window_overlap=0)).is_linked
    with pytest.raises(UnknownNameError, match="did you mean linked"):
        find_rule("linke", inputs)


@pytest.mark.parametrize(
    "values", [{"length": 4, "overlap": 4}, {"length": 4, "overlap": 0}, {"length": None, "overlap": 2}]
)
def test_impossible_rules_are_refused(values):
    with pytest.raises(ValueError, match="overlap"):
        WindowRule(**values)


def test_shared_frames_are_split_in_the_middle():
    assert handover(10, 4, is_linked=True) == 7
    assert handover(10, 4, is_linked=True, is_causal=True) == 10
    assert handover(10, 4, is_linked=False) == 4
