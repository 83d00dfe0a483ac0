"""The layout of one's own data: videos and folders, PNGs and run lengths, and what is said of mistakes."""

import numpy as np
import pytest
from miniature import FRAMES, SIZE, frame, labels, write_frames, write_json, write_masks, write_video

from deixis.data import folder
from deixis.data.catalog import DATASETS, load_records
from deixis.data.check import check_split
from deixis.data.records import Expression, ObjectInfo
from deixis.errors import DatasetError, MissingSplitError, UnknownNameError
from deixis.ops.run_lengths import encode_rle


def codes(object_id, indices=range(3)):
    return [encode_rle((labels(index) == object_id)[None])[0] for index in indices]


def write_own(root, **changes):
    """Write a clip of images with PNGs, a video with run lengths of two frames, and one without masks."""
    write_frames(root / "frames" / "pets")
    write_masks(root / "masks" / "pets")
    write_video(root / "clip.mp4", 6)
    one, two = codes(1), codes(2)
    videos = {
        "pets": {
            "frames": "frames/pets",
            "masks": "masks/pets",
            "size": list(SIZE),
            "attributes": ["small"],
            "expressions": [
                {"text": "the cat", "objects": [1], "kinds": ["appearance"]},
                {"id": "both", "text": "the pets", "objects": [1, 2]},
                {"text": "a horse", "objects": []},
            ],
        },
        "clip": {
            "frames": "clip.mp4",
            "split": "train",
            "objects": {
                "1": {"category": "cat", "masks": {"00001": one[1], "00004": None}},
                "2": {"masks": {"00004": two[1]}},
            },
            "expressions": [{"text": "a cat", "objects": [1]}],
        },
        "plain": {"frames": "frames/pets", "split": "test", "expressions": ["a cat", "a dog"]},
    }
    for name, change in changes.items():
        videos[name].update(change)
    write_json(root / "dataset.json", {"videos": videos})


def findings(root, split, **options):
    records = load_records("folder", root, split)
    entry = DATASETS["folder"]
    return [str(one) for one in check_split(entry, root, split, records, compare_counts=False, **options)]


def test_images_with_label_maps(tmp_path):
    write_own(tmp_path)
    (record,) = load_records("folder", tmp_path)
    assert record.name == "pets" and record.frame_names == FRAMES and record.size == SIZE
    assert record.expressions == (
        Expression("0", "the cat", (1,), ("appearance",)),
        Expression("both", "the pets", (1, 2)),
        Expression("2", "a horse"),
    )
    assert record.object_ids == (1, 2) and record.attributes == ("small",)
    assert record.annotated_frames is None
    np.testing.assert_array_equal(record.frames.read([2]), frame(2)[None])
    np.testing.assert_array_equal(record.masks.read([1], [2])[0, 0], labels(1) == 2)
    (tmp_path / "masks" / "pets" / f"{FRAMES[1]}.png").unlink()
    assert folder.records(tmp_path)[0].annotated_frames == (0, 2)


def test_videos_with_run_lengths_by_frame(tmp_path):
    write_own(tmp_path)
    (record,) = folder.records(tmp_path, "train")
    assert record.frame_names == tuple(f"{index:05d}" for index in range(6))
    assert record.annotated_frames == (1, 4) and record.object_ids == (1, 2)
    assert record.objects == (ObjectInfo(1, "cat"), ObjectInfo(2))
    masks = record.masks.read([1, 4], [1, 2])
    np.testing.assert_array_equal(masks[0, 0], labels(1) == 1)
    np.testing.assert_array_equal(masks[1, 1], labels(1) == 2)
    assert not masks[0, 1].any() and not masks[1, 0].any()
    np.testing.assert_allclose(record.frames.read([4]).mean(), 80, atol=3)
    assert findings(tmp_path, "train", is_thorough=True) == []


def test_run_lengths_one_a_frame(tmp_path):
    listed = {"1": {"masks": codes(1)}, "2": {"masks": [None, *codes(2, (1, 2))]}}
    write_own(tmp_path, plain={"objects": listed, "expressions": [{"text": "a cat", "objects": [1]}]})
    (record,) = folder.records(tmp_path, "test")
    assert record.annotated_frames is None
    masks = record.masks.read(range(3), [1, 2])
    np.testing.assert_array_equal(masks, [[labels(t) == k for t in range(3)] for k in (1, 2)])


