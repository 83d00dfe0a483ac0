"""Export of the synthetic world into the layouts of videos, parsed again: same frames, ids, masks, texts."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from deixis.data.catalog import find_dataset, load_records
from deixis.data.check import check_split
from deixis.data.records import Expression
from deixis.errors import SinkError
from deixis.synthetic.benchmark import SceneRecords
from deixis.synthetic.scene import SceneSettings
from deixis.synthetic.write import LAYOUTS, export

SETTINGS = SceneSettings(size=(48, 64), length=6)
SPLITS = [
    (layout, split)
    for layout in (
        "ref-davis17", "youtube-vos-2018", "youtube-vos-2019", "davis16", "davis17", "davis17-unsupervised",
        "mevis", "lvos", "ovis",
    )
    for split in LAYOUTS[layout].splits
]  # fmt: skip
WITHHELD = {("mevis", "val"), ("ovis", "val"), ("ovis", "test")}
FIRST_ONLY = {
    ("youtube-vos-2018", "val"), ("youtube-vos-2018", "test"),
    ("youtube-vos-2019", "val"), ("youtube-vos-2019", "test"), ("davis17", "test"),
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Drawn:
    """Frames or masks of a clip that is drawn once."""

    pixels: np.ndarray
    object_ids: tuple[int, ...] = ()

    def read(self, indices, object_ids=None):
        if object_ids is None:
            return self.pixels[list(indices)]
        places = [self.object_ids.index(identity) for identity in object_ids]
        return self.pixels[places][:, list(indices)]


def drawn(clip, is_late=False):
    """Draw a clip; in a late one object 1 is not there before frame 2."""
    every = range(len(clip.frame_names))
    masks = clip.masks.read(every, clip.object_ids).copy()
    if is_late:
        masks[clip.object_ids.index(1), :2] = False
    return replace(clip, frames=Drawn(clip.frames.read(every)), masks=Drawn(masks, clip.object_ids))


@pytest.fixture(scope="module")
def clips():
    plain, late = SceneRecords("train", SETTINGS, 40, 2)
    absent = Expression("absent-9", "a thing that is not there", (), ("absent",))
    late = replace(late, expressions=(*late.expressions, absent))
    assert all(len(clip.object_ids) > 1 for clip in (plain, late))
    return drawn(plain), drawn(late, is_late=True)


def truth(clip):
    return clip.masks.read(range(len(clip.frame_names)), clip.object_ids)


@pytest.mark.parametrize(("layout", "split"), SPLITS)
def test_round_trip(clips, layout, split, tmp_path):
    export(clips, tmp_path, layout, split, image="png")
    found = load_records(layout, tmp_path, split)
    findings = list(
        check_split(find_dataset(layout), tmp_path, split, found, compare_counts=False, is_thorough=True)
    )
    # The only mask of this split is the first, where object 1 of the second clip is not yet there.
    expected = (
        [f"{clips[1].name}: object 1 has no pixel in any annotated frame"]
        if (layout, split) == ("davis17", "test")
        else []
    )
    assert [str(one) for one in findings if not one.is_known] == expected
    assert [one.name for one in found] == [clip.name for clip in clips]
    for clip, record in zip(clips, found, strict=True):
        every = range(len(clip.frame_names))
        np.testing.assert_array_equal(record.frames.read(every), clip.frames.read(every))
        assert (record.masks is None) == ((layout, split) in WITHHELD)
        if layout not in ("lvos", "ovis"):
            assert record.frame_names == clip.frame_names
        if record.masks is not None and (layout, split) not in FIRST_ONLY and layout != "davis16":
            assert record.annotated_frames is None
            assert len(record.object_ids) == len(clip.object_ids)
            if layout not in ("mevis", "ovis"):
                assert tuple(record.object_ids) == clip.object_ids
            np.testing.assert_array_equal(record.masks.read(every, record.object_ids), truth(clip))
    with pytest.raises(SinkError, match="there already"):
        export(clips, tmp_path, layout, split)


@pytest.mark.parametrize(("layout", "split"), sorted(FIRST_ONLY))
def test_first_masks_only(clips, layout, split, tmp_path):
    export(clips, tmp_path, layout, split, image="png")
    for clip, record in zip(clips, load_records(layout, tmp_path, split), strict=True):
        begins = {
            i: int(np.flatnonzero(m.any(axis=(1, 2)))[0])
            for i, m in zip(clip.object_ids, truth(clip), strict=True)
        }
        assert clip is not clips[1] or begins[1] == 2
        if layout == "davis17":
            assert record.annotated_frames == (0,)
            begins = {identity: index for identity, index in begins.items() if index == 0}
        else:
            assert record.annotated_frames == tuple(sorted(set(begins.values())))
        assert {one.id: one.first_frame for one in record.objects if one.first_frame is not None} == begins
        for identity, index in begins.items():
            masks = clip.masks.read([index], [identity])
            np.testing.assert_array_equal(record.masks.read([index], [identity]), masks)


def test_mevis_keeps_all_expressions(clips, tmp_path):
    export(clips, tmp_path, "mevis", "val-u")
    for clip, record in zip(clips, load_records("mevis", tmp_path, "val-u"), strict=True):
        ours = dict(zip(record.object_ids, clip.object_ids, strict=True))
        told = [(one.id, one.text, tuple(ours[i] for i in one.object_ids)) for one in record.expressions]
        assert told == [(one.id, one.text, one.object_ids) for one in clip.expressions]
        kinds = [one.kinds for one in record.expressions if not one.object_ids]
        assert kinds == [("absent",)] * sum(not one.object_ids for one in clip.expressions)
    export(clips, tmp_path, "mevis", "val")
    held_back = load_records("mevis", tmp_path, "val")[0]
    assert [(one.id, one.text, one.object_ids) for one in held_back.expressions] == [
        (one.id, one.text, ()) for one in clips[0].expressions
    ]


def test_ref_davis_has_four_expressions_an_object(clips, tmp_path):
    export(clips, tmp_path, "ref-davis17", "val")
    export([replace(clips[0], name="other")], tmp_path, "ref-davis17", "train")
    for clip, record in zip(clips, load_records("ref-davis17", tmp_path, "val"), strict=True):
        keys = [(one.object_ids[0], one.annotator) for one in record.expressions]
        assert keys == [(identity, annotator) for identity in clip.object_ids for annotator in range(4)]
        texts = {one.text: one.object_ids for one in clip.expressions}
        assert all(texts.get(one.text, one.object_ids) == one.object_ids for one in record.expressions)
    assert len(load_records("ref-davis17", tmp_path, "train")) == 1


def test_davis16_is_the_union(clips, tmp_path):
    export(clips, tmp_path, "davis16", "val")
    for clip, record in zip(clips, load_records("davis16", tmp_path, "val"), strict=True):
        np.testing.assert_array_equal(record.masks.read(range(6), (1, 2))[0], truth(clip).any(axis=0))
        assert not record.masks.read(range(6), (2,)).any()
        assert [one.annotator for one in record.expressions] == [0, 1]


def test_masks_of_2019_have_void(clips, tmp_path):
    export(clips, tmp_path, "davis17-unsupervised", "val")
    record = load_records("davis17-unsupervised", tmp_path, "val")[0]
    void = record.masks.read(range(6), (255,))[0]
    assert void[:, 0].any() and not void[:, 1:].any()


def test_lvos_long_clip_with_ranges(tmp_path):
    (clip,) = SceneRecords("train", replace(SETTINGS, size=(32, 32), length=100), 7, 1)
    clip = drawn(clip, is_late=True)
    export([clip], tmp_path, "lvos", "val")
    (record,) = load_records("lvos", tmp_path, "val")
    assert record.frame_names[:2] == ("00000001", "00000006") and len(record.frame_names) == 100
    (first, *_) = record.objects
    assert (first.id, first.first_frame, first.frames[0]) == (1, 2, 2)
    texts = {(one.text, one.object_ids) for one in clip.expressions}
    assert {(one.text, one.object_ids) for one in record.expressions} & texts
    assert all(one.id == str(one.object_ids[0]) for one in record.expressions)
