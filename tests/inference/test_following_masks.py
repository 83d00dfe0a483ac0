import numpy as np
import pytest
import torch

import deixis
from deixis.errors import SourceError
from deixis.inference.frame_spool import FrameSpool
from deixis.inference.offline import Answer, FrameStamp
from deixis.inference.prediction import PredictionBuilder
from deixis.inference.propagation import find_anchor, propagate, refine
from deixis.propagators.base import ObjectMasks
from deixis.propagators.copying import CopyPropagator
from deixis.propagators.translation import TranslationPropagator
from deixis.video.sources import open_source
from stand_ins import ColourModel, coloured_video, online_model

T = 14


def stored(video):
    return torch.from_numpy(video).permute(0, 3, 1, 2)


def prediction_of(masks, scores):
    """Masks ``[e, t, H, W]`` and scores ``[e, t]`` as a prediction."""
    builder = PredictionBuilder()
    for index in range(masks.shape[1]):
        stamp = FrameStamp(index, index / 25, f"{index:05d}")
        ones = np.ones(len(masks), np.float32)
        builder.add(Answer(stamp, masks[:, index], scores[:, index].astype(np.float32), ones))
    return builder.build([f"object {e}" for e in range(len(masks))], 25.0, {}, None)


class Recorder(CopyPropagator):
    """Remembers which frames it was shown, by their first pixel."""

    def __init__(self):
        self.seen = []

    def start(self):
        self.seen.append([])
        return super().start()

    def step(self, frame, state, given=None, *, is_last=False):
        self.seen[-1].append((int(frame[0, 0, 0]), given is not None, is_last))
        return super().step(frame, state, given, is_last=is_last)


@pytest.mark.parametrize(
    ("direction", "order"),
    [("both", [1, 0, 2, 3, 4]), ("forward", [2, 3, 4]), ("backward", [2, 1, 0])],
)
def test_both_ways_from_the_anchor_each_from_a_fresh_state(direction, order):
    frames = torch.zeros(5, 3, 4, 6, dtype=torch.uint8)
    frames += torch.arange(5, dtype=torch.uint8)[:, None, None, None]
    given = ObjectMasks((1,), torch.ones(1, 4, 6, dtype=torch.bool))
    propagator = Recorder()
    found = propagate(propagator, frames, 2, given, direction=direction)
    assert [index for index, _ in found] == order
    backward = [(2, True, False), (1, False, False), (0, False, True)]
    forward = [(2, True, False), (3, False, False), (4, False, True)]
    halves = {"both": [backward, forward], "forward": [forward], "backward": [backward]}
    assert propagator.seen == halves[direction]


def test_frames_that_are_not_there():
    given = ObjectMasks((1,), torch.ones(1, 4, 6, dtype=torch.bool))
    with pytest.raises(ValueError, match="no frame 5"):
        list(propagate(CopyPropagator(), torch.zeros(5, 3, 4, 6, dtype=torch.uint8), 5, given))


def test_the_anchor_is_the_surest_frame_with_a_mask_the_earliest_on_ties():
    scores = np.array([0.2, 0.9, 0.7, 0.7])
    assert find_anchor(scores, np.array([True, False, True, True])) == 2
    assert find_anchor(scores, np.zeros(4, bool)) is None


def test_all_masks_but_the_anchors_are_replaced():
    video = coloured_video(T)
    truth = np.stack([video[..., channel] > 127 for channel in (0, 2)])
    wrong = truth.copy()
    scores = np.full((2, T), 0.4)
    for e, anchor in ((0, 3), (1, 11)):
        wrong[e, np.arange(T) != anchor] = False
        wrong[e, np.arange(T) != anchor, :5, :5] = True
        scores[e, anchor] = 0.9
    prediction = prediction_of(wrong, scores)
    refined = refine(prediction, stored(video), TranslationPropagator())
    np.testing.assert_array_equal(refined.masks(0), truth[0])
    np.testing.assert_array_equal(refined.masks(1), truth[1])
    np.testing.assert_array_equal(refined.scores, prediction.scores)
    copied = refine(prediction, stored(video), CopyPropagator())
    np.testing.assert_array_equal(copied.masks(1), np.repeat(truth[1, 11:12], T, axis=0))


def test_what_has_no_mask_stays_as_it_is():
    prediction = prediction_of(np.zeros((1, 3, 8, 8), bool), np.full((1, 3), 0.9))
    refined = refine(prediction, torch.zeros(3, 3, 8, 8, dtype=torch.uint8), CopyPropagator())
    assert refined.counts == prediction.counts
    with pytest.raises(ValueError, match="cannot be refined by 2"):
        refine(prediction, torch.zeros(2, 3, 8, 8, dtype=torch.uint8), CopyPropagator())


def test_the_segmenter_refines_calls_answers_and_results_alike():
    video = coloured_video(T)
    plain = deixis.Segmenter(ColourModel())(video, ["red", "blue"])
    segmenter = deixis.Segmenter(ColourModel(), propagator="translation")
    stages = []
    refined = segmenter(iter(video), ["red", "blue"], progress=lambda *told: stages.append(told))
    anchor = find_anchor(plain.scores[:, 0], plain.has_mask(0))
    lefts = [16 + abs(index % 48 - 24) for index in range(T)]
    for index, mask in enumerate(refined.masks(0)):
        expected = np.roll(plain.masks(0)[anchor], lefts[index] - lefts[anchor], axis=1)
        np.testing.assert_array_equal(mask, expected)
    assert refined.information["propagator"] == "TranslationPropagator"
    assert ("propagate", T) in stages
    for results in (segmenter.iterate(video, ["red", "blue"]), segmenter.answers(video, ["red", "blue"])):
        masks = np.stack([result.masks for result in results], 1)
        np.testing.assert_array_equal(masks, [refined.masks(0), refined.masks(1)])


def test_online_models_are_refined_too_and_streams_are_not():
    video = coloured_video(6)
    segmenter = deixis.Segmenter(online_model(), propagator=CopyPropagator())
    masks = [result.masks for result in segmenter.iterate(video, "red")]
    assert all(np.array_equal(mask, masks[-1]) for mask in masks)  # its last frame is its surest
    with pytest.raises(ValueError, match="no stream can"):
        list(segmenter.stream(iter(video), "red"))
    with pytest.raises(SourceError, match="only once"):
        segmenter.iterate(iter(video), "red")


def test_frames_come_back_in_any_order_and_have_one_size():
    video = np.random.default_rng(0).integers(0, 256, (5, 7, 9, 3), np.uint8)
    with FrameSpool() as spool:
        assert [frame.index for frame in spool.record(open_source(video))] == [0, 1, 2, 3, 4]
        for index in (4, 0, 2):
            np.testing.assert_array_equal(spool[index].permute(1, 2, 0).numpy(), video[index])
        with pytest.raises(IndexError, match="no frame 5 of 5"):
            spool[5]
        with pytest.raises(SourceError, match="one size"):
            list(spool.record(open_source(video[:, :5])))
