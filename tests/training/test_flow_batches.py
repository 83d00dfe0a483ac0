"""Clips of a training carry the motion that the model is shown at inference."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from deixis.data.rules import ClipRule, RandomCrop, Transforms
from deixis.errors import RecipeError
from deixis.flow.config import MotionSpec
from deixis.flow.dis import Dis
from deixis.flow.motion import resized_motion
from deixis.flow.tracker import track
from deixis.structures import Tokens
from deixis.synthetic.benchmark import records
from deixis.synthetic.write import export
from deixis.training.recipe import DataSource, Flow, Recipe
from deixis.training.sources import make_batches, make_source, open_motion, open_records

SPECS = {
    "map": MotionSpec(),
    "vectors": MotionSpec(camera="homography", directions="both", form="vectors", short_side=96),
}


def tokenize(texts):
    ids = torch.zeros(len(texts), 1, dtype=torch.int64)
    return Tokens(ids, torch.zeros_like(ids, dtype=torch.bool))


def recipe_of(**changes):
    plain = Transforms(short_side=64, long_side=96, flip=0.0)
    settings = {"clip": ClipRule(kind="random", length=2), "transforms": plain, "batch_size": 2} | changes
    data = (DataSource(name="synthetic", split="val", num_clips=2),)
    return Recipe(name="flow", model="toy", data=settings.pop("data", data), steps=1, **settings)


def first_batch(recipe, spec):
    found = open_records(recipe.data[0])
    motion = open_motion(recipe, spec)
    return found, next(make_batches([make_source(recipe, found)], recipe, tokenize, motion=motion))


def shown_at_inference(record, spec, size):
    """The motion of every frame of the video, as the tracker of a session makes it."""
    frames = record.frames.read(range(len(record.frame_names)))
    items = ((frame, index) for index, frame in enumerate(frames))
    return frames, np.stack([motion for _, motion in track(items, size, spec, Dis())])


@pytest.mark.parametrize("form", SPECS)
def test_a_clip_that_is_not_changed_has_the_motion_of_inference(form):
    spec = SPECS[form]
    recipe = recipe_of(transforms=Transforms(short_side=128, long_side=192, flip=0.0))
    found, batch = first_batch(recipe, spec)
    clip = batch.normalised((0, 0, 0), (1, 1, 1)).clip
    assert clip.flow is not None
    assert clip.flow.shape == (2, 2, spec.num_channels, 128, 192)
    for index in range(2):
        matched = 0
        for record in found:
            frames, motion = shown_at_inference(record, spec, (128, 192))
            for place in range(len(frames) - 1):
                if np.array_equal(frames[place : place + 2], batch.frames[index].numpy()):
                    np.testing.assert_array_equal(clip.flow[index].numpy(), motion[place : place + 2])
                    matched += 1
        assert matched == 1


@pytest.mark.parametrize("form", SPECS)
def test_motion_goes_with_size_and_mirror_and_not_with_colours(form):
    spec, plain = SPECS[form], recipe_of()
    small = first_batch(plain, spec)[1].flow
    whole = first_batch(recipe_of(transforms=replace(plain.transforms, short_side=128, long_side=192)), spec)
    frames = [record.frames.read([0])[0] for record in whole[0]]
    assert {frame.shape for frame in frames} == {(128, 192, 3)}
    assert small.shape[-2:] == (64, 96)
    if spec.short_side >= 128:
        np.testing.assert_array_equal(small, resized_motion(whole[1].flow.numpy(), (64, 96)))
    jittered = first_batch(recipe_of(transforms=replace(plain.transforms, colour_jitter=0.3)), spec)[1]
    assert torch.equal(jittered.flow, small)
    mirrored = first_batch(recipe_of(transforms=replace(plain.transforms, flip=1.0)), spec)[1].flow.flip(-1)
    if form == "vectors":
        mirrored[:, :, 0::2] *= -1
    torch.testing.assert_close(mirrored, small, rtol=1e-5, atol=1e-5)


def test_motion_is_cut_from_the_places_of_the_frames():
    spec = SPECS["map"]
    recipe = recipe_of(
        transforms=Transforms(short_side=128, long_side=192, flip=0.0, square=64),
        clip=ClipRule(kind="random", length=1),
    )
    found, batch = first_batch(recipe, spec)
    places = 0
    for index in range(2):
        for record in found:
            frames, motion = shown_at_inference(record, spec, (128, 192))
            windows = np.lib.stride_tricks.sliding_window_view(frames, (64, 64), axis=(1, 2))
            crop_pixels = batch.frames[index, 0].numpy().transpose(2, 0, 1)
            corner = (windows[..., 0, 0] == crop_pixels[:, 0, 0]).all(axis=-1)
            for time, top, left in np.argwhere(corner):
                if np.array_equal(windows[time, top, left], crop_pixels):
                    cut = motion[time, :, top : top + 64, left : left + 64]
                    np.testing.assert_array_equal(batch.flow[index, 0].numpy(), cut)
                    places += 1
    assert places == 2


def test_crops_of_their_own_cut_each_frame_with_its_motion():
    crop = RandomCrop(probability=1.0, before=(), smallest=40, largest=60, per_frame=True)
    transforms = Transforms(short_side=64, long_side=200, flip=0.0, crop=crop)
    batch = first_batch(recipe_of(transforms=transforms), SPECS["vectors"])[1]
    assert batch.flow.shape == (2, 2, 4, *batch.frames.shape[2:4])
    assert batch.flow.any(dim=2).flatten(2).any(dim=2).all()
    assert not batch.flow.permute(0, 1, 3, 4, 2)[batch.padding_mask].any()


def test_data_on_disk_is_read_with_its_neighbours_and_flow_is_kept(tmp_path):
    export(records("val", 2), tmp_path / "davis", "davis16", "train")
    source = DataSource(name="davis16", root=str(tmp_path / "davis"))
    recipe = recipe_of(data=(source,), clip=ClipRule(kind="each-frame", length=1, objects="referred"))
    spec = SPECS["map"]
    fresh = first_batch(recipe, spec)[1].flow
    kept = replace(recipe, flow=Flow(cache=str(tmp_path / "cache")))
    for _ in range(2):
        flow = first_batch(kept, spec)[1].flow
        torch.testing.assert_close(flow, fresh, rtol=0, atol=0.05)
    assert len(list((tmp_path / "cache").rglob("*.png"))) == 2
    workers = replace(recipe, num_workers=1)
    assert torch.equal(first_batch(workers, spec)[1].flow, fresh)


def test_padding_has_no_motion():
    recipe = recipe_of(pad_multiple=128)
    batch = first_batch(recipe, SPECS["map"])[1]
    assert batch.flow.shape[-2:] == (128, 128)
    assert batch.flow[..., :64, :96].any()
    assert not batch.flow[..., 64:, :].any()
    assert not batch.flow[..., 96:].any()


def test_models_without_flow_get_none():
    assert first_batch(recipe_of(), None)[1].flow is None


@pytest.mark.parametrize(
    ("changes", "spec", "message"),
    [
        ({"flow": Flow(cache="there")}, None, "settings for flow, but toy does not look at it"),
        ({"flow": Flow(estimator="raft-large")}, SPECS["map"], "flow: .*weights"),
        ({"flow": Flow(weights="x.pth")}, SPECS["map"], "flow: dis-medium has no weights"),
        (
            {
                "clip": ClipRule(kind="image", length=2),
                "transforms": Transforms(pseudo_video=True),
            },
            SPECS["map"],
            "still images do not have; set transforms.pseudo_video",
        ),
    ],
)
def test_settings_that_cannot_be_are_refused(changes, spec, message):
    with pytest.raises(RecipeError, match=message):
        open_motion(recipe_of(**changes), spec)


def test_unknown_estimators_are_refused():
    with pytest.raises(RecipeError, match=r"unknown flow\.estimator 'dis'; did you mean"):
        Flow(estimator="dis")
