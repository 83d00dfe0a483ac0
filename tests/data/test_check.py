"""The check of a data set: counts, missing files, objects without masks, what a module itself knows."""

from dataclasses import replace

import numpy as np
import pytest
from miniature import FRAMES, SIZE, labels, write_a2d, write_frames, write_json, write_masks
from miniature import write_ref_youtube_vos as write_ref
from PIL import Image

from deixis.data import a2d_sentences, ref_youtube_vos, youtube_vos
from deixis.data.catalog import DATASETS, Counts, DatasetEntry
from deixis.data.check import Finding, check_record, check_split, count_findings
from deixis.data.readers import ImageFolder, LabelFolder
from deixis.data.records import Expression, VideoRecord

RECORD = VideoRecord("v", ("0",), frames=None, expressions=(Expression("0", "a"),), object_ids=(1, 2))  # type: ignore[invalid-argument-type]


def told(findings):
    return [str(finding) for finding in findings]


def test_counts_are_compared_with_the_closest_release():
    releases = (Counts(videos=2, objects=4, release="v1"), Counts(videos=7, objects=9, release="v2"))
    assert told(count_findings([RECORD] * 2, releases)) == []
    assert told(count_findings([RECORD] * 3, releases, "images")) == [
        "3 images, published for v1: 2",
        "6 objects, published for v1: 4",
    ]
    unsure = (Counts(videos=2, expressions=3, unsure=("expressions",)),)
    assert told(count_findings([RECORD] * 2, unsure)) == ["2 expressions, commonly reported: 3 (known)"]
    assert told(count_findings([RECORD], ())) == []


def test_counting_reads_no_more_than_was_published():
    class Unread:
        def __len__(self):
            raise AssertionError("the objects were read")

    record = replace(RECORD, object_ids=Unread())
    assert told(count_findings([record], (Counts(videos=1, expressions=1),))) == []


def test_every_entry_counts_its_splits_and_says_where_it_is():
    for entry in DATASETS.values():
        assert entry.evaluated in entry.splits and set(entry.counts) <= set(entry.splits)
        assert entry.source and entry.licence and "ROOT/" in entry.layout


def test_a_module_adds_what_it_knows_and_names_are_unique(tmp_path, monkeypatch):
    write_ref(tmp_path)
    records = ref_youtube_vos.records(tmp_path, "train")
    (tmp_path / "train" / "JPEGImages" / "five").mkdir()
    monkeypatch.setattr(ref_youtube_vos, "findings", lambda record: [Finding(record.name, "is odd")])
    entry = DATASETS["ref-youtube-vos"]
    watched = []
    findings = check_split(
        entry, tmp_path, "train", records, watch=lambda all_of: watched.append(all_of) or all_of
    )
    folder = tmp_path / "train" / "JPEGImages"
    assert told(findings) == [
        "2 videos, published: 3,471",
        "3 expressions, published: 12,913",
        "4 objects, published: 6,459",
        "one: is odd",
        "two: is odd",
        f"1 folders of {folder} are in no metadata: five",
        "1 objects have no expression (known)",
    ]
    assert watched == [records]
    twice = check_split(entry, tmp_path, "train", [records[0]] * 2, compare_counts=False)
    assert "one: occurs more than once" in told(twice)


def test_modules_without_hooks_are_checked(tmp_path):
    entry = DatasetEntry(
        module="deixis.data.readers", splits=("val",), evaluated="val", source="", licence=""
    )
    write_frames(tmp_path)
    record = replace(RECORD, frame_names=FRAMES, frames=ImageFolder(tmp_path, FRAMES))
    assert told(check_split(entry, tmp_path, "val", [record])) == []


def make_record(root, **changes):
    write_frames(root / "frames")
    write_masks(root / "masks")
    record = VideoRecord(
        "v", FRAMES, ImageFolder(root / "frames", FRAMES), (), (1, 2), LabelFolder(root / "masks", FRAMES)
    )
    return replace(record, **changes)


def test_sentences_are_asked_for_only_where_the_data_set_has_some(tmp_path):
    record = make_record(tmp_path)
    assert told(check_record(record)) == ["v: has no expressions"]
    assert told(check_record(record, needs_expressions=False, is_thorough=True)) == []


def test_expressions(tmp_path):
    wrong = (
        Expression("0", "The cat", (1,)),
        Expression("0", "", (2,)),
        Expression("1", "the  CAT", (2,)),
        Expression("2", "a dog", (7,)),
    )
    assert told(check_record(make_record(tmp_path, expressions=wrong))) == [
        "v: the expression id 0 occurs more than once",
        "v: expression 0 is empty",
        "v: expressions 0 and 1 say the same of different objects: 'the cat' (known)",
        "v: expression 2 speaks of unknown objects [7]",
    ]


