"""Parsers of the data sets without sentences, and of MeViS: quirks of the real ones, and wrong folders."""

import json

import numpy as np
import pytest
from miniature import FRAMES, SIZE, labels, write_davis, write_frames, write_json, write_masks
from miniature import write_ref_youtube_vos as write_ref
from PIL import Image
from test_run_lengths import as_counts

from deixis.data import davis16, davis17, lvos, mevis, ovis, ref_davis17, ref_youtube_vos, youtube_vos
from deixis.data.check import check_record
from deixis.errors import DatasetError, MissingSplitError
from deixis.ops.run_lengths import encode_rle


def codes(identity, count=3):
    """Give the run lengths of an object of the miniature, null where it is not there."""
    masks = np.stack([labels(index) == identity for index in range(count)])
    return [code if mask.any() else None for code, mask in zip(encode_rle(masks), masks, strict=True)]


def write_youtube(root):
    base = root / "valid"
    write_frames(base / "JPEGImages" / "clip", suffix="jpg")
    write_masks(base / "Annotations" / "clip")
    (base / "Annotations" / "clip" / "00015.png").unlink()
    objects = {
        "1": {"category": "cat", "frames": list(FRAMES)},
        "2": {"category": "ant", "frames": ["00005", "00015"]},
    }
    write_json(base / "meta.json", {"videos": {"clip": {"objects": objects}}})


def test_youtube_vos_objects_begin_late(tmp_path):
    write_youtube(tmp_path)
    (record,) = youtube_vos.records(tmp_path, "val")
    assert record.frame_names == FRAMES and record.annotated_frames == (0, 1) and record.expressions == ()
    told = [(one.id, one.category, one.is_seen, one.first_frame, one.frames) for one in record.objects]
    assert told == [(1, "cat", True, 0, (0, 1, 2)), (2, "ant", False, 1, (1, 2))]
    np.testing.assert_array_equal(record.masks.read([1], [2])[0, 0], labels(1) == 2)
    write_json(tmp_path / "train" / "meta.json", {"videos": {"x": {"objects": {"1": {"category": "ant"}}}}})
    (record,) = youtube_vos.records(tmp_path, "val")
    assert [one.is_seen for one in record.objects] == [False, True], "seen is what train has"
    with pytest.raises(MissingSplitError, match="no train/JPEGImages"):
        youtube_vos.records(tmp_path, "train")


def test_youtube_vos_without_metadata(tmp_path):
    write_youtube(tmp_path)
    (tmp_path / "valid" / "meta.json").unlink()
    (tmp_path / "valid").rename(tmp_path / "val")
    (record,) = youtube_vos.records(tmp_path, "val")
    assert [(one.id, one.is_seen, one.first_frame) for one in record.objects] == [(1, None, 0), (2, None, 1)]
    (finding,) = youtube_vos.split_findings(tmp_path, "val", [record])
    assert "nothing tells seen from unseen" in str(finding)


def test_a_frame_that_only_the_metadata_knows_stays_in_the_record(tmp_path):
    write_youtube(tmp_path)
    (tmp_path / "valid" / "JPEGImages" / "clip" / "00005.jpg").unlink()
    (record,) = youtube_vos.records(tmp_path, "val")
    assert record.frame_names == FRAMES
    with pytest.raises(DatasetError, match=r"has no image 00005\.jpg"):
        record.frames.read([1])


def write_binary_davis(root):
    base = root / "DAVIS"
    for kind in ("JPEGImages", "Annotations"):
        (base / kind / "480p" / "blackswan").mkdir(parents=True)
    write_frames(base / "JPEGImages" / "480p" / "blackswan", ("00000", "00001"))
    for index in range(2):
        mask = (labels(index) == 1).astype(np.uint8) * 255
        Image.fromarray(mask).save(base / "Annotations" / "480p" / "blackswan" / f"{index:05d}.png")
    (base / "ImageSets" / "480p").mkdir(parents=True)
    lines = [f"/{{}}/480p/blackswan/{index:05d}" for index in range(2)]
    text = "".join(f"{one.format('JPEGImages')}.jpg {one.format('Annotations')}.png\n" for one in lines)
    (base / "ImageSets" / "480p" / "val.txt").write_text(text)


