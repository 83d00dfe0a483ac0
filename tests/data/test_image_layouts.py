"""RefCOCO and its sisters, COCO and Visual Genome: what their parsers return, and say of wrong folders."""

import json
import pickle

import numpy as np
import pytest
from miniature import SIZE, frame, write_json
from PIL import Image

from deixis.data import coco, refcoco, visual_genome
from deixis.data.catalog import DATASETS, load_records
from deixis.data.check import check_split
from deixis.data.images import without_images
from deixis.data.records import Expression, ObjectInfo
from deixis.errors import DatasetError, MissingSplitError

SQUARE = [[2.0, 3.0, 12.0, 3.0, 12.0, 13.0, 2.0, 13.0]]
TWO_PARTS = [SQUARE[0], [20, 20, 30, 20, 30, 30, 20, 30]]
RUNS = {"size": list(SIZE), "counts": [0, 32, 32 * 47]}
"""The first column, as COCO keeps groups."""


def annotation(number, image, segmentation, **more):
    told = {"id": number, "image_id": image, "category_id": 18, "segmentation": segmentation}
    return {**told, "bbox": [2, 3, 10, 10], "area": 100, "iscrowd": 0, **more}


def image(number, **more):
    name = f"COCO_train2014_{number:012d}.jpg"
    return {"id": number, "file_name": name, "height": SIZE[0], "width": SIZE[1], **more}


