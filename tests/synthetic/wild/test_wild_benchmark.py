import numpy as np
import pytest

from deixis.errors import UnknownNameError
from deixis.evaluation.synthetic import find_records
from deixis.synthetic.wild.benchmark import wild_records
from deixis.synthetic.worlds import rendered_records


def test_splits_have_seeds_of_their_own():
    seeds = [
        range(found.first_seed, found.first_seed + len(found))
        for found in (wild_records(split) for split in ("train", "val", "test"))
    ]
    assert [len(seeds[1]), len(seeds[2])] == [100, 100]
    for first, second in ((0, 1), (0, 2), (1, 2)):
        assert seeds[first].stop <= seeds[second].start or seeds[second].stop <= seeds[first].start


def test_a_record_reads_frames_and_masks_that_agree_with_its_objects():
    record = wild_records("train", length=4)[3]
    frames = record.frames.read([0, 3])
    masks = record.masks.read([0, 3], record.object_ids)
    assert frames.shape == (2, 240, 426, 3) and frames.dtype == np.uint8
    assert masks.shape == (len(record.object_ids), 2, 240, 426)
    assert masks.sum(axis=0).max(initial=0) <= 1
    assert [item.id for item in record.objects] == list(record.object_ids)


def test_worlds_are_found_by_name():
    assert find_records("val", 2, "synthetic-wild")[1].name == "val_01000001"
    assert len(rendered_records("synthetic", "test", 10_000)) == 200
    with pytest.raises(UnknownNameError, match="did you mean synthetic-wild"):
        rendered_records("synthetic-wil", "val")
    with pytest.raises(UnknownNameError, match="split of synthetic-wild"):
        find_records("train", benchmark="synthetic-wild")


def test_other_clips_than_there_are_cannot_be_asked_for():
    with pytest.raises(ValueError, match="val has 100 clips"):
        wild_records("val", 101)