def test_davis16(tmp_path):
    write_binary_davis(tmp_path)
    (record,) = davis16.records(tmp_path, "val")
    np.testing.assert_array_equal(record.masks.read([1], [1])[0, 0], labels(1) == 1)
    assert record.expressions == () and record.attributes == ()
    assert [str(one) for one in davis16.findings(record)] == ["blackswan: has 2 frames, published: 50"]
    texts = tmp_path / "davis_text_annotations"
    texts.mkdir()
    (texts / "Davis16_annot1.txt").write_text('blackswan "a swan"\n')
    (texts / "Davis16_annot2.txt").write_bytes('blackswan 1 "a sw\xe4n"\n'.encode("latin-1"))
    (record,) = davis16.records(tmp_path, "val")
    assert [(e.text, e.object_ids, e.annotator) for e in record.expressions] == [
        ("a swan", (1,), 0),
        ("a swän", (1,), 1),
    ]
    (tmp_path / "DAVIS" / "ImageSets" / "480p" / "val.txt").write_text("blackswan\n")
    with pytest.raises(DatasetError, match="not a list of images and masks"):
        davis16.records(tmp_path, "val")


def test_davis16_from_the_archive_of_2017(tmp_path):
    write_davis(tmp_path)
    (tmp_path / "DAVIS" / "ImageSets" / "2016").mkdir()
    (tmp_path / "DAVIS" / "ImageSets" / "2016" / "val.txt").write_text("classic-car\n")
    (record,) = davis16.records(tmp_path / "DAVIS", "val")
    np.testing.assert_array_equal(record.masks.read([2], [1])[0, 0], labels(2) > 0)


def test_davis16_attributes_are_the_published_ones():
    from collections import Counter

    from deixis.data.davis_attributes import ATTRIBUTES, NUM_FRAMES

    counts = Counter(name for video in NUM_FRAMES for name in ATTRIBUTES[video])
    assert sum(NUM_FRAMES.values()) == 1376 and len(ATTRIBUTES) == 50
    assert counts == dict(
        HO=14, DEF=13, EA=11, IO=10, ROT=10, MB=9, SV=8, SC=7, FM=7, CS=7, AC=7, OCC=6, LR=5, BC=4, OV=4, DB=3
    )


def test_davis17_masks_of_two_years(tmp_path):
    write_davis(tmp_path)
    base = tmp_path / "DAVIS"
    write_json(base / "davis_semantics.json", {"classic-car": {"1": "car"}})
    (record,) = davis17.records(tmp_path, "val")
    assert [(one.id, one.category, one.first_frame) for one in record.objects] == [(1, "car", 0)]
    with pytest.raises(MissingSplitError, match="masks of 2019"):
        davis17.unsupervised_records(tmp_path, "val")
    later = base / "Annotations_unsupervised" / "480p" / "classic-car"
    write_masks(later, ("00000", "00001", "00002"))
    assert list(davis17.findings(record)) == []
    moved = np.zeros(SIZE, np.uint8)
    moved[4:12, 10:20], moved[20:22, :4] = 1, 5
    Image.fromarray(moved).save(later / "00000.png")
    (record,) = davis17.unsupervised_records(tmp_path, "val")
    assert record.object_ids == (1, 2, 3, 4, 5) and record.masks.read([1], [255]).any()
    assert [str(one) for one in davis17.findings(record)] == [
        "classic-car: objects [1] in the masks of 2017, [1, 5] in those of 2019 (known)",
        "classic-car: object 1 of 2017 and that of 2019 have an IoU of 0.25 in the first frame (known)",
    ]