def write_image(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(frame(1)).save(path)


def ref(number, annotation_id, image_id, split, *sentences):
    return {
        "ref_id": number,
        "ann_id": annotation_id,
        "image_id": image_id,
        "category_id": 18,
        "split": split,
        "file_name": f"COCO_train2014_{image_id:012d}_{number}.jpg",
        "sent_ids": [one for one, _ in sentences],
        "sentences": [
            {"sent_id": one, "raw": text.upper(), "sent": text, "tokens": text.split()}
            for one, text in sentences
        ],
    }


def write_refcoco(root, name="refcoco", split_by="unc"):
    """Write two images of val, one of train; an object is outlined as a group, another never spoken of."""
    refs = [
        ref(0, 101, 9, "val", (0, "left dog"), (1, "the caf\xe9 dog")),
        ref(1, 301, 30, "train", (2, "a dog")),
        ref(2, 102, 9, "val", (3, "two dogs")),
        ref(3, 201, 20, "val", (4, "some dogs")),
    ]
    folder = root / name
    folder.mkdir(parents=True)
    (folder / f"refs({split_by}).p").write_bytes(pickle.dumps(refs, protocol=2))
    annotations = [
        annotation(101, 9, SQUARE),
        annotation(102, 9, TWO_PARTS),
        annotation(103, 9, SQUARE),
        annotation(201, 20, RUNS, iscrowd=1),
        annotation(301, 30, SQUARE),
    ]
    content = {
        "info": {"version": "1.0"},
        "images": [image(9), image(20), image(30)],
        "annotations": annotations,
        "categories": [{"id": 18, "name": "dog", "supercategory": "animal"}],
    }
    write_json(folder / "instances.json", content)
    for number in (9, 20, 30):
        write_image(root / "train2014" / f"COCO_train2014_{number:012d}.jpg")


def findings(name, root, split, **options):
    records = load_records(name, root, split)
    found = check_split(DATASETS[name], root, split, records, compare_counts=False, **options)
    return [str(one) for one in found]


def test_refcoco(tmp_path):
    write_refcoco(tmp_path)
    first, second = refcoco.refcoco(tmp_path, "val")
    assert first.name == "COCO_train2014_000000000009" and first.frame_names == (first.name,)
    assert first.expressions == (
        Expression("0", "left dog", (101,)),
        Expression("1", "the café dog", (101,)),
        Expression("3", "two dogs", (102,)),
    )
    assert first.object_ids == (101, 102) and first.size == SIZE
    assert first.objects == (ObjectInfo(101, "dog"), ObjectInfo(102, "dog"))
    masks = first.masks.read([0, 0], [102, 101])
    assert masks.shape == (2, 2, *SIZE) and masks.dtype == bool
    square = np.zeros(SIZE, bool)
    square[3:13, 2:12] = True
    np.testing.assert_array_equal(masks[1, 0], square)
    assert masks[0, 1, 25, 25] and masks[0, 1].sum() == 200
    assert first.frames.read([0]).shape == (1, *SIZE, 3)
    assert second.expressions == (Expression("4", "some dogs", (201,), ("crowd",)),)
    column = second.masks.read([0], [201])[0, 0]
    assert column[:, 0].all() and not column[:, 1:].any()
    assert [record.name[-2:] for record in refcoco.refcoco(tmp_path, "train")] == ["30"]
    # Records go to the processes of a loader.
    assert list(pickle.loads(pickle.dumps(refcoco.refcoco(tmp_path, "val")))) == [first, second]
    assert findings("refcoco", tmp_path, "val") == [
        "COCO_train2014_000000000020: objects [201] are outlined as groups (known)"
    ]


@pytest.mark.parametrize(
    ("place", "images"), [("data", "data/images"), ("data/refcoco", "data"), ("data", "coco")]
)
def test_refcoco_where_people_keep_it(tmp_path, place, images):
    write_refcoco(tmp_path / "data")
    if images != "data":
        (tmp_path / images).mkdir()
        (tmp_path / "data" / "train2014").rename(tmp_path / images / "train2014")
    (record, _) = refcoco.refcoco(tmp_path / place, "val")
    assert record.frames.read([0]).shape == (1, *SIZE, 3)


@pytest.mark.parametrize(
    ("name", "folder", "split_by"),
    [
        ("refcoco+", "refcoco+", "unc"),
        ("refcocog", "refcocog", "umd"),
        ("refcocog-google", "refcocog", "google"),
    ],
)
def test_the_sisters_of_refcoco(tmp_path, name, folder, split_by):
    write_refcoco(tmp_path, folder, split_by)
    assert len(load_records(name, tmp_path, "val")) == 2
    with pytest.raises(MissingSplitError, match="neither refcoco/refs"):
        load_records("refcoco", tmp_path, "val")


def test_refcoco_converted_to_one_sentence_an_image(tmp_path):
    images = [
        image(9) | {"id": 1, "caption": "left dog", "original_id": 9, "dataset_name": "refcoco"},
        image(9) | {"id": 2, "caption": "the dog", "original_id": 9, "dataset_name": "refcoco"},
        image(9) | {"id": 3, "caption": "two dogs", "original_id": 9, "dataset_name": "refcoco"},
        image(20) | {"id": 4, "caption": "a dog", "original_id": 20, "dataset_name": "refcoco"},
    ]
    annotations = [annotation(n, n, part) for n, part in enumerate([SQUARE, SQUARE, TWO_PARTS, SQUARE], 1)]
    annotations[2]["bbox"] = [2, 3, 28, 27]
    content = {"images": images, "annotations": annotations, "categories": []}
    write_json(tmp_path / "refcoco" / "instances_refcoco_val.json", content)
    write_image(tmp_path / "train2014" / images[0]["file_name"])
    first, second = refcoco.refcoco(tmp_path, "val")
    assert first.expressions == (
        Expression("1", "left dog", (1,)),
        Expression("2", "the dog", (1,)),
        Expression("3", "two dogs", (3,)),
    )
    assert first.masks.read([0], [1, 3]).sum(axis=(1, 2, 3)).tolist() == [100, 200]
    assert second.expressions == (Expression("4", "a dog", (4,)),)
    for one, original in zip(annotations, (101, 101, 102, 101), strict=True):
        one["original_id"] = original
        one["bbox"] = [0, 0, 1, 1]
    write_json(tmp_path / "refcoco" / "instances_refcoco_val.json", content)
    assert [one.object_ids for one in refcoco.refcoco(tmp_path, "val")[0].expressions] == [(1,), (1,), (3,)]


def test_refcoco_converted_to_one_object_an_image(tmp_path):
    content = {
        "images": [
            image(9) | {"id": 1, "expressions": ["left dog", "the dog"]},
            image(9) | {"id": 2, "expressions": ["a cat"]},
        ],
        "annotations": [annotation(5, 1, SQUARE), annotation(6, 2, TWO_PARTS, bbox=[2, 3, 28, 27])],
        "categories": [],
    }
    write_json(tmp_path / "instances_refcoco_val.json", content)
    write_image(tmp_path / "train2014" / "COCO_train2014_000000000009.jpg")
    (record,) = refcoco.refcoco(tmp_path, "val")
    assert [(one.id, one.text, one.object_ids) for one in record.expressions] == [
        ("1-0", "left dog", (5,)),
        ("1-1", "the dog", (5,)),
        ("2", "a cat", (6,)),
    ]
    content["images"][1].pop("expressions")
    write_json(tmp_path / "instances_refcoco_val.json", content)
    with pytest.raises(DatasetError, match=r'image 2 of .* has no "caption" or "expressions"'):
        refcoco.refcoco(tmp_path, "val")


def test_images_held_out_elsewhere_are_left_out(tmp_path):
    write_refcoco(tmp_path / "a")
    write_refcoco(tmp_path / "b", "refcocog", "umd")
    train, held_out = refcoco.refcoco(tmp_path / "a", "val"), refcoco.refcocog(tmp_path / "b", "val")
    assert without_images(train, held_out[:1]) == list(train[1:])
    assert without_images(train, []) == list(train)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda refs: refs[0].pop("sentences"), "entry 0 of .* is not a reference of RefCOCO: KeyError"),
        (lambda refs: refs.clear(), "is not a list of references"),
        (lambda refs: refs[0].update(image_id=77), r"speaks of images that .* lacks \(77\)"),
        (lambda refs: [one.update(split="train") for one in refs], "has no split 'val'; it has train"),
        (lambda refs: refs.append(np.float64(1)), "is refused: byte"),
    ],
)
def test_malformed_references(tmp_path, change, message):
    write_refcoco(tmp_path)
    path = tmp_path / "refcoco" / "refs(unc).p"
    refs = pickle.loads(path.read_bytes())
    change(refs)
    path.write_bytes(pickle.dumps(refs))
    with pytest.raises(DatasetError, match=message) as error:
        load_records("refcoco", tmp_path, "val")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "there is no .*instances.json"),
        ('{"images": [{"id": 9, "file_na', "as JSON"),
        ('{"annotations": []}', 'has no "images"'),
        ('{"images": [{"id": 9}], "annotations": [{}]}', "element of images not in COCO form: KeyError"),
        (
            json.dumps({"images": [image(9), image(9)], "annotations": [{}]}),
            "the id 9 twice among its images",
        ),
    ],
)
def test_malformed_instances(tmp_path, text, message):
    write_refcoco(tmp_path)
    path = tmp_path / "refcoco" / "instances.json"
    path.unlink() if text is None else path.write_text(text)
    with pytest.raises(DatasetError, match=message) as error:
        load_records("refcoco", tmp_path, "val")
    assert "\n" not in str(error.value)