def test_an_object_has_to_be_where_it_begins(tmp_path):
    base = tmp_path / "valid"
    write_frames(base / "JPEGImages" / "clip")
    write_masks(base / "Annotations" / "clip")
    objects = {"2": {"category": "cat", "frames": list(FRAMES)}}
    write_json(base / "meta.json", {"videos": {"clip": {"objects": objects}}})
    (record,) = youtube_vos.records(tmp_path, "val")
    assert told(check_record(record, needs_expressions=False)) == [
        "clip: object 2 has no pixel in frame 00000, where it is said to begin"
    ]


def test_ids_without_masks_and_masks_without_ids(tmp_path):
    record = make_record(tmp_path, object_ids=(1, 3))
    assert told(check_record(record, needs_expressions=False)) == []
    assert told(check_record(record, needs_expressions=False, is_thorough=True)) == [
        "v: object 3 has no pixel in any annotated frame",
        "v: object 2 of frame 00005 is in no metadata (known)",
    ]


@pytest.mark.parametrize("is_thorough", [False, True])
def test_sizes_and_unreadable_files(tmp_path, is_thorough):
    record = make_record(tmp_path, size=(30, 48))
    options = {"needs_expressions": False, "is_thorough": is_thorough}
    assert told(check_record(record, **options)) == ["v: frames are 32x48 but the metadata says 30x48"]
    Image.fromarray(labels(0)[:-2]).save(tmp_path / "masks" / "00000.png")
    record = replace(record, size=SIZE)
    assert told(check_record(record, **options)) == ["v: frame 00000 is 32x48 but its masks are 30x48"]
    image = tmp_path / "frames" / "00000.png"
    image.write_bytes(image.read_bytes()[:70])
    (finding,) = told(check_record(record, **options))
    assert finding.startswith(f"v: cannot read the image {image}")


def test_every_unreadable_file_is_named(tmp_path):
    record = make_record(tmp_path)
    for path in (tmp_path / "frames" / "00000.png", tmp_path / "masks" / "00005.png"):
        path.write_bytes(b"no picture")
    Image.fromarray(np.zeros((9, 9, 3), np.uint8)).save(tmp_path / "frames" / "00015.png")
    found = told(check_record(record, needs_expressions=False, is_thorough=True))
    assert [one.split(str(tmp_path))[0] for one in found] == [
        "v: cannot read the image ",
        "v: cannot read the masks ",
        "v: frame 00015 is 9x9, the first one 32x48",
        "v: frame 00015 is 9x9 but its masks are 32x48",
    ]


def test_videos_of_another_length_and_unreadable_ids(tmp_path):
    write_a2d(tmp_path)
    (record,) = a2d_sentences.records(tmp_path, "test")
    assert told(check_record(record, is_thorough=True)) == []
    short = replace(record, frame_names=record.frame_names * 2)
    assert "clip: the video has 6 frames, the metadata says 12" in told(check_record(short, is_thorough=True))
    record.masks.path(4).write_text("no h5")
    (record,) = a2d_sentences.records(tmp_path, "test")
    (finding,) = told(check_record(record))
    assert finding.startswith("clip: cannot read the masks")


def test_missing_files_are_listed_up_to_ten(tmp_path):
    names = tuple(f"{index:05d}" for index in range(14))
    record = make_record(tmp_path, frame_names=names, frames=ImageFolder(tmp_path / "frames", names))
    record = replace(record, masks=LabelFolder(tmp_path / "masks", names))
    found = told(check_record(record, needs_expressions=False))
    assert len(found) == 11 and found[-1] == "v: and 14 more files are missing"
    gone = replace(record, frames=ImageFolder(tmp_path / "nowhere", names))
    assert told(check_record(gone, needs_expressions=False)) == [
        f"v: none of its 14 images is there ({tmp_path / 'nowhere'})"
    ]


def test_a_quick_check_reads_one_frame(tmp_path, monkeypatch):
    record = make_record(tmp_path)
    read, real = [], ImageFolder.read
    monkeypatch.setattr(
        ImageFolder, "read", lambda self, indices: read.extend(indices) or real(self, indices)
    )
    list(check_record(record, needs_expressions=False))
    assert read == [0]
    list(check_record(record, needs_expressions=False, is_thorough=True))
    assert read == [0, 0, 1, 2] and np.array(read).max() == 2