def test_ref_davis_annotators_and_missing_expressions(tmp_path):
    write_davis(tmp_path)
    (record,) = ref_davis17.records(tmp_path, "val")
    assert [one.annotator for one in record.expressions] == [0, 1, 2, 3] * 2
    assert list(ref_davis17.findings(record)) == []
    file = tmp_path / "davis_text_annotations" / "Davis17_annot2.txt"
    file.write_bytes('classic-car 2 "a man"\n'.encode("latin-1"))
    (record,) = ref_davis17.records(tmp_path, "val")
    (finding,) = ref_davis17.findings(record)
    assert str(finding) == "classic-car: object 1 has no expression in Davis17_annot2.txt"
    file.write_text('classic-car 2 "a man"\nclassic-car 2 "he"\n')
    with pytest.raises(DatasetError, match=r"line 2 of .* is a second expression for object 2"):
        ref_davis17.records(tmp_path, "val")


def test_converted_ref_davis_has_annotators(tmp_path):
    write_ref(tmp_path)
    meta = tmp_path / "meta_expressions" / "train" / "meta_expressions.json"
    content = json.loads(meta.read_text())
    content["videos"]["one"]["expressions"] = {str(i): {"exp": "a", "obj_id": "1"} for i in range(4)}
    write_json(meta, content)
    one, two = ref_davis17.records(tmp_path, "train")
    assert [(e.annotator, e.kinds) for e in one.expressions[:2]] == [
        (0, ("first-frame",)),
        (1, ("full-video",)),
    ]
    assert two.expressions[0].annotator is None


def test_ref_youtube_vos_truth_by_expression(tmp_path):
    write_ref(tmp_path)
    folder = tmp_path / "valid" / "Annotations" / "three" / "0"
    folder.mkdir(parents=True)
    for index, name in ((0, "00000"), (2, "00015")):
        Image.fromarray((labels(index) == 1).astype(np.uint8) * 255).save(folder / f"{name}.png")
    (record,) = ref_youtube_vos.records(tmp_path, "val")
    assert record.annotated_frames == (0, 2) and record.expressions[0].object_ids == (1,)
    np.testing.assert_array_equal(record.masks.read([2], [1])[0, 0], labels(2) == 1)
    assert [str(one) for one in ref_youtube_vos.findings(record)] == [
        "three: 2 of 3 frames have masks (known)"
    ]


def write_lvos(root):
    names = ("00000001", "00000006", "00000011")
    write_frames(root / "valid" / "JPEGImages" / "clip", names)
    write_masks(root / "valid" / "Annotations" / "clip", names)
    spans = {
        "1": {"frame_range": {"start": names[0], "end": "00000016", "frame_nums": "3"}},
        "2": {"frame_range": {"start": names[1], "end": "00000016", "frame_nums": "2"}},
    }
    write_json(root / "valid" / "valid_meta.json", {"videos": {"clip": {"objects": spans}}})


def test_lvos_ranges_captions_and_unseen_videos(tmp_path):
    write_lvos(tmp_path)
    (record,) = lvos.records(tmp_path, "val")
    told = [(one.id, one.first_frame, list(one.frames), one.is_seen) for one in record.objects]
    assert told == [(1, 0, [0, 1, 2], None), (2, 1, [1, 2], None)] and record.expressions == ()
    (finding,) = lvos.split_findings(tmp_path, "val", [record])
    assert finding.is_known and "nothing tells seen from unseen videos" in str(finding)
    (tmp_path / "unseen_videos.txt").write_text("clip\n")
    content = json.loads((tmp_path / "valid" / "valid_meta.json").read_text())
    content["videos"]["clip"]["objects"]["2"] |= {"caption": "a late thing"}
    write_json(tmp_path / "meta_jsons" / "valid_expression_meta.json", content)
    content["videos"]["clip"]["objects"]["2"]["frame_range"]["frame_nums"] = "575"
    write_json(tmp_path / "meta_jsons" / "valid_meta.json", content)
    (tmp_path / "valid" / "valid_meta.json").unlink()
    (record,) = lvos.records(tmp_path, "val")
    assert [(e.id, e.text, e.object_ids) for e in record.expressions] == [("2", "a late thing", (2,))]
    assert not record.objects[0].is_seen and record.objects[0].is_seen is not None
    (finding,) = lvos.split_findings(tmp_path, "val", [record])
    assert str(finding) == "clip: object 2 has 2 frames in its range, the metadata says 575"


