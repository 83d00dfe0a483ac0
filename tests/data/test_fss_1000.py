"""FSS-1000: folders with lists of classes, the files of UniRef++, and wrong folders."""

import numpy as np
import pytest
from miniature import SIZE, frame, write_json
from PIL import Image

from deixis.data.catalog import DATASETS, load_records
from deixis.data.check import check_split
from deixis.errors import DatasetError, MissingSplitError, UnknownNameError
from deixis.ops.run_lengths import encode_rle


def mask(index):
    found = np.zeros(SIZE, bool)
    found[4:20, 2 * index : 2 * index + 9] = True
    return found


def write_class(folder, numbers):
    folder.mkdir(parents=True)
    for number in numbers:
        Image.fromarray(frame(number)).save(folder / f"{number}.jpg")
        grey = np.where(mask(number), 140, 110).astype(np.uint8)
        Image.fromarray(grey).convert("RGB").save(folder / f"{number}.png")


def write_list(path, *names):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{name}\n" for name in names))


@pytest.mark.parametrize("images", ["images", "fewshot_data/fewshot_data", "."])
@pytest.mark.parametrize("lists", ["splits", "../splits/fss", "."])
def test_folders_of_classes(tmp_path, images, lists):
    root = tmp_path / "fss"
    write_class(root / images / "ab_wheel", range(1, 11))
    write_class(root / images / "adidas", [1, 2, 3])
    write_list(root / lists / "val.txt", "adidas", "ab_wheel")
    adidas, wheel = load_records("fss-1000", root, "val")
    assert (adidas.name, adidas.frame_names) == ("adidas", ("1", "2", "3"))
    assert wheel.frame_names == tuple(map(str, range(1, 11)))
    assert wheel.objects[0].category == "ab wheel" and wheel.object_ids == (1,)
    first = [wheel.frame_names[one] for one in wheel.examples[0]]
    assert first == ["10", "2", "3", "4", "5", "6", "7", "8", "9"]
    assert [wheel.frame_names[one] for one in wheel.examples[9][:5]] == ["1", "2", "3", "4", "5"]
    np.testing.assert_array_equal(wheel.masks.read([2, 9], (1,))[0], [mask(3), mask(10)])
    assert not wheel.masks.read([2], (2,)).any()
    assert np.abs(wheel.frames.read([2])[0].astype(int) - frame(3)).mean() < 8
    with pytest.raises(MissingSplitError, match=r"put trn\.txt, a class a line"):
        load_records("fss-1000", root, "train")
    with pytest.raises(UnknownNameError, match="split"):
        load_records("fss-1000", root, "testA")
    entry = DATASETS["fss-1000"]
    records = load_records("fss-1000", root, "val")
    told = [str(one) for one in check_split(entry, root, "val", records, is_thorough=True)]
    assert told == ["2 classes, published: 240", "13 frames, published: 2,400"]


def test_what_is_missing_is_told(tmp_path):
    write_class(tmp_path / "images/ab_wheel", [1, 2])
    write_list(tmp_path / "splits/test.txt", "ab_wheel", "zebra", "zucchini")
    with pytest.raises(DatasetError, match=r"names 2 classes .* the first: zebra"):
        load_records("fss-1000", tmp_path, "test")
    write_list(tmp_path / "splits/test.txt", "ab_wheel")
    (tmp_path / "images/ab_wheel/2.png").unlink()
    records = load_records("fss-1000", tmp_path, "test")
    told = [
        str(one) for one in check_split(DATASETS["fss-1000"], tmp_path, "test", records, compare_counts=False)
    ]
    assert len(told) == 1 and "there is no" in told[0] and "2.png" in told[0]
    with pytest.raises(DatasetError, match=r"cannot read the mask .*2\.png"):
        records[0].masks.read([1], (1,))
    (tmp_path / "images/ab_wheel/2.png").write_bytes(b"nothing")
    with pytest.raises(DatasetError, match=r"cannot read the mask .*2\.png"):
        records[0].masks.read([1], (1,))


def test_the_files_of_uniref(tmp_path):
    """The second image was left out for its empty mask, so that numbers of examples are shifted."""
    write_class(tmp_path / "images/ab_wheel", [1, 2, 10, 3])
    names = {1: "ab_wheel/1.jpg", 2: "ab_wheel/10.jpg", 3: "ab_wheel/3.jpg"}
    everything = ["ab_wheel/1.jpg", "ab_wheel/10.jpg", "ab_wheel/2.jpg", "ab_wheel/3.jpg"]
    images = [
        {
            "id": number,
            "file_name": name,
            "height": SIZE[0],
            "width": SIZE[1],
            "support_image_names": [one for one in everything if one != name],
            "support_image_ids": [1, 2],
            "split": "test",
        }
        for number, name in names.items()
    ]
    annotations = [
        {
            "id": number,
            "image_id": number,
            "category_id": 1,
            "iscrowd": 0,
            "bbox": [0, 0, 1, 1],
            "segmentation": encode_rle(mask(int(name[9:-4]))[None])[0],
        }
        for number, name in names.items()
    ]
    content = {"images": images, "categories": [{"id": 1, "name": "object"}], "annotations": annotations}
    write_json(tmp_path / "annotations/test.json", content)
    (record,) = load_records("fss-1000", tmp_path, "test")
    assert (record.name, record.frame_names) == ("ab_wheel", ("1", "3", "10"))
    assert [[record.frame_names[one] for one in some] for some in record.examples] == [
        ["10", "3"],
        ["1", "10"],
        ["1", "3"],
    ]
    np.testing.assert_array_equal(record.masks.read([0, 2], (1,))[0], [mask(1), mask(10)])
    assert record.frames.read([2]).shape == (1, *SIZE, 3)
    (tmp_path / "images").rename(tmp_path / "pictures")
    with pytest.raises(DatasetError, match=r"there is no folder .*images"):
        load_records("fss-1000", tmp_path, "test")
