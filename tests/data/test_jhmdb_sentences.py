"""JHMDB-Sentences: what the parser returns, and what it says of wrong folders."""

import re

import numpy as np
import pytest
from miniature import SIZE, frame, labels, write_frames
from scipy.io import savemat

from deixis.data import jhmdb_sentences
from deixis.data.catalog import DATASETS, load_records
from deixis.data.check import check_split
from deixis.data.records import Expression, ObjectInfo
from deixis.errors import DatasetError, MissingSplitError

KNOWN = "wave_and_say_hi_wave_u_nm_np1_fr_med_0"
"""A video of the published list: 40 masks, frames 3, 15 and 34."""


def write_masks(path, count):
    path.parent.mkdir(parents=True, exist_ok=True)
    masks = np.stack([labels(index % 3) == 1 for index in range(count)], axis=-1)  # H W T
    savemat(path, {"part_mask": masks.astype(np.uint8)}, do_compression=True)


def write_jhmdb(root, masks_of_known=40):
    """Write a video of the list and one that it lacks, whose masks are fewer than its frames."""
    root.mkdir(exist_ok=True)
    (root / "jhmdb_annotation.txt").write_text(
        f'video_id,query\n{KNOWN},"a man, waving"\nown,the Dog\n', encoding="utf-8"
    )
    for action, name, count in (("wave", KNOWN, 40), ("run", "own", 4)):
        write_frames(root / "Rename_Images" / action / name, [f"{n:05d}" for n in range(1, count + 1)])
    write_masks(root / "puppet_mask" / "wave" / KNOWN / "puppet_mask.mat", masks_of_known)
    write_masks(root / "puppet_mask" / "run" / "own" / "puppet_mask.mat", 3)


def findings(root, **options):
    records = load_records("jhmdb-sentences", root)
    entry = DATASETS["jhmdb-sentences"]
    return [str(one) for one in check_split(entry, root, "test", records, compare_counts=False, **options)]


def test_records(tmp_path):
    write_jhmdb(tmp_path)
    known, own = jhmdb_sentences.records(tmp_path)
    assert known.expressions == (Expression("0", "a man, waving", (1,)),)
    assert known.objects == (ObjectInfo(1, "wave"),) and known.annotated_frames == (2, 14, 33)
    assert len(known.frame_names) == 40 and known.frame_names[0] == "00001"
    np.testing.assert_array_equal(known.frames.read([2]), frame(2)[None])
    masks = known.masks.read([14, 33], [1, 2])
    assert masks.shape == (2, 2, *SIZE) and not masks[1].any()
    np.testing.assert_array_equal(masks[0], [labels(14 % 3) == 1, labels(33 % 3) == 1])
    assert own.frame_names == ("00001", "00002", "00003") and own.annotated_frames is None
    with pytest.raises(DatasetError, match="has 3 masks, none of frame 4"):
        own.masks.read([3], [1])
    assert findings(tmp_path, is_thorough=True) == [
        "own: is not in the published list of frames; all of its frames are annotated (known)"
    ]


def test_the_published_list():
    listed = jhmdb_sentences.sampled_frames()
    assert len(listed) == 928 and sum(len(frames) for _, frames in listed.values()) == 2784
    assert all(1 <= min(frames) <= max(frames) <= count for count, frames in listed.values())
    assert sum(count == 40 for count, _ in listed.values()) == 475
    assert {count for count, _ in listed.values()} <= set(range(15, 41))


def test_one_mask_of_two_axes(tmp_path):
    path = tmp_path / "puppet_mask.mat"
    savemat(path, {"part_mask": np.ones(SIZE, np.uint8)})
    reader = jhmdb_sentences.PuppetMasks(path)
    assert reader.num_masks() == 1 and reader.read([0], [1]).shape == (1, 1, *SIZE)


def test_wrong_numbers_of_masks_are_found(tmp_path):
    write_jhmdb(tmp_path, masks_of_known=35)
    assert f"{KNOWN}: has 35 masks, the published list says 40" in findings(tmp_path)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda path: path.write_bytes(path.read_bytes()[:200]), "cannot read the masks"),
        (lambda path: path.write_text("<html>"), "cannot read the masks"),
        (lambda path: path.write_bytes(b""), "cannot read the masks"),
        (lambda path: savemat(path, {"other": np.ones(3)}), "no part_mask of three axes"),
        (lambda path: path.unlink(), "there is no .*puppet_mask.mat"),
    ],
)
def test_broken_masks_are_one_line(tmp_path, damage, message):
    write_jhmdb(tmp_path)
    damage(tmp_path / "puppet_mask" / "wave" / KNOWN / "puppet_mask.mat")
    found = [one for one in findings(tmp_path) if re.search(message, one)]
    assert len(found) == 1 and "\n" not in found[0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("video,query\n", "does not start with video_id,query"),
        (f"video_id,query\n{KNOWN}\n", "line 2 of .* has 1 columns, not 2"),
        ("video_id,query\nlost,a dog\n", "has no video lost of"),
    ],
)
def test_malformed_tables(tmp_path, text, message):
    write_jhmdb(tmp_path)
    (tmp_path / "jhmdb_annotation.txt").write_text(text)
    with pytest.raises(DatasetError, match=message):
        jhmdb_sentences.records(tmp_path)


def test_half_of_the_data_set(tmp_path):
    write_jhmdb(tmp_path)
    (tmp_path / "Rename_Images").rename(tmp_path / "a")
    assert any("none of its 40 images is there" in one for one in findings(tmp_path))
    (tmp_path / "puppet_mask").rename(tmp_path / "b")
    with pytest.raises(DatasetError, match=r"cannot list .*puppet_mask"):
        jhmdb_sentences.records(tmp_path)
    (tmp_path / "jhmdb_annotation.txt").unlink()
    with pytest.raises(MissingSplitError, match="Rename_Images/ and puppet_mask/"):
        jhmdb_sentences.records(tmp_path)