def change_instances(root, change):
    path = root / "refcoco" / "instances.json"
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda told: told["annotations"].pop(0), "object 101 has no annotation in"),
        (
            lambda told: told["annotations"][0].update(segmentation=[[1, 2, 3, 4]]),
            "a malformed mask: a polygon",
        ),
        (lambda told: told["annotations"][0].update(segmentation=[]), "neither polygons nor run lengths"),
        (lambda told: told["annotations"][0].pop("segmentation"), "a malformed mask: 'segmentation'"),
        (
            lambda told: told["annotations"][0].update(segmentation={"size": [32, 48], "counts": [3]}),
            "run lengths of 3 pixels",
        ),
        (lambda told: told["annotations"][0].update(segmentation=RUNS | {"size": [9, 9]}), "in an image of"),
        (lambda told: told["images"][0].update(height=99), "frames are 32x48 but"),
        (
            lambda told: told["annotations"][0].update(segmentation=[[1, 1, 4, 1, 4, 4, 1, 4]]),
            "object 101 has 9 pixels (known)",
        ),
        (
            lambda told: told["annotations"][0].update(segmentation=[[90, 90, 95, 90, 95, 95]]),
            "object 101 has 0 pixels",
        ),
    ],
)
def test_a_check_finds_wrong_annotations(tmp_path, change, message):
    write_refcoco(tmp_path)
    change_instances(tmp_path, change)
    assert any(message in one for one in findings("refcoco", tmp_path, "val"))


