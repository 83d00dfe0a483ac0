import pytest

from deixis.data import plans
from deixis.data.clips import plan_clips
from deixis.data.plans import cached_plans
from training.toy_world import toy_records


def test_plans_are_made_once_and_read_after(tmp_path, monkeypatch):
    records = toy_records(5)
    expected = plan_clips(records, "tiling", 4)
    assert list(cached_plans(records, tmp_path, name="toy", kind="tiling", length=4)) == list(expected)
    (path,) = tmp_path.iterdir()

    def refuse(*arguments):
        raise AssertionError("the masks were read again")

    with monkeypatch.context() as patch:
        patch.setattr(plans, "plan_clips", refuse)
        assert list(cached_plans(records, tmp_path, name="toy", kind="tiling", length=4)) == list(expected)
        with pytest.raises(AssertionError):
            cached_plans(records, tmp_path, name="toy", kind="tiling", length=3)
        with pytest.raises(AssertionError):
            cached_plans(records[:4], tmp_path, name="toy", kind="tiling", length=4)
    path.write_text("[[1, 2")
    assert list(cached_plans(records, tmp_path, name="toy", kind="tiling", length=4)) == list(expected)
    around = cached_plans(records, tmp_path, name="toy", kind="around-annotated", length=4)
    again = cached_plans(records, tmp_path, name="toy", kind="around-annotated", length=4)
    assert list(around) == list(again)
