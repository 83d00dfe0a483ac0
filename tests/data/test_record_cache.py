import json
from dataclasses import replace

import numpy as np
import pytest

from deixis.data import cache
from deixis.data.cache import cached_records
from deixis.errors import DatasetError
from training.toy_world import toy_records


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch):
    monkeypatch.setattr(cache, "CHUNK", 4)


def test_cached_records_equal_the_rendered_ones(tmp_path):
    rendered = toy_records(10)
    seen = []
    cached = cached_records(
        rendered, tmp_path, name="toy", num_workers=1, report=lambda ready, total: seen.append((ready, total))
    )
    assert seen == [(4, 10), (8, 10), (10, 10)]
    assert len(cached) == len(rendered)
    for ours, theirs in zip(cached, rendered, strict=True):
        assert ours.name == theirs.name
        assert ours.expressions == theirs.expressions
        assert (ours.object_ids, ours.size, ours.frame_names) == (
            theirs.object_ids,
            theirs.size,
            theirs.frame_names,
        )
        indices = [5, 0, 0, 3]
        np.testing.assert_array_equal(ours.frames.read(indices), theirs.frames.read(indices))
        ids = ours.object_ids[::-1]
        np.testing.assert_array_equal(ours.masks.read(indices, ids), theirs.masks.read(indices, ids))


def test_a_cache_is_read_again_grown_and_mended_chunk_by_chunk(tmp_path):
    rendered = toy_records(10)
    first = cached_records(rendered[:6], tmp_path, name="toy", num_workers=1)
    made = {path.name: path.stat().st_mtime_ns for path in first.home.iterdir()}
    assert sorted(made) == sorted(
        f"{chunk:05d}.{ending}" for chunk in (0, 1) for ending in ("frames.npy", "json", "labels.npy")
    )
    assert len(cached_records(rendered[:3], tmp_path, name="toy", num_workers=1)) == 3
    (first.home / "00001.json").unlink()  # as if the building had been killed
    grown = cached_records(rendered, tmp_path, name="toy", num_workers=1)
    assert grown.home == first.home
    assert len(grown) == 10
    now = {path.name: path.stat().st_mtime_ns for path in first.home.iterdir()}
    assert now["00000.frames.npy"] == made["00000.frames.npy"]
    assert now["00001.frames.npy"] != made["00001.frames.npy"]
    np.testing.assert_array_equal(grown[9].frames.read([2]), rendered[9].frames.read([2]))


def test_other_settings_or_another_look_make_another_cache(tmp_path):
    rendered = toy_records(2)
    homes = {
        cached_records(rendered, tmp_path, name="toy", settings=settings, num_workers=1).home
        for settings in ("a", "b")
    }
    other = [replace(record, expressions=record.expressions[:1]) for record in rendered]
    homes.add(cached_records(other, tmp_path, name="toy", settings="a", num_workers=1).home)
    assert len(homes) == 3


def test_several_processes_render_the_same_cache(tmp_path):
    rendered = toy_records(130)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cache, "CHUNK", 64)  # the one that the other processes know
        cached = cached_records(rendered, tmp_path, name="toy", num_workers=2)
        assert len(cached) == 130
        for index in (0, 63, 64, 129):
            np.testing.assert_array_equal(cached[index].frames.read([1]), rendered[index].frames.read([1]))


def test_overlapping_masks_and_several_sizes_are_refused(tmp_path):
    class Overlapping:
        def read(self, indices, object_ids):
            return np.ones((len(object_ids), len(indices), 16, 24), bool)

    record = replace(toy_records(1)[0], masks=Overlapping())
    with pytest.raises(DatasetError, match="overlap"):
        cached_records([record], tmp_path, name="toy", num_workers=1)
    mixed = [*toy_records(1, num_frames=6), *toy_records(1, num_frames=5)]
    with pytest.raises(DatasetError, match="one length and size"):
        cached_records(mixed, tmp_path, name="toy2", num_workers=1)
    assert not list(tmp_path.rglob("*.json"))


def test_the_index_of_a_chunk_is_plain_json(tmp_path):
    cached = cached_records(toy_records(1), tmp_path, name="toy", num_workers=1)
    (clip,) = json.loads((cached.home / "00000.json").read_text())
    assert clip["expressions"][0]["text"].startswith("the ")
