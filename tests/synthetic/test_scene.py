import hashlib
import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest

from deixis.synthetic.attributes import COLOURS, SIZES, TEXTURES
from deixis.synthetic.benchmark import HELD_OUT_PAIRS, NUM_CLIPS, records
from deixis.synthetic.render import render
from deixis.synthetic.sampling import sample_scene
from deixis.synthetic.scene import SceneSettings
from deixis.synthetic.shapes import SHAPES

DIGEST = """
import hashlib
from deixis.synthetic.benchmark import records
record = records("val")[7]
pixels = record.frames.read(range(16)).tobytes() + record.masks.read(range(16), record.object_ids).tobytes()
print(hashlib.sha256(pixels + repr(record.expressions).encode()).hexdigest())
"""


def scenes(split: str, count: int):
    part = records(split, count)
    return [sample_scene(part.first_seed + index, part.settings) for index in range(count)]


def test_a_seed_gives_the_same_bytes_in_every_process():
    digests = {
        subprocess.run([sys.executable, "-c", DIGEST], capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    }
    record = records("val")[7]
    pixels = (
        record.frames.read(range(16)).tobytes() + record.masks.read(range(16), record.object_ids).tobytes()
    )
    digests.add(hashlib.sha256(pixels + repr(record.expressions).encode()).hexdigest() + "\n")
    assert len(digests) == 1


def test_seeds_differ():
    first, second = (render(sample_scene(seed)).frames for seed in (1, 2))
    assert (first != second).any()


def test_the_world_is_as_rich_as_promised():
    assert len(SHAPES) >= 8 and len(COLOURS) == 10 and len(SIZES) == 3 and len(TEXTURES) == 5
    assert sum(shape.is_articulated for shape in SHAPES.values()) >= 4
    seen = {"shape": set(), "colour": set(), "size": set(), "texture": set()}
    for scene in scenes("train", 150):
        for spec in scene.objects:
            for name, values in seen.items():
                values.add(getattr(spec, name))
    assert [len(values) for values in seen.values()] == [len(SHAPES), len(COLOURS), len(SIZES), len(TEXTURES)]


def test_scenes_have_distractors_that_differ_in_one_attribute():
    names = ("shape", "colour", "size", "texture")
    differences = []
    for scene in scenes("train", 60):
        objects = scene.objects
        pairs = [(a, b) for index, a in enumerate(objects) for b in objects[:index]]
        differences.append(min(sum(getattr(a, n) != getattr(b, n) for n in names) for a, b in pairs))
    assert sum(difference == 1 for difference in differences) > 15


def test_depths_and_ids_are_distinct():
    for scene in scenes("train", 40):
        assert [spec.id for spec in scene.objects] == list(range(1, len(scene.objects) + 1))
        assert sorted(spec.depth for spec in scene.objects) == list(range(len(scene.objects)))


def test_splits_have_disjoint_seeds():
    parts = [records(split) for split in NUM_CLIPS]
    spans = sorted((part.first_seed, part.first_seed + len(part)) for part in parts)
    assert all(end <= start for (_, end), (start, _) in pairwise(spans))
    assert len(records("val")) == len(records("test")) == 200


def test_held_out_pairs_are_in_test_only():
    def pairs(split, count):
        return [(spec.colour, spec.shape) for scene in scenes(split, count) for spec in scene.objects]

    train, val, test = pairs("train", 400), pairs("val", 200), pairs("test", 200)
    assert not set(HELD_OUT_PAIRS) & set(train + val)
    assert {colour for colour, _ in HELD_OUT_PAIRS} <= {colour for colour, _ in train}
    assert {shape for _, shape in HELD_OUT_PAIRS} <= {shape for _, shape in train}
    share = sum(pair in HELD_OUT_PAIRS for pair in test) / len(test)
    assert 0.2 < share < 0.6
    assert set(HELD_OUT_PAIRS) <= set(test)


def test_records_are_a_lazy_sequence():
    part = records("test")
    assert part[-1].name == part[199].name and part[3:5][1].name == part[4].name
    assert len(part[190:]) == 10 and len(list(part[:2])) == 2
    with pytest.raises(IndexError, match="there is no clip 200"):
        part[200]
    with pytest.raises(ValueError, match="steps of 1"):
        part[::2]
    with pytest.raises(ValueError, match="none of train, val, test"):
        records("valid")
    with pytest.raises(ValueError, match="201 were asked for"):
        records("test", 201)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"size": (8, 32)}, "too small"),
        ({"length": 0}, "too few"),
        ({"min_objects": 5}, "no range"),
        ({"still_share": 1.5}, "share in"),
        ({"extra_share": 0.5}, "extra_pairs"),
    ],
)
def test_impossible_settings_are_refused(fields, message):
    with pytest.raises(ValueError, match=message):
        SceneSettings(**fields)


@pytest.mark.parametrize("size", [(64, 64), (97, 61), (192, 320)])
@pytest.mark.parametrize("length", [1, 2, 9, 70])
def test_any_size_and_length(size, length):
    settings = SceneSettings(size=size, length=length, max_objects=6)
    clip = render(sample_scene(5, settings), range(max(length - 3, 0), length))
    assert clip.frames.shape == (min(length, 3), *size, 3)
    assert np.isfinite(clip.flow).all()
