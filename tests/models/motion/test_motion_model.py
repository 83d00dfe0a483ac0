import logging
from pathlib import Path

import numpy as np
import pytest
import torch

import deixis
from deixis.errors import CheckpointError, TrainingError
from deixis.flow.dis import Dis
from deixis.models.loading import load, save
from deixis.models.motion.colour import add_colours, empty_histograms, place_edge
from deixis.models.motion.config import VARIANTS, MotionBaselineConfig
from deixis.models.motion.seed import otsu, seed_logits
from deixis.video.frames import Frame
from moving_pictures import moving_square, texture

NAMES = sorted(VARIANTS)


def small(name: str) -> deixis.Segmenter:
    """The variant at the size of the test's frames."""
    from dataclasses import replace

    from deixis.models.motion.model import MotionBaseline

    config = VARIANTS[name]
    return deixis.Segmenter(
        MotionBaseline(replace(config, inputs=replace(config.inputs, short_side=96, long_side=128)))
    )


def iou(found: np.ndarray, truth: np.ndarray) -> float:
    return float((found & truth).sum() / max((found | truth).sum(), 1))


@pytest.mark.parametrize("name", NAMES)
def test_what_moves_against_the_camera_is_found(name):
    frames, masks = moving_square(6)
    prediction = small(name)(frames, ["the square", "anything else"])
    found = prediction.masks(0)
    assert min(iou(one, truth) for one, truth in zip(found, masks, strict=True)) > 0.6
    np.testing.assert_array_equal(found, prediction.masks(1))
    assert (prediction.scores == 0.5).all()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("size", [(1, 1), (7, 11), (11, 40), (12, 12)])
def test_tiny_frames(name, size):
    frames = np.random.default_rng(0).integers(0, 256, (3, *size, 3), dtype=np.uint8)
    assert small(name)(list(frames), "it").masks().shape == (3, *size)


@pytest.mark.parametrize("name", NAMES)
def test_where_nothing_moves_nothing_is_found(name):
    still = np.broadcast_to(texture(96, 128), (3, 96, 128, 3))
    for frames in (still, still[:1]):
        prediction = small(name)(frames, "the square")
        assert not prediction.masks().any()
        assert not prediction.presence.any()


def test_a_moving_camera_alone_is_no_motion():
    frames, _ = moving_square(4)
    background = frames[:, :, :64]  # without the square
    prediction = small("motion-baseline")(background, "it")
    assert prediction.masks().mean() < 0.02


def test_a_cut_makes_no_motion():
    frames, masks = moving_square(4)
    other = np.broadcast_to(texture(96, 128, 7), (3, 96, 128, 3))
    found = small("motion-baseline")(np.concatenate((frames, other)), "it").masks()
    assert min(iou(one, truth) for one, truth in zip(found[:4], masks, strict=True)) > 0.6
    assert not found[4:].any()


@pytest.mark.parametrize("name", NAMES)
def test_colours_are_forgotten_at_a_cut(name):
    """What moves after the cut has the colours of what rested before it."""
    frames, masks = moving_square(5)
    red, blue = np.array((1.0, 0.2, 0.2)), np.array((0.2, 0.2, 1.0))
    first = (frames * np.where(masks[..., None], red, blue)).astype(np.uint8)
    second = (frames * np.where(masks[..., None], blue, red)).astype(np.uint8)[:, ::-1, ::-1]
    second = np.ascontiguousarray(second)
    together = small(name)(np.concatenate((first, second)), "it").masks()
    np.testing.assert_array_equal(together[:5], small(name)(first, "it").masks())
    np.testing.assert_array_equal(together[5:], small(name)(second, "it").masks())
    truth = masks[:, ::-1, ::-1]
    assert min(iou(one, wanted) for one, wanted in zip(together[5:], truth, strict=True)) > 0.6


@pytest.mark.parametrize("name", NAMES)
def test_streams_and_sessions_give_the_masks_of_a_call(tmp_path: Path, name):
    frames, _ = moving_square(6)
    segmenter = small(name)
    whole = segmenter(frames, ["one", "two"])
    streamed = list(segmenter.stream(iter(frames), ["one", "two"]))
    session = segmenter.session(["one", "two"])
    shown = [Frame(index, index / 25, f"{index:05d}", image) for index, image in enumerate(frames)]
    results = [result for frame in shown[:3] for result in session.push(frame)]
    assert len(results) == 2  # one frame of latency
    torch.save(session.state(), tmp_path / "state.pt")
    resumed = segmenter.session(["one", "two"])
    resumed.load_state(torch.load(tmp_path / "state.pt", weights_only=True))
    results += [result for frame in shown[3:] for result in resumed.push(frame)]
    results += resumed.finish()
    for index, (one, other) in enumerate(zip(streamed, results, strict=True)):
        assert one.frame.index == other.frame.index == index
        np.testing.assert_array_equal(one.masks[0], whole.masks(0)[index])
        np.testing.assert_array_equal(other.masks[0], whole.masks(0)[index])