def test_a_check_finds_wrong_images_and_duplicates(tmp_path):
    write_refcoco(tmp_path)
    first = tmp_path / "train2014" / "COCO_train2014_000000000009.jpg"
    whole = first.read_bytes()
    first.write_bytes(whole[:300])
    assert any(
        "cannot read the image" in one for one in findings("refcoco", tmp_path, "val", is_thorough=True)
    )
    first.write_bytes(b"<html>")
    assert any("cannot read the image" in one for one in findings("refcoco", tmp_path, "val"))
    first.unlink()
    assert any(f"there is no {first}" in one for one in findings("refcoco", tmp_path, "val"))
    first.write_bytes(whole)
    path = tmp_path / "refcoco" / "refs(unc).p"
    refs = pickle.loads(path.read_bytes())
    refs[2]["sentences"] = [{"sent_id": 0, "sent": "left  DOG"}]
    path.write_bytes(pickle.dumps(refs))
    found = findings("refcoco", tmp_path, "val")
    assert "COCO_train2014_000000000009: the expression id 0 occurs more than once" in found
    assert any("say the same of different objects" in one and "known" in one for one in found)


def test_missing_image_folders(tmp_path):
    write_refcoco(tmp_path)
    (tmp_path / "train2014").rename(tmp_path / "elsewhere")
    with pytest.raises(DatasetError, match=r"no folder train2014 in .* train2014\.zip of COCO holds it"):
        load_records("refcoco", tmp_path, "val")


def test_many_missing_images_are_few_lines(tmp_path):
    content = {"images": [], "annotations": [], "categories": []}
    for number in range(1, 31):
        content["images"].append({"id": number, "file_name": f"{number:012d}.jpg", "height": 32, "width": 48})
        content["annotations"].append(annotation(number, number, SQUARE))
    write_json(tmp_path / "annotations" / "instances_val2017.json", content)
    (tmp_path / "val2017").mkdir()
    found = findings("coco", tmp_path, "val")
    assert len(found) == 11 and found[-1] == "and 20 more of: there is no ..."


def test_coco(tmp_path):
    names = [{"id": 18, "name": "dog"}, {"id": 17, "name": "cat"}]
    annotations = [
        annotation(1, 9, SQUARE),
        annotation(2, 9, RUNS, iscrowd=1),
        annotation(3, 9, TWO_PARTS, category_id=17),
        annotation(4, 9, SQUARE),
        annotation(5, 20, RUNS, iscrowd=1),
    ]
    content = {"annotations": annotations, "images": [image(9), image(20), image(30)], "categories": names}
    write_json(tmp_path / "annotations" / "instances_train2014.json", content)
    write_image(tmp_path / "train2014" / image(9)["file_name"])
    (record,) = coco.records(tmp_path, "train")
    assert record.expressions == (Expression("18", "dog", (1, 4)), Expression("17", "cat", (3,)))
    assert record.object_ids == (1, 3, 4) and record.objects[1] == ObjectInfo(3, "cat")
    assert record.masks.read([0], [3]).sum() == 200
    assert findings("coco", tmp_path, "train", is_thorough=True) == []
    with pytest.raises(MissingSplitError, match="annotations_trainval2017"):
        coco.records(tmp_path, "val")


