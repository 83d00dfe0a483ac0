"""The parsers of the data sets on disk: what they return, and what they say of wrong folders."""

import json

import numpy as np
import pytest
from miniature import FRAMES, SIZE, frame, labels, video, write_a2d, write_davis, write_json, write_plain
from miniature import write_ref_youtube_vos as write_ref

from deixis.data import a2d_sentences, ref_davis17, ref_youtube_vos
from deixis.data.catalog import DATASETS, find_dataset, load_records
from deixis.data.readers import MatlabMasks
from deixis.data.records import Expression
from deixis.errors import DatasetError, UnknownNameError


def test_ref_youtube_vos_train(tmp_path):
    write_ref(tmp_path)
    one, two = ref_youtube_vos.records(tmp_path, "train")
    assert (one.name, two.name) == ("one", "two")
    assert one.expressions == (Expression("0", "a Cat", (1,)), Expression("1", "the dog, black", (2,)))
    assert two.object_ids == (1, 2), "an object without an expression is annotated all the same"
    assert one.frame_names == FRAMES and one.annotated_frames is None
    np.testing.assert_array_equal(two.frames.read([2, 0]), np.stack([frame(2), frame(0)]))
    masks = two.masks.read([0, 2], [2, 1])
    expected = [[labels(t) == k for t in (0, 2)] for k in (2, 1)]
    np.testing.assert_array_equal(masks, expected)
    assert masks.dtype == bool and not masks[0, 0].any()


def test_ref_youtube_vos_val_leaves_test_out_and_holds_the_truth_back(tmp_path):
    write_ref(tmp_path)
    (record,) = ref_youtube_vos.records(tmp_path, "val")
    assert (record.name, record.masks, record.object_ids) == ("three", None, ())
    assert [r.name for r in ref_youtube_vos.records(tmp_path, "test")] == ["four"]
    (tmp_path / "meta_expressions" / "test" / "meta_expressions.json").unlink()
    (tmp_path / "valid" / "JPEGImages" / "four").rename(tmp_path / "elsewhere")
    assert [r.name for r in ref_youtube_vos.records(tmp_path, "val")] == ["three"]


def test_ref_youtube_vos_in_the_folders_users_have(tmp_path):
    write_ref(tmp_path)
    (tmp_path / "valid").rename(tmp_path / "val")
    (tmp_path / "meta_expressions" / "valid").rename(tmp_path / "meta_expressions" / "val")
    (tmp_path / "meta_expressions" / "train" / "meta_expressions.json").rename(
        tmp_path / "train" / "meta_expressions.json"
    )
    (tmp_path / "train" / "JPEGImages").rename(tmp_path / "deep")
    (tmp_path / "train" / "JPEGImages").mkdir()
    (tmp_path / "deep").rename(tmp_path / "train" / "JPEGImages" / "480p")
    assert [r.name for r in ref_youtube_vos.records(tmp_path, "val")] == ["three"]
    record = ref_youtube_vos.records(tmp_path, "train")[1]
    assert record.frames.read([1]).shape == (1, *SIZE, 3) and record.masks.read([1], [1]).any()


def test_plain_folder(tmp_path):
    write_plain(tmp_path)
    (record,) = ref_davis17.records(tmp_path)
    assert record.expressions == (
        Expression("0", "the left one", (1,)),
        Expression("1", "both", (1, 2)),
        Expression("absent-0", "a red car", (), ("absent",)),
    )
    assert (record.object_ids, record.size, record.attributes) == ((1, 2), SIZE, ("OCC",))
    with pytest.raises(DatasetError, match="read as val"):
        ref_davis17.records(tmp_path, "train")


def test_official_davis_texts_are_joined_by_object(tmp_path):
    write_davis(tmp_path)
    (record,) = ref_davis17.records(tmp_path, "val")
    texts = [(e.id, e.text, e.object_ids, e.kinds) for e in record.expressions]
    assert texts == [
        ("0", 'a "red" car', (1,), ("first-frame",)),
        ("1", "a car", (1,), ("full-video",)),
        ("2", "a coupé", (1,), ("first-frame",)),
        ("3", "the car", (1,), ("full-video",)),
        ("4", "a man", (2,), ("first-frame",)),
        ("5", "a driver", (2,), ("full-video",)),
        ("6", "unquoted", (2,), ("first-frame",)),
        ("7", "the man", (2,), ("full-video",)),
    ]
    np.testing.assert_array_equal(record.masks.read([1], [1])[0, 0], labels(1) == 1)
    (tmp_path / "davis_text_annotations" / "Davis17_annot1.txt").write_text("classic-car one\n")
    with pytest.raises(DatasetError, match=r"line 1 of .*Davis17_annot1.txt is not VIDEO ID"):
        ref_davis17.records(tmp_path, "val")


def test_converted_davis(tmp_path):
    write_ref(tmp_path)
    assert len(ref_davis17.records(tmp_path, "train")) == 2


