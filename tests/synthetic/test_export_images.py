"""Export into layouts of images, JHMDB-Sentences and one's own data, parsed again: same texts, ids, masks."""

from dataclasses import replace

import numpy as np
import pytest

from deixis.data.catalog import find_dataset, load_records
from deixis.data.check import check_split
from deixis.errors import SinkError, UnknownNameError
from deixis.synthetic.benchmark import SceneRecords
from deixis.synthetic.export.stills import STILL_KINDS, stills
from deixis.synthetic.scene import SceneSettings
from deixis.synthetic.shapes import SHAPES
from deixis.synthetic.write import LAYOUTS, export

SETTINGS = SceneSettings(size=(48, 64), length=5)
REFCOCO = ("refcoco", "refcoco+", "refcocog", "refcocog-google")
SPLITS = [
    (layout, split)
    for layout in (*REFCOCO, "visual-genome", "coco", "jhmdb-sentences", "folder")
    for split in LAYOUTS[layout].splits
]


@pytest.fixture(scope="module")
def clips():
    return list(SceneRecords("train", SETTINGS, 40, 3))


@pytest.fixture(scope="module")
def spoken(clips):
    """Stills with expressions."""
    found = [still for still in stills(clips) if still.expressions]
    assert len(found) > 1
    return found


def read_back(clips, layout, split, root):
    """Export, check thoroughly, parse; a second export of the split is refused."""
    export(clips, root, layout, split, image="png")
    found = load_records(layout, root, split)
    findings = check_split(find_dataset(layout), root, split, found, compare_counts=False, is_thorough=True)
    assert [str(one) for one in findings if not one.is_known] == []
    with pytest.raises(SinkError, match="already"):
        export(clips, root, layout, split)
    return found