def test_results_say_that_the_sentence_is_ignored(caplog: pytest.LogCaptureFixture):
    with caplog.at_level(logging.WARNING):
        segmenter = deixis.Segmenter("motion-baseline")
    assert "ignored" in caplog.text
    frames, _ = moving_square(2)
    information = segmenter(frames, "it").information
    assert information["note"] == "the sentences are ignored: whatever moves is masked"
    assert information["flow"] == Dis("medium").describe()


def test_another_estimator_may_take_the_place():
    class Still:
        num_calls = 0

        def describe(self):
            return {"method": "still"}

        def __call__(self, first, second):
            Still.num_calls += 1
            return np.zeros((*first.shape[:2], 2), np.float32)

    frames, _ = moving_square(3)
    prediction = deixis.Segmenter("motion-baseline", flow=Still())(frames, "it")
    assert Still.num_calls == 4
    assert prediction.information["flow"] == {"method": "still"}
    assert not prediction.masks().any()
    with pytest.raises(ValueError, match="no optical flow"):
        deixis.Segmenter("mttr-tiny-synthetic", flow=Dis())


def test_errors_in_the_worker_come_out():
    class Broken:
        def describe(self):
            return {"method": "broken"}

        def __call__(self, first, second):
            raise RuntimeError("no flow today")

    frames, _ = moving_square(3)
    with pytest.raises(RuntimeError, match="no flow today"):
        deixis.Segmenter("motion-baseline", flow=Broken())(frames, "it")


def test_there_is_nothing_to_load_or_train(tmp_path: Path):
    with pytest.raises(CheckpointError, match="no weights"):
        load("motion-baseline", tmp_path / "weights.pth")
    model = load("motion-baseline-cut")
    with pytest.raises(TrainingError, match="no weights to train"):
        model.criterion(None, [])
    assert load(save(model, tmp_path / "model")).config == model.config


def test_settings_are_checked():
    with pytest.raises(ValueError, match="needs has_colour"):
        MotionBaselineConfig(has_cut=True)
    with pytest.raises(ValueError, match="memory"):
        MotionBaselineConfig(memory=2.0)


def test_seeds_are_where_both_directions_move():
    vectors = np.zeros((4, 240, 320), np.float32)
    vectors[0, 60:120, 60:140] = 5  # forward
    vectors[2, 80:140, 60:140] = -5  # backward
    seed = seed_logits(vectors) > 0
    expected = np.zeros_like(seed)
    expected[80:120, 60:140] = True
    np.testing.assert_array_equal(seed, expected)
    assert (seed_logits(0.05 * vectors) == -4).all()


def test_otsu_is_between_two_classes():
    values = np.concatenate((np.linspace(0, 0.2, 300), np.linspace(0.7, 0.9, 50)))[None]
    assert 0.2 <= otsu(values.astype(np.float32)) < 0.7


def coloured() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A red object on green ground, its mask, and a seed with a hole, a rim and a missing end."""
    rng = np.random.default_rng(0)
    image = np.empty((96, 128, 3), np.uint8)
    image[:] = (40, 150, 60)
    mask = np.zeros((96, 128), bool)
    mask[30:70, 40:90] = True
    image[mask] = (190, 40, 40)
    image = (image + rng.integers(-12, 13, image.shape)).astype(np.uint8)
    seed = np.full((96, 128), -4, np.float32)
    seed[30:70, 34:84] = 3
    seed[44:54, 50:70] = -4
    return image, mask, seed


def test_colours_complete_the_object_and_cut_the_rim():
    image, mask, seed = coloured()
    logits, learned = add_colours(seed, image, empty_histograms(), 0.95)
    assert iou(seed > 0, mask) < 0.75
    assert iou(logits > 0, mask) > 0.9
    moves, rests = learned[0]
    assert moves.argmax() != rests.argmax()


def test_colours_are_remembered_and_forgotten():
    image, mask, seed = coloured()
    _, learned = add_colours(seed, image, empty_histograms(), 0.95)
    weak = np.where(mask, 0.3, seed).astype(np.float32)  # too weak to teach anything by itself
    weak[:, 80:] = np.where(mask, -0.3, -4)[:, 80:]
    known, _ = add_colours(weak, image, learned, 0.95)
    forgotten, _ = add_colours(weak, image, learned, 0.0)
    assert iou(known > 0, mask) > 0.9 > iou(forgotten > 0, mask)


def test_the_edge_is_the_same_each_time_and_one_sided_frames_stay():
    image, mask, seed = coloured()
    logits, _ = add_colours(seed, image, empty_histograms(), 0.95)
    first, second = place_edge(logits, image), place_edge(logits, image)
    np.testing.assert_array_equal(first, second)
    assert iou(first, mask) > 0.95
    for level in (-4, 4):
        flat = np.full(mask.shape, level, np.float32)
        np.testing.assert_array_equal(place_edge(flat, image), flat > 0)
    assert place_edge(logits, np.zeros_like(image)).shape == mask.shape