def test_a2d_sentences(tmp_path):
    write_a2d(tmp_path)
    (record,) = a2d_sentences.records(tmp_path, "test")
    assert record.expressions == (Expression("0", "The man, in red", (0,)), Expression("1", "a ball", (1,)))
    assert record.object_ids == (0, 1, 3) and record.annotated_frames == (1, 4)
    assert record.frame_names == tuple(f"{n:05d}" for n in range(1, 7))
    masks = record.masks.read([1, 4], [0, 1])
    np.testing.assert_array_equal(masks[0, 0], labels(2) == 1)
    np.testing.assert_array_equal(masks[1, 0], labels(2) == 2)
    np.testing.assert_array_equal(masks[1, 1], labels(5) == 1)
    assert not masks[0, 1].any(), "instance 0 is not in the second annotated frame"
    greys = record.frames.read([5, 1, 99]).mean((1, 2, 3))
    np.testing.assert_allclose(greys, [100, 20, 100], atol=3)
    assert a2d_sentences.records(tmp_path, "train") == []


def test_a2d_sentences_opens_no_masks_before_they_are_asked_for(tmp_path, monkeypatch):
    write_a2d(tmp_path)
    opened, real = [], MatlabMasks.instances
    monkeypatch.setattr(
        MatlabMasks, "instances", lambda self, index: opened.append(index) or real(self, index)
    )
    (record,) = a2d_sentences.records(tmp_path, "test")
    assert opened == []
    assert record.object_ids == (0, 1, 3) and record.object_ids[1:] == (1, 3) and opened == [1, 4]


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("Release/videoset.csv", "clip,1,2\n", "nine columns"),
        ("text_annotations/a2d_annotation.txt", "video,query\n", "does not start with video_id"),
        ("text_annotations/a2d_annotation.txt", "video_id,instance_id,query\nclip,x,a\n", "instance id 'x'"),
        ("text_annotations/a2d_annotation.txt", "video_id,instance_id,query\nclip,1\n", "2 columns, not 3"),
        ("text_annotations/a2d_annotation_with_instances/clip/00002.h5", "no h5", "cannot read the masks"),
        ("text_annotations/a2d_annotation_with_instances/clip/00009.h5", "", "beyond the 6"),
    ],
)
def test_malformed_a2d(tmp_path, file, content, message):
    write_a2d(tmp_path)
    (tmp_path / file).write_text(content)
    with pytest.raises(DatasetError, match=message):
        [tuple(record.object_ids) for record in a2d_sentences.records(tmp_path, "test")]


@pytest.mark.parametrize("name", DATASETS)
def test_wrong_roots_are_one_clear_line(name, tmp_path):
    for split in DATASETS[name].splits:
        with pytest.raises(DatasetError, match=str(tmp_path)) as error:
            load_records(name, tmp_path, split)
        assert "\n" not in str(error.value)
    with pytest.raises(DatasetError, match="there is no folder"):
        load_records(name, tmp_path / "nowhere")
    with pytest.raises(UnknownNameError, match="unknown split"):
        load_records(name, tmp_path, "valdation")


def test_unknown_data_set_offers_close_names():
    with pytest.raises(UnknownNameError, match="did you mean ref-youtube-vos"):
        find_dataset("ref-youtube")
    assert "meta_expressions" in find_dataset("ref-youtube-vos").layout


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "as JSON"),
        ("[]", 'no table "videos"'),
        (json.dumps({"videos": {"a": {"frames": []}}}), 'lacks "expressions"'),
        (json.dumps({"videos": {"a": {"objects": {}, "frames": []}}}), "early baseline"),
        (json.dumps({"videos": {"clip": video(("a", "x"))}}), "object id 'x'"),
        (
            json.dumps({"videos": {"clip": video(("a", "1"), "b")}}),
            'expression 1 of video clip has no "obj_id"',
        ),
        (json.dumps({"videos": {"clip": {"expressions": {"0": {}}, "frames": []}}}), 'no text "exp"'),
    ],
)
def test_malformed_metadata(tmp_path, content, message):
    write_plain(tmp_path)
    (tmp_path / "meta_expressions.json").write_text(content)
    with pytest.raises(DatasetError, match=message):
        ref_davis17.records(tmp_path)


def test_missing_metadata_says_which_file(tmp_path):
    write_ref(tmp_path)
    (tmp_path / "meta_expressions" / "train" / "meta_expressions.json").unlink()
    with pytest.raises(DatasetError, match=r"there is no .*train.meta_expressions.json"):
        ref_youtube_vos.records(tmp_path, "train")
    write_json(tmp_path / "train" / "meta_expressions.json", {"videos": {"one": video(("a", "1"))}})
    write_json(tmp_path / "train" / "meta.json", {"videos": {"one": {}}})
    with pytest.raises(DatasetError, match=r"meta.json of YouTube-VOS"):
        ref_youtube_vos.records(tmp_path, "train")
