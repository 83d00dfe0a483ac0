from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import map_coordinates

from deixis.synthetic.render import render
from deixis.synthetic.sampling import sample_scene
from deixis.synthetic.scene import Background, Camera, ObjectSpec, Path, Scene, SceneSettings
from deixis.synthetic.shapes import SHAPES
from deixis.synthetic.world import scene_record

SEEDS = range(12)


def clean(scene: Scene) -> Scene:
    """The scene without noise and flicker."""
    return replace(scene, noise=0.0, flicker=(0.0, 0.0))


def one_object(
    shape: str, points, *, size=(96, 128), length=8, texture="striped", camera=None, **fields
) -> Scene:
    settings = SceneSettings(size=size, length=length)
    times = tuple(np.linspace(0, length - 1, len(points)))
    spec = ObjectSpec(1, shape, "blue", "large", texture, 24.0, Path(times, tuple(points)), 0, **fields)
    return Scene(
        0, settings, (spec,), camera or Camera(length=length), Background("clouds", 3, ((90.0,) * 3,) * 3)
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_masks_are_disjoint_and_within_amodal_masks(seed):
    clip = render(sample_scene(seed))
    assert clip.masks.sum(axis=0).max() <= 1
    assert not (clip.masks & ~clip.amodal_masks).any()
    assert (clip.masks.any(axis=0) == clip.amodal_masks.any(axis=0)).all()


@pytest.mark.parametrize("seed", SEEDS)
def test_the_nearest_object_is_seen(seed):
    clip = render(sample_scene(seed))
    nearest = sorted(range(len(clip.scene.objects)), key=lambda index: -clip.scene.objects[index].depth)
    free = np.ones(clip.masks.shape[1:], bool)
    for index in nearest:
        assert (clip.masks[index] == (clip.amodal_masks[index] & free)).all()
        free &= ~clip.amodal_masks[index]


@pytest.mark.parametrize("seed", SEEDS)
def test_boxes_and_visibility_follow_from_masks(seed):
    clip = render(sample_scene(seed))
    for index, track in enumerate(clip.masks):
        for time, mask in enumerate(track):
            rows, columns = np.nonzero(mask)
            box = (
                (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1) if len(rows) else (0, 0, 0, 0)
            )
            assert tuple(clip.boxes[index, time]) == box
            assert clip.visibility[index, time] == pytest.approx(
                mask.sum() / max(clip.whole_areas[index, time], 1)
            )
    assert clip.visibility.max() <= 1


def test_an_object_half_outside_is_half_visible():
    clip = render(one_object("square", [(0.0, 48.0)]))
    assert clip.visibility[0, 0] == pytest.approx(0.5, abs=0.02)


def test_a_part_of_a_clip_is_the_same_as_the_whole():
    scene = sample_scene(4)
    whole, part = render(scene), render(scene, [3, 9])
    assert (part.frames == whole.frames[[3, 9]]).all()
    assert (part.masks == whole.masks[:, [3, 9]]).all()
    assert np.allclose(part.flow, whole.flow[[3, 9]], atol=1e-4)
    with pytest.raises(IndexError, match="no frame 16"):
        render(scene, [16])


def test_flow_of_a_translation_is_its_velocity():
    clip = render(one_object("circle", [(40.0, 40.0), (75.0, 54.0)]))
    inside = clip.masks[0, 5]
    assert np.allclose(clip.flow[5, 0][inside], -5, atol=1e-3)
    assert np.allclose(clip.flow[5, 1][inside], -2, atol=1e-3)
    assert np.allclose(clip.flow[5][:, ~inside], 0, atol=1e-4)
    assert not clip.flow[0].any()


def test_flow_of_a_zoom_points_to_the_middle():
    camera = Camera(pan=(0.0, 0.0), zoom=(1.0, 1.3), length=8)
    clip = render(one_object("circle", [(-90.0, 48.0)], camera=camera))
    step = 1.3 ** (1 / 7)
    x = np.arange(128) + 0.5 - 64
    assert np.allclose(clip.flow[3, 0], np.broadcast_to(x / step - x, (96, 128)), atol=1e-3)


def test_flow_of_a_pan_is_that_of_the_background():
    clip = render(one_object("circle", [(64.0, 48.0)], camera=Camera(pan=(14.0, -7.0), length=8)))
    assert np.allclose(clip.flow[2, 0], 2, atol=1e-3) and np.allclose(clip.flow[2, 1], -1, atol=1e-3)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("faces_left", [False, True])
def test_flow_leads_to_the_same_piece_of_the_body(shape, faces_left):
    camera = Camera(pan=(6.0, 3.0), zoom=(0.95, 1.1), length=8)
    points = [(60.0, 40.0), (76.0, 56.0)]
    scene = one_object(
        shape, points, texture="two-tone", camera=camera, faces_left=faces_left, tilt=0.2, grain=0.4
    )
    clip = render(clean(scene))
    errors, still_errors = [], []
    rows, columns = np.mgrid[0:96, 0:128].astype(float)
    for time in range(1, 8):
        places = [rows + clip.flow[time, 1], columns + clip.flow[time, 0]]
        before = map_coordinates(clip.frames[time - 1, ..., 2].astype(float), places, order=1, mode="nearest")
        arrived = map_coordinates(clip.masks[0, time - 1].astype(float), places, order=1) > 0.99
        both = clip.masks[0, time] & arrived
        now = clip.frames[time, ..., 2].astype(float)
        errors.append(np.abs(now - before)[both])
        still_errors.append(np.abs(now - clip.frames[time - 1, ..., 2])[both])
    # Limbs hide one another: a piece may have been covered a frame before. The median does not mind.
    assert np.median(np.concatenate(errors)) < 3
    assert np.concatenate(errors).mean() < 0.7 * np.concatenate(still_errors).mean()


@pytest.mark.parametrize("seed", SEEDS)
def test_flow_explains_the_frames(seed):
    clip = render(clean(sample_scene(seed, SceneSettings(size=(96, 128), length=6))))
    rows, columns = np.mgrid[0:96, 0:128].astype(float)
    owners = clip.masks.argmax(axis=0) + clip.masks.any(axis=0)
    for time in range(1, 6):
        places = [rows + clip.flow[time, 1], columns + clip.flow[time, 0]]
        inside = (places[0] > 0) & (places[0] < 95) & (places[1] > 0) & (places[1] < 127)
        came_from = map_coordinates(owners[time - 1], places, order=0, mode="nearest")
        same = inside & (came_from == owners[time])
        before = map_coordinates(clip.frames[time - 1].mean(axis=-1), places, order=1, mode="nearest")
        assert np.abs(before - clip.frames[time].mean(axis=-1))[same].mean() < 3
        assert same.mean() > 0.8


@pytest.mark.parametrize("shape", SHAPES)
def test_bodies_fill_their_square_and_limbs_swing_only_on_the_way(shape):
    resting = render(one_object(shape, [(64.0, 48.0)]))
    area = resting.masks[0, 0].sum()
    assert 0.12 * 48**2 < area < 48**2
    assert (resting.masks[0] == resting.masks[0, :1]).all()
    moving = render(
        one_object(shape, [(64.0, 20.0), (64.0, 69.0)])
    )  # seven pixels a frame, so nothing is resampled
    shifted = np.stack([np.roll(mask, -7 * time, axis=0) for time, mask in enumerate(moving.masks[0])])
    swings = (shifted[:, :60] != shifted[:1, :60]).any()
    assert swings == SHAPES[shape].is_articulated or shape == "car"


@pytest.mark.parametrize("length", [16, 120])
def test_records_read_what_is_rendered(length):
    settings = SceneSettings(size=(64, 96), length=length)
    record = scene_record(3, settings)
    clip = render(sample_scene(3, settings), [5, 2])
    assert (record.frames.read([5, 2]) == clip.frames).all()
    assert (record.masks.read([5, 2], record.object_ids[::-1]) == clip.masks[::-1]).all()
    assert np.allclose(record.frames.read_flow([5, 2]), clip.flow, atol=1e-4)
    assert record.size == (64, 96) and len(record.frame_names) == length