@pytest.mark.parametrize(("layout", "split"), [one for one in SPLITS if one[0] in REFCOCO])
def test_refcoco(clips, spoken, layout, split, tmp_path):
    found = read_back(clips, layout, split, tmp_path)
    assert len(found) == len(spoken)
    number = 0
    for image, (still, record) in enumerate(zip(spoken, found, strict=True), start=1):
        identities = [one % 1000 for one in record.object_ids]
        assert [one // 1000 for one in record.object_ids] == [image] * len(identities)
        assert identities == sorted({one.object_ids[0] for one in still.expressions})
        said = sorted((one.object_ids[0] % 1000, one.text) for one in record.expressions)
        assert said == sorted((one.object_ids[0], one.text) for one in still.expressions)
        assert [int(one.id) for one in record.expressions] == [*range(number, number + len(said))]
        number += len(said)
        np.testing.assert_array_equal(record.frames.read([0])[0], still.picture)
        places = [still.object_ids.index(identity) for identity in identities]
        np.testing.assert_array_equal(record.masks.read([0], record.object_ids)[:, 0], still.masks[places])


def test_the_splits_of_refcoco_share_their_files(clips, tmp_path):
    for split, clip in zip(("train", "testA"), clips, strict=False):
        export([clip], tmp_path, "refcoco", split)
    train, test = (load_records("refcoco", tmp_path, split)[0] for split in ("train", "testA"))
    assert (train.name[-1], test.name[-1]) == ("1", "2")
    assert not {one.id for one in train.expressions} & {one.id for one in test.expressions}
    assert test.masks.read([0], test.object_ids).any(axis=(1, 2, 3)).all()
    with pytest.raises(UnknownNameError, match="split of refcoco"):
        export(clips, tmp_path, "refcoco", "test")


def test_visual_genome(clips, tmp_path):
    found = read_back(clips, "visual-genome", "train", tmp_path)
    assert len(found) == len(clips)
    for still, record in zip(stills(clips), found, strict=True):
        assert [one.text for one in record.expressions] == [one.text for one in still.expressions]
        for expression, told in zip(still.expressions, record.objects, strict=True):
            mask = still.masks[still.object_ids.index(expression.object_ids[0])]
            x, y, width, height = map(int, told.box)
            assert mask[y : y + height, x : x + width].sum() == mask.sum()
            assert mask[y].any() and mask[y + height - 1].any()
            assert mask[:, x].any() and mask[:, x + width - 1].any()


@pytest.mark.parametrize("split", ["train", "val"])
def test_coco(clips, split, tmp_path):
    found = read_back(clips, "coco", split, tmp_path)
    for still, record in zip(stills(clips), found, strict=True):
        np.testing.assert_array_equal(record.frames.read([0])[0], still.picture)
        np.testing.assert_array_equal(record.masks.read([0], record.object_ids)[:, 0], still.masks)
        named = {one.id: one.category for one in record.objects}
        assert {i for one in record.expressions for i in one.object_ids} == set(record.object_ids)
        for one in record.expressions:
            assert {named[identity] for identity in one.object_ids} == {one.text} <= set(SHAPES)
    numbers = [identity for record in found for identity in record.object_ids]
    assert numbers == [*range(1, len(numbers) + 1)]


def test_jhmdb_sentences(clips, tmp_path):
    found = read_back(clips, "jhmdb-sentences", "test", tmp_path)
    assert [record.name for record in found] == [clip.name for clip in clips]
    every = range(SETTINGS.length)
    for clip, record in zip(clips, found, strict=True):
        expected = next(one for one in clip.expressions if len(one.object_ids) == 1)
        assert [one.text for one in record.expressions] == [expected.text]
        assert record.frame_names == tuple(f"{index + 1:05d}" for index in every)
        np.testing.assert_array_equal(record.frames.read(every), clip.frames.read(every))
        truth = clip.masks.read(every, expected.object_ids)
        np.testing.assert_array_equal(record.masks.read(every, [1]), truth)


@pytest.mark.parametrize("split", ["train", "val", "test"])
def test_folder(clips, split, tmp_path):
    found = read_back(clips, "folder", split, tmp_path)
    every = range(SETTINGS.length)
    for clip, record in zip(clips, found, strict=True):
        for field in ("name", "frame_names", "expressions", "object_ids", "size", "attributes"):
            assert getattr(record, field) == getattr(clip, field)
        np.testing.assert_array_equal(record.frames.read(every), clip.frames.read(every))
        truth = clip.masks.read(every, clip.object_ids)
        np.testing.assert_array_equal(record.masks.read(every, clip.object_ids), truth)
    other = "val" if split == "train" else "train"
    with pytest.raises(SinkError, match=f"has a video {clips[0].name} already"):
        export(clips, tmp_path, "folder", other)
    export([replace(clips[0], name="other")], tmp_path, "folder", other)
    assert [len(load_records("folder", tmp_path, one)) for one in (split, other)] == [len(clips), 1]


def test_a_still_shows_most_and_says_what_it_shows(clips):
    for clip, still in zip(clips, stills(clips), strict=True):
        visible = clip.masks.read(range(SETTINGS.length), clip.object_ids).any(axis=(2, 3)).sum(axis=0)
        assert len(still.object_ids) == visible.max() == len(still.masks)
        for expression in still.expressions:
            assert expression.object_ids[0] in still.object_ids and set(expression.kinds) <= STILL_KINDS


def test_every_data_set_can_be_exported():
    from deixis.data.catalog import DATASETS

    assert set(LAYOUTS) == set(DATASETS)
    for name, layout in LAYOUTS.items():
        assert set(layout.splits) <= set(DATASETS[name].splits)


@pytest.mark.parametrize("split", ["train", "val", "test"])
def test_fss_1000(clips, split, tmp_path):
    found = read_back(clips, "fss-1000", split, tmp_path)
    expected = {}
    for clip in clips:
        masks = clip.masks.read(range(SETTINGS.length), clip.object_ids)  # n t H W
        for number, track in zip(clip.object_ids, masks, strict=True):
            seen = np.flatnonzero(track.any(axis=(1, 2)))
            if len(seen) > 1:
                expected[f"{clip.name}_{number}"] = clip.frames.read(seen), track[seen]
    assert [record.name for record in found] == list(expected)
    for record in found:
        frames, masks = expected[record.name]
        every = range(len(record.frame_names))
        assert record.frame_names == tuple(f"{index + 1}" for index in every)
        np.testing.assert_array_equal(record.masks.read(every, (1,))[0], masks)
        assert np.abs(record.frames.read(every).astype(int) - frames).mean() < 4
