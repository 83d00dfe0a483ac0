"""What models with flow make of videos that nobody would shoot for them: an answer, and no crash."""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from deixis.flow.dis import Dis
from deixis.inference.segmenter import Segmenter
from deixis.models.hinet.config import VARIANTS as HINET_VARIANTS
from deixis.models.hinet.model import Hinet
from deixis.models.motion.config import VARIANTS as MOTION_VARIANTS
from deixis.models.motion.model import MotionBaseline
from deixis.text.words import train_tokenizer
from moving_pictures import moving_square, texture

NAMES = ("motion-baseline-cut", "hinet-tiny-full")
SIZE = (96, 128)


@cache
def model_of(name: str) -> MotionBaseline | Hinet:
    """Work at the size of the test's frames; weights of HINet are random, its motion parts not zero."""
    if name in MOTION_VARIANTS:
        config = MOTION_VARIANTS[name]
        return MotionBaseline(replace(config, inputs=replace(config.inputs, short_side=96, long_side=128)))
    config = HINET_VARIANTS[name]
    inputs = replace(config.inputs, short_side=64, long_side=128)
    narrow = replace(
        config, inputs=inputs, channels=16, reduced_channels=8, motion_widths=(4, 8, 8), rates=(1, 2)
    )
    torch.manual_seed(0)
    model = Hinet(narrow, train_tokenizer(["the square moves to the left"]))
    for part in (model.get_submodule("flow_stem"), model.get_submodule("motion_gates")):
        for parameter in part.parameters():
            torch.nn.init.normal_(parameter, std=0.1)
    return model


def segment(name: str, source, expressions=("the square",)):
    prediction = Segmenter(model_of(name), device="cpu")(source, list(expressions))
    assert np.isfinite(prediction.scores).all()
    assert ((prediction.presence >= 0) & (prediction.presence <= 1)).all()
    return prediction


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("num_frames", [1, 2])
def test_one_frame_and_two(name, num_frames):
    found = segment(name, moving_square(num_frames)[0]).masks()
    assert found.shape == (num_frames, *SIZE)
    if name in MOTION_VARIANTS:
        assert found.any() == (num_frames == 2)


@pytest.mark.parametrize("name", NAMES)
def test_a_still_camera_with_noise_shows_no_motion(name):
    scene, generator = texture(*SIZE).astype(float), np.random.default_rng(0)
    frames = np.stack([scene + generator.normal(0, 2, scene.shape) for _ in range(3)]).clip(0, 255)
    found = segment(name, frames.astype(np.uint8)).masks()
    assert found.shape == (3, *SIZE)
    if name in MOTION_VARIANTS:
        assert not found.any()


@pytest.mark.parametrize("name", NAMES)
def test_scenes_do_not_look_across_the_cut_between_them(name):
    first = moving_square(3)[0]
    second = np.ascontiguousarray(moving_square(3, pan=4, step=-6)[0][:, ::-1, ::-1])
    together = segment(name, np.concatenate((first, second))).masks()
    np.testing.assert_array_equal(together[:3], segment(name, first).masks())
    np.testing.assert_array_equal(together[3:], segment(name, second).masks())


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("size", [(1, 1), (3, 40), (11, 11), (5, 300)])
def test_frames_smaller_than_flow_needs(name, size):
    frames = np.random.default_rng(0).integers(0, 256, (3, *size, 3), dtype=np.uint8)
    assert segment(name, list(frames)).masks().shape == (3, *size)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("mode", ["RGBA", "L", "LA", "I;16", "CMYK", "P", "1"])
def test_images_of_every_kind(name, mode, tmp_path: Path):
    for index, frame in enumerate(moving_square(2)[0]):
        image = Image.fromarray(frame)
        if mode == "I;16":
            image = Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257)
        ending = "tif" if mode == "CMYK" else "png"
        (image if mode == "I;16" else image.convert(mode)).save(tmp_path / f"{index}.{ending}")
    found = segment(name, tmp_path).masks()
    assert found.shape == (2, *SIZE)
    if name in MOTION_VARIANTS and mode != "1":
        assert found.any()


@pytest.mark.parametrize("name", NAMES)
def test_variable_frame_rate(name, tmp_path: Path):
    """Real times are kept, and a frame that is repeated bit by bit keeps its motion."""
    av = pytest.importorskip("av")
    from fractions import Fraction

    frames, times = moving_square(4)[0], (0, 40, 500, 540)
    with av.open(str(tmp_path / "clip.mkv"), "w") as output:
        stream = output.add_stream("ffv1", 25)
        stream.height, stream.width, stream.pix_fmt = *SIZE, "bgr0"
        stream.codec_context.time_base = Fraction(1, 1000)
        for image, time in zip(frames, times, strict=True):
            shown = av.VideoFrame.from_ndarray(image)
            shown.pts, shown.time_base = time, Fraction(1, 1000)
            output.mux(stream.encode(shown))
        output.mux(stream.encode())
    prediction = segment(name, tmp_path / "clip.mkv")
    assert [round(1000 * frame.time) for frame in prediction.frames] == list(times)
    plain = segment(name, frames).masks()
    np.testing.assert_array_equal(prediction.masks(), plain)
    repeated = segment(name, frames[[0, 1, 1, 1, 2, 3]]).masks()
    if name in MOTION_VARIANTS:
        assert all(mask.any() for mask in repeated)
    else:
        np.testing.assert_array_equal(repeated[[0, 3, 4, 5]], plain)


class Watched:
    """DIS that tells the largest frame it was given."""

    largest = (0, 0)

    def describe(self):
        return Dis().describe()

    def __call__(self, first, second):
        self.largest = max(self.largest, first.shape[:2])
        return Dis("ultrafast")(first, second)


@pytest.mark.parametrize("name", NAMES)
def test_a_large_video_is_worked_on_small_and_masked_in_full(name):
    """4K: nothing but the frame itself and its masks has its size; no more than three frames wait."""
    alive: list[int] = []

    def shown() -> Iterator[np.ndarray]:
        frames, _ = moving_square(4)
        for index, frame in enumerate(frames):
            alive.append(index)
            yield np.ascontiguousarray(frame.repeat(23, axis=0)[:2160].repeat(30, axis=1))

    watched = Watched()
    segmenter = Segmenter(model_of(name), device="cpu", flow=watched)
    for place, result in enumerate(segmenter.stream(shown(), ["the square"])):
        assert result.masks.shape == (1, 2160, 3840)
        assert alive[-1] - place <= 1
    assert place == 3
    assert 0 < min(watched.largest) <= 480


@pytest.mark.parametrize(
    "expression", ["le chien qui court à gauche", "左边跑的狗", "собака", "xyzzy plugh", "?!", "🐕"]
)
def test_words_that_no_model_knows(expression):
    frames = moving_square(2)[0]
    for name in NAMES:
        prediction = segment(name, frames, [expression, "the square"])
        assert prediction.masks(0).shape == (2, *SIZE)
    assert prediction.information["note"] == f"the model knows no word of {expression!r}"
    assert "note" not in segment("hinet-tiny-full", frames, ["a square"]).information
