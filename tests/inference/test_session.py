import numpy as np
import pytest
import torch

import deixis
from deixis.errors import SourceError
from deixis.inference.windows import WindowRule
from deixis.video.frames import Frame
from stand_ins import ColourModel, coloured_video, online_model

EXPRESSIONS = ["the red square", "the blue one"]


def frames_of(video):
    return [Frame(index, index / 25, f"{index:05d}", image) for index, image in enumerate(video)]


@pytest.mark.parametrize("model", [ColourModel, online_model])
def test_every_frame_comes_out_once_and_in_order(model):
    video = coloured_video(17)
    results = list(deixis.Segmenter(model()).stream(iter(video), EXPRESSIONS))
    assert [result.frame.index for result in results] == list(range(17))
    for index, result in enumerate(results):
        np.testing.assert_array_equal(result.frame.image, video[index])


def test_streaming_gives_the_masks_of_the_whole_video_where_all_windows_agree():
    video = coloured_video(17)
    segmenter = deixis.Segmenter(ColourModel())
    streamed = np.stack([result.masks for result in segmenter.stream(iter(video), EXPRESSIONS)], 1)
    prediction = segmenter(video, EXPRESSIONS)
    np.testing.assert_array_equal(streamed, [prediction.masks(0), prediction.masks(1)])


def test_the_choice_is_causal_and_one_odd_window_does_not_sway_it():
    video = coloured_video(20, confusing=(4,))
    segmenter = deixis.Segmenter(ColourModel())
    masks = np.stack([result.masks[0] for result in segmenter.stream(iter(video), "red")])
    red = video[..., 0] > 127
    assert (masks & red).sum() / (masks | red).sum() > 0.6


def test_latency_is_one_window_and_frames_are_not_kept():
    read = []

    def camera():
        for index, image in enumerate(coloured_video(40)):
            read.append(index)
            yield image

    for result in deixis.Segmenter(ColourModel()).stream(camera(), "red"):
        assert read[-1] - result.frame.index < 6
    model = deixis.Segmenter(online_model())
    read.clear()
    for result in model.stream(camera(), "red"):
        assert read[-1] == result.frame.index


def test_the_published_rule_streams_as_it_runs_offline():
    video = coloured_video(20, confusing=(4, 12))
    segmenter = deixis.Segmenter(ColourModel(), windows=WindowRule(length=6, overlap=2, is_linked=False))
    streamed = np.stack([result.masks[0] for result in segmenter.stream(iter(video), "red")])
    np.testing.assert_array_equal(streamed, segmenter(video, "red").masks())


@pytest.mark.parametrize("is_linked", [True, False])
@pytest.mark.parametrize("pause", [0, 3, 6, 9, 16])
@pytest.mark.parametrize("make", [ColourModel, online_model])
def test_a_session_goes_on_from_a_file(tmp_path, make, pause, is_linked):
    frames = frames_of(coloured_video(17, confusing=(4,)))
    rule = WindowRule(length=6, overlap=2, is_linked=is_linked)
    segmenter = deixis.Segmenter(make(), windows=rule)
    unbroken = list(segmenter.stream(coloured_video(17, confusing=(4,)), EXPRESSIONS))

    session = segmenter.session(EXPRESSIONS)
    results = [result for frame in frames[:pause] for result in session.push(frame)]
    torch.save(session.state(), tmp_path / "state.pt")
    resumed = segmenter.session(EXPRESSIONS)
    resumed.load_state(torch.load(tmp_path / "state.pt", weights_only=True))
    results += [result for frame in frames[pause:] for result in resumed.push(frame)]
    results += resumed.finish()

    assert [result.frame.index for result in results] == list(range(17))
    for result, expected in zip(results, unbroken, strict=True):
        np.testing.assert_array_equal(result.masks, expected.masks)
        np.testing.assert_array_equal(result.scores, expected.scores)
        np.testing.assert_array_equal(result.frame.image, expected.frame.image)


def test_a_state_belongs_to_its_expressions():
    segmenter = deixis.Segmenter(ColourModel())
    with pytest.raises(ValueError, match=r"state is of the expressions \('red',\)"):
        segmenter.session("blue").load_state(segmenter.session("red").state())


def test_frames_of_another_size_are_refused():
    session = deixis.Segmenter(ColourModel()).session("red")
    session.push(frames_of(coloured_video(1))[0])
    with pytest.raises(SourceError, match="is 40x30 but the frames before it are 96x64"):
        session.push(Frame(1, 0.04, "00001", np.zeros((30, 40, 3), np.uint8)))