@pytest.mark.parametrize("kind", ["JPEGImages", "Annotations"])
@pytest.mark.parametrize(
    ("module", "write", "file"),
    [
        (davis16, write_binary_davis, "DAVIS/{}/480p/blackswan/00001.png"),
        (davis17, write_davis, "DAVIS/{}/480p/classic-car/00001.png"),
        (ref_davis17, write_davis, "DAVIS/{}/480p/classic-car/00001.png"),
        (lvos, write_lvos, "valid/{}/clip/00000006.png"),
    ],
)
def test_a_missing_file_is_found_where_folders_tell_the_frames(tmp_path, module, write, file, kind):
    write(tmp_path)
    (record,) = module.records(tmp_path, "val")
    assert list(check_record(record, needs_expressions=False)) == []
    (tmp_path / file.format(kind)).unlink()
    (record,) = module.records(tmp_path, "val")
    (finding,) = check_record(record, needs_expressions=False)
    assert "there is no" in str(finding)


def write_ovis(root, tracks):
    write_frames(root / "train" / "0a1b", ("img_0000001", "img_0000002", "img_0000003"), "jpg")
    names = [f"0a1b/img_{number:07d}.jpg" for number in (1, 2, 3)]
    video = {"id": 4, "width": 48, "height": 32, "length": 3, "file_names": names}
    annotations = [
        {"id": number, "video_id": 4, "category_id": 7, "segmentations": track}
        for number, track in enumerate(tracks, start=11)
    ]
    content = {"videos": [video], "categories": [{"id": 7, "name": "Fish"}], "annotations": annotations}
    write_json(root / "annotations_train.json", content)


def test_ovis_run_lengths_as_text_as_lists_and_null(tmp_path):
    as_lists = [as_counts(labels(index) == 1) for index in range(3)]
    write_ovis(tmp_path, [as_lists, codes(2)])
    (record,) = ovis.records(tmp_path, "train")
    assert record.name == "0a1b" and record.object_ids == (11, 12) and record.size == SIZE
    assert [one.category for one in record.objects] == ["Fish", "Fish"]
    expected = [[labels(index) == identity for index in (2, 0)] for identity in (2, 1)]
    np.testing.assert_array_equal(record.masks.read([2, 0], [12, 11]), expected)
    assert record.masks.read([0], []).shape == (0, 1, *SIZE)
    with pytest.raises(DatasetError, match="no masks of object 99"):
        record.masks.read([0], [99])


@pytest.mark.parametrize(
    ("tracks", "message"),
    [
        ([codes(1)[:2]], "annotation 11 has 2 masks, its video 0a1b 3 frames"),
        ([[{"size": [3, 3], "counts": "0"}] * 3], r"a mask of \[3, 3\] in a video of \[32, 48\]"),
        ([[{"size": [32, 48], "counts": [1, 2]}] * 3], "run lengths of 3 pixels in a mask of 32x48"),
        ([[{"size": [32, 48]}] * 3], "are malformed: 'counts'"),
    ],
)
def test_malformed_ovis(tmp_path, tracks, message):
    write_ovis(tmp_path, tracks)
    with pytest.raises(DatasetError, match=message):
        [record.masks.read([0], record.object_ids) for record in ovis.records(tmp_path, "train")]


def write_mevis(root, mask_dict=None):
    base = root / "valid_u"
    write_frames(base / "JPEGImages" / "4af1")
    write_frames(base / "JPEGImages" / "none")
    expressions = {
        "0": {"exp": "two birds", "obj_id": [0, 1], "anno_id": [17, 18]},
        "1": {"exp": "no bird", "obj_id": [], "anno_id": []},
        "2": {"exp": "a bird", "obj_id": [1], "anno_id": [18]},
    }
    videos = {
        "4af1": {"expressions": expressions, "frames": list(FRAMES)},
        "none": {"expressions": {"0": expressions["1"]}, "frames": list(FRAMES)},
    }
    write_json(base / "meta_expressions.json", {"videos": videos})
    write_json(base / "mask_dict.json", {"17": codes(1), "18": codes(2)} if mask_dict is None else mask_dict)