def write_visual_genome(root):
    entries = [
        {
            "id": 7,
            "regions": [
                {
                    "region_id": 70,
                    "image_id": 7,
                    "phrase": "a red hat",
                    "x": 4,
                    "y": 9,
                    "width": 30,
                    "height": 21,
                },
                {
                    "region_id": 71,
                    "image_id": 7,
                    "phrase": "the caf\xe9",
                    "x": -1,
                    "y": 20,
                    "width": 60,
                    "height": 20,
                },
                {
                    "region_id": 72,
                    "image_id": 7,
                    "phrase": "nothing",
                    "x": 4,
                    "y": 9,
                    "width": 0,
                    "height": 21,
                },
            ],
        },
        {
            "image_id": 8,
            "regions": [{"id": 80, "phrase": "a dog", "x": 0, "y": 0, "width": 48, "height": 32}],
        },
    ]
    root.mkdir(exist_ok=True)
    (root / "region_descriptions.json").write_text(json.dumps(entries, ensure_ascii=False), encoding="utf-8")
    write_json(
        root / "image_data.json",
        [{"image_id": number, "width": SIZE[1], "height": SIZE[0], "coco_id": None} for number in (7, 8)],
    )
    write_image(root / "VG_100K" / "7.jpg")
    write_image(root / "VG_100K_2" / "8.jpg")


def test_visual_genome(tmp_path):
    write_visual_genome(tmp_path)
    first, second = visual_genome.records(tmp_path)
    assert first.expressions == (Expression("70", "a red hat", (70,)), Expression("71", "the café", (71,)))
    assert first.objects == (ObjectInfo(70, box=(4, 9, 30, 21)), ObjectInfo(71, box=(0, 20, 48, 12)))
    assert first.masks is None and first.size == SIZE and first.object_ids == (70, 71)
    assert second.name == "8" and second.frames.read([0]).shape == (1, *SIZE, 3)
    assert findings("visual-genome", tmp_path, "train") == [
        "1 boxes reach beyond their image and are cut to it (known)",
        "1 regions have no area in their image and are dropped (known)",
    ]
    (tmp_path / "image_data.json").unlink()
    assert visual_genome.records(tmp_path)[0].objects[1].box == (-1, 20, 60, 20)
    assert any("boxes are not cut" in one for one in findings("visual-genome", tmp_path, "train"))


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("region_descriptions.json", '[{"regions": []}]', "no image with regions"),
        ("region_descriptions.json", '[{"id": 7}]', 'image 7 without "regions"'),
        ("region_descriptions.json", '[{"id": 7, "regions": [{"phrase": "a"}]}]', "without phrase or box"),
        (
            "region_descriptions.json",
            '[{"id": 7, "regions": [{"phrase": "a", "x": 0, "y": 0, "width": 1, "height": 1}]}]',
            "without an id",
        ),
        ("region_descriptions.json", '[{"id": 7, "regions": [', "as JSON"),
        ("image_data.json", '[{"image_id": 7}]', "not the image_data.json"),
    ],
)
def test_malformed_visual_genome(tmp_path, file, text, message):
    write_visual_genome(tmp_path)
    (tmp_path / file).write_text(text)
    with pytest.raises(DatasetError, match=message) as error:
        list(visual_genome.records(tmp_path))
    assert "\n" not in str(error.value)


def test_half_of_visual_genome(tmp_path):
    write_visual_genome(tmp_path)
    (tmp_path / "VG_100K").rename(tmp_path / "a")
    assert any("there is no" in one for one in findings("visual-genome", tmp_path, "train"))
    (tmp_path / "VG_100K_2").rename(tmp_path / "b")
    with pytest.raises(DatasetError, match=r"images2\.zip hold them"):
        visual_genome.records(tmp_path)