def test_without_masks_the_truth_is_held_back(tmp_path):
    write_own(tmp_path)
    (record,) = folder.records(tmp_path, "test")
    assert record.masks is None and record.object_ids == ()
    assert [one.text for one in record.expressions] == ["a cat", "a dog"]


@pytest.mark.parametrize(
    ("video", "change", "message"),
    [
        ("pets", {"expression": ["x"]}, "unknown keys expression; known are attributes"),
        ("pets", {"expressions": ["the cat"]}, 'expression 0 does not tell its "objects"'),
        ("pets", {"expressions": [{"objects": [1]}]}, 'expression 0 has no "text"'),
        ("pets", {"expressions": [{"text": "a", "objects": ["x"]}]}, "malformed: invalid literal"),
        ("pets", {"frames": "nowhere"}, "neither a folder of images nor a video .*nowhere"),
        ("pets", {"frames": "masks"}, "there are no images"),
        ("pets", {"masks": "frames"}, "has no PNG named as a frame, as 00000.png"),
        ("pets", {"split": "training"}, "split of video pets"),
        ("pets", {"size": [5]}, "size is height and width, not"),
        ("pets", {"objects": [1]}, "malformed"),
        ("pets", {"objects": {"1": {"masks": []}}}, "as a folder and as run lengths"),
        ("clip", {"objects": {"1": {"masks": []}}}, "object 1 has 0 masks, but there are 6 frames"),
        ("clip", {"objects": {"1": {"masks": 3}}}, "object 1 has no list of masks"),
        ("clip", {"objects": {"1": {"masks": {"9": None}}}}, "masks of the frame '9', which is not there"),
        ("clip", {"objects": {"1": {"masks": [None] * 6}}}, "no object has a mask in any frame"),
        ("clip", {"objects": {"1": {"masks": [None] * 6}, "2": {}}}, r"objects \[2\] have no masks"),
    ],
)
def test_mistakes_are_one_line(tmp_path, video, change, message):
    write_own(tmp_path, **{video: change})
    split = "train" if video == "clip" else "val"
    with pytest.raises((DatasetError, UnknownNameError), match=message) as error:
        folder.records(tmp_path, split)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [([], 'no table "videos"'), ({"videos": []}, 'no table "videos"'), ({"videos": {"a": 1}}, "is no table"),
     ({"videos": {"a": {}}}, "it lacks frames and expressions")],
)  # fmt: skip
def test_other_tables(tmp_path, content, message):
    write_json(tmp_path / "dataset.json", content)
    with pytest.raises(DatasetError, match=message):
        folder.records(tmp_path)


def test_a_split_that_no_video_is_of(tmp_path):
    write_own(tmp_path, clip={"split": "val"})
    with pytest.raises(MissingSplitError, match="no videos in the split 'train'"):
        load_records("folder", tmp_path, "train")


def test_a_check_finds_what_the_table_cannot_tell(tmp_path):
    expressions = [
        {"id": "0", "text": "the Cat", "objects": [1]},
        {"id": "0", "text": "the cat", "objects": [2]},
        {"text": " ", "objects": [1]},
        {"text": "a bird", "objects": [7]},
    ]
    objects = {"1": {}, "2": {}, "3": {}}
    write_own(tmp_path, pets={"expressions": expressions, "size": [9, 9], "objects": objects})
    found = findings(tmp_path, "val", is_thorough=True)
    for message in (
        "the expression id 0 occurs more than once",
        "say the same of different objects: 'the cat'",
        "expression 2 is empty",
        "speaks of unknown objects [7]",
        "frames are 32x48 but the metadata says 9x9",
        "object 3 has no pixel in any annotated frame",
    ):
        assert any(message in one for one in found), message
    (tmp_path / "clip.mp4").write_bytes(b"no video")
    with pytest.raises(DatasetError, match="cannot read the video"):
        folder.records(tmp_path, "train")
    write_own(tmp_path, clip={"length": 9})
    assert any(
        "the video has 6 frames, the metadata says 9" in o
        for o in findings(tmp_path, "train", is_thorough=True)
    )
