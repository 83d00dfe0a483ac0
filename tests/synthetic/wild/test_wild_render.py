from dataclasses import replace

import numpy as np
import pytest

from deixis.ops.lexicon import CATEGORIES
from deixis.synthetic.wild.camera import Camera
from deixis.synthetic.wild.render import render_wild
from deixis.synthetic.wild.scene import WildSettings, draw_wild

SMALL = WildSettings(size=(96, 160), length=5)


@pytest.mark.parametrize("seed", range(4))
def test_the_same_seed_gives_the_same_bytes(seed):
    first = render_wild(draw_wild(seed, SMALL))
    second = render_wild(draw_wild(seed, SMALL))
    assert np.array_equal(first.frames, second.frames)
    assert np.array_equal(first.labels, second.labels)


def test_a_frame_does_not_depend_on_the_others():
    scene = draw_wild(5, SMALL)
    whole, one = render_wild(scene), render_wild(scene, [3])
    assert np.array_equal(whole.frames[3], one.frames[0])
    assert np.array_equal(whole.labels[3], one.labels[0])


def test_labels_are_ids_of_objects_and_categories_are_of_the_lexicon():
    seen = set()
    for seed in range(30):
        scene = draw_wild(seed, SMALL)
        assert [item.id for item in scene.objects] == list(range(1, len(scene.objects) + 1))
        assert all(item.category in CATEGORIES for item in scene.objects)
        clip = render_wild(scene, [2])
        assert clip.frames.shape == (1, 96, 160, 3)
        assert set(np.unique(clip.labels)) <= {0, *(item.id for item in scene.objects)}
        seen |= {item.category for item in scene.objects}
    assert len(seen) >= 7


def test_what_is_still_stays_where_the_camera_is_still():
    compared = 0
    for seed in range(20):
        scene = draw_wild(seed, SMALL)
        still = tuple(actor for actor in scene.actors if actor.path.is_still)
        compared += sum(bool(actor.ids) for actor in still)
        labels = render_wild(replace(scene, actors=still, camera=Camera()), [0, 4]).labels
        assert np.array_equal(labels[0], labels[1])
    assert compared > 5


def test_an_index_beyond_the_clip_is_refused():
    with pytest.raises(IndexError, match="there is no frame 5"):
        render_wild(draw_wild(0, SMALL), [5])
