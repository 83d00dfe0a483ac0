import pytest

from deixis.data import plans
from deixis.data.clips import plan_clips
from deixis.data.plans import cached_plans
from deixis.data.rules import ClipRule
from training.toy_world import toy_records

TILING = ClipRule(kind="tiling", length=4)
AROUND = ClipRule(kind="around-annotated", length=4)


def test_plans_are_made_once_and_read_after(tmp_path, monkeypatch):
    records = toy_records(5)
    expected = plan_clips(records, TILING)
    assert list(cached_plans(records, tmp_path, TILING, name="toy")) == list(expected)
    (path,) = tmp_path.iterdir()

    def refuse(*arguments):
        raise AssertionError("the masks were read again")

    with monkeypatch.context() as patch:
        patch.setattr(plans, "plan_clips", refuse)
        assert list(cached_plans(records, tmp_path, TILING, name="toy")) == list(expected)
        with pytest.raises(AssertionError):
            cached_plans(records, tmp_path, ClipRule(kind="tiling", length=3), name="toy")
        with pytest.raises(AssertionError):
            cached_plans(records[:4], tmp_path, TILING, name="toy")
    path.write_text("[[1, 2")
    assert list(cached_plans(records, tmp_path, TILING, name="toy")) == list(expected)
    around = cached_plans(records, tmp_path, AROUND, name="toy")
    again = cached_plans(records, tmp_path, AROUND, name="toy")
    assert list(around) == list(again)