def test_mevis_joins_objects_and_knows_when_there_is_none(tmp_path):
    write_mevis(tmp_path)
    record, empty = mevis.records(tmp_path, "val-u")
    assert [(one.id, one.object_ids, one.kinds) for one in record.expressions] == [
        ("0", (17, 18), ("several",)),
        ("1", (), ("absent",)),
        ("2", (18,), ()),
    ]
    expected = [[labels(index) == identity for index in range(3)] for identity in (2, 1)]
    np.testing.assert_array_equal(record.masks.read([0, 1, 2], [18, 17]), expected)
    assert empty.masks.read([0, 1], ()).shape == (0, 2, *SIZE)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "cannot read .*mask_dict.json"),
        ("{}", "no tracks of run lengths"),
        ('{"17": [null, null, null], "18": [null, nu', "is cut off"),
        ('{"17": [null, null, null], "17": [null, null, null]}', "twice"),
        ('{"17": [null, null, null]}', r"no masks of the annotations \[18\] of video 4af1"),
        ('{"17": [null, null, null], "18": [null]}', "1 masks of object 18, not 3"),
        ('{"17": [null, null, null], "18": [nul, 2]}', "cannot read masks of"),
    ],
)
def test_malformed_masks_of_mevis(tmp_path, content, message):
    write_mevis(tmp_path)
    (tmp_path / "valid_u" / "mask_dict.json").write_text(content)
    with pytest.raises(DatasetError, match=message) as error:
        [record.masks.read([0], record.object_ids) for record in mevis.records(tmp_path, "val-u")]
    assert "\n" not in str(error.value)


def test_missing_masks_of_mevis(tmp_path):
    write_mevis(tmp_path)
    (tmp_path / "valid_u" / "mask_dict.json").unlink()
    with pytest.raises(DatasetError, match=r"there is no .*mask_dict.json"):
        mevis.records(tmp_path, "val-u")


VIDEO = {"frames": list(FRAMES)}


@pytest.mark.parametrize(
    ("module", "split", "file", "content", "message"),
    [
        (youtube_vos, "val", "valid/meta.json", "{", "as JSON"),
        (youtube_vos, "val", "valid/meta.json", '{"videos": {"a": {}}}', "not the meta.json of YouTube-VOS"),
        (youtube_vos, "val", "valid/meta.json", '{"videos": {"a": {"objects": {"x": 1}}}}', "not the meta"),
        (youtube_vos, "val", "valid/meta.json", '{"videos": {"a": {}, "a": {}}}', "'a' twice in one table"),
        (lvos, "val", "valid/valid_meta.json", '{"videos": []}', "not a meta.json of LVOS"),
        (lvos, "val", "valid/valid_meta.json", '{"videos": {"a": {"objects": {"1": {}}}}}', "frame_range"),
        (mevis, "val", "valid/meta_expressions.json", "[]", 'no table "videos"'),
        (
            mevis, "val", "valid/meta_expressions.json",
            '{"videos": {"a": {"objects": {}}}}', "a meta file of MOSE",
        ),
        (
            mevis, "val", "valid/meta_expressions.json",
            json.dumps({"videos": {"a": {"expressions": {"0": {}}, "frames": []}}}), 'no text "exp"',
        ),
        (ovis, "train", "annotations_train.json", '{"videos": [{}]}', "not in the form of YouTube-VIS"),
        (
            ovis, "train", "annotations_train.json",
            json.dumps({"videos": [], "categories": [], "annotations": [{"video_id": 3}]}),
            r"annotations of videos that it does not list: \[3\]",
        ),
        (davis17, "val", "DAVIS/ImageSets/2017/val.txt", "a a", "lists a more than once"),
        (davis17, "val", "DAVIS/ImageSets/2017/val.txt", "elsewhere", "there are no images"),
        (davis17, "val", "DAVIS/davis_semantics.json", "[]", "not the table of categories"),
    ],
)  # fmt: skip
def test_malformed_files_are_one_clear_line(tmp_path, module, split, file, content, message):
    (tmp_path / "valid" / "JPEGImages").mkdir(parents=True)
    write_davis(tmp_path)
    path = tmp_path / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    with pytest.raises(DatasetError, match=message) as error:
        module.records(tmp_path, split)
    assert "\n" not in str(error.value)
