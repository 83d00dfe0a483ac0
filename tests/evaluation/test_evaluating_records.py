"""Scoring of predictors that know or mix up the truth, on a record made here."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deixis.data.records import Expression, VideoRecord
from deixis.errors import DatasetError, DeixisError, SinkError
from deixis.evaluation.benchmark import evaluate_video, permuted_answers
from deixis.evaluation.ledger import Ledger
from deixis.evaluation.predictor import predict_from_arrays, read_frames
from deixis.evaluation.record import load_record
from deixis.evaluation.report import figures_table, report_of_result
from deixis.evaluation.reports.content import load_report
from deixis.evaluation.run import Subject, evaluate
from deixis.metrics.tables import ExpressionRow, aggregate, by_kind

NUM_FRAMES, SIZE = 5, (24, 40)
SUBJECT = Subject(model="none", weights_sha256="", dataset="made-up", split="test")


class Frames:
    def read(self, indices):
        return np.stack([np.full((*SIZE, 3), index, np.uint8) for index in indices])


class Masks:
    def read(self, indices, object_ids):
        found = np.zeros((len(object_ids), len(indices), *SIZE), bool)
        for n, object_id in enumerate(object_ids):
            for t, index in enumerate(indices):
                found[n, t, 2 + index : 10 + index, 12 * object_id - 10 : 12 * object_id] = True
        return found


def record(name="clip", annotated=None, masks=True) -> VideoRecord:
    return VideoRecord(
        name=name,
        frame_names=tuple(map(str, range(NUM_FRAMES))),
        frames=Frames(),
        expressions=(
            Expression("0", "first", (1,), ("appearance",)),
            Expression("1", "second", (2,), ("appearance", "motion")),
            Expression("2", "both", (1, 2), ("several",)),
            Expression("3", "third", (3,), ("motion",)),
            Expression("4", "nothing", (), ("absent",)),
        ),
        object_ids=(1, 2, 3),
        masks=Masks() if masks else None,
        annotated_frames=annotated,
    )


IDS = {"first": [1], "second": [2], "both": [1, 2], "third": [3], "nothing": []}


def know(frames, expressions):
    """Answer every expression rightly."""
    masks = [Masks().read(range(len(frames)), IDS[text]).any(0) for text in expressions]
    return np.stack(masks)


def ignore_words(frames, expressions):
    """Answer every expression with object 1."""
    return np.stack([Masks().read(range(len(frames)), [1])[0]] * len(expressions))


def test_a_perfect_predictor():
    rows = evaluate_video(record(), predict_from_arrays(know))
    assert [row.expression for row in rows] == ["0", "1", "2", "3", "4"]
    figures = aggregate(rows)
    assert figures.region == figures.contour == figures.region_and_contour == 1
    assert figures.precision == (1,) * 5 and figures.overall_iou == figures.mean_iou == 1
    assert figures.absent_accuracy == 1 and figures.num_absent == 1 and figures.num_expressions == 4
    assert set(by_kind(rows)) == {"absent", "appearance", "motion", "several"}


def test_the_control_is_low_for_who_listens_and_unmoved_for_who_does_not():
    listening = evaluate_video(record(), predict_from_arrays(know), permute_seed=1)
    assert [row.expression for row in listening] == ["0", "1", "2", "3"]
    assert aggregate(listening).region == 0
    assert all(row.answered_by != row.expression for row in listening)
    deaf = aggregate(evaluate_video(record(), predict_from_arrays(ignore_words)))
    control = aggregate(evaluate_video(record(), predict_from_arrays(ignore_words), permute_seed=1))
    assert control.region_and_contour == deaf.region_and_contour > 0


@given(st.lists(st.frozensets(st.integers(1, 4), max_size=2), max_size=8), st.integers(0, 5))
def test_answers_never_share_an_object(referents, seed):
    expressions = [Expression(str(i), "a", tuple(sorted(ids))) for i, ids in enumerate(referents)]
    answers = permuted_answers("clip", expressions, seed)
    assert answers == permuted_answers("clip", expressions, seed)
    for truth, answer in answers:
        assert referents[truth] and referents[answer] and not referents[truth] & referents[answer]
    singles = [ids for ids in referents if len(ids) == 1]
    if len(set(singles)) > 1:
        answered = {tuple(referents[truth]): tuple(referents[answer]) for truth, answer in answers}
        objects = {tuple(ids) for ids in singles}
        assert {answered[name] for name in objects} == objects, "each object answers for exactly one other"


def test_only_annotated_frames_count():
    (row, *_) = evaluate_video(record(annotated=(1, 3)), predict_from_arrays(know))
    assert row.num_frames == 2
    assert [int(frame[0, 0, 0]) for frame in read_frames(record())] == list(range(NUM_FRAMES))


def test_wrong_predictions_are_refused():
    def cut(array):
        return lambda frames, expressions: array(know(frames, expressions))

    for wrong, message in (
        (lambda masks: masks[:, :, :-1], "masks predicted at 23x40, but the truth is 24x40"),
        (lambda masks: masks[:, :-1], "4 frames, the video has 5"),
        (lambda masks: masks[:-1], "4 masks predicted for 5 expressions"),
    ):
        with pytest.raises(DatasetError, match=message):
            evaluate_video(record(), predict_from_arrays(cut(wrong)))
    with pytest.raises(DatasetError, match="truth about clip is held back"):
        evaluate_video(record(masks=False), predict_from_arrays(know))


def test_a_killed_evaluation_goes_on(tmp_path):
    seen = []

    def counting(record_, expressions):
        if len(seen) == 2:
            raise KeyboardInterrupt
        seen.append(record_.name)
        yield from predict_from_arrays(know)(record_, expressions)

    videos = [record(name) for name in "abc"]
    with pytest.raises(KeyboardInterrupt):
        evaluate(videos, counting, SUBJECT, tmp_path)
    assert not (tmp_path / "result.json").exists()
    with (tmp_path / "rows.jsonl").open("a") as file:
        file.write('{"video": "c", "rows": [{"vid')
    seen[:] = ["again"]
    result = evaluate(videos, counting, SUBJECT, tmp_path)
    assert seen == ["again", "c"]
    whole = evaluate(videos, predict_from_arrays(know), SUBJECT, tmp_path / "whole")
    assert result.rows == whole.rows and list(result.figures_by_video) == ["a", "b", "c"]
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "report.csv",
        "report.html",
        "report.json",
        "report.md",
        "result.json",
        "rows.jsonl",
        "whole",
    ]


def test_another_evaluation_is_not_mixed_in(tmp_path):
    evaluate([record()], predict_from_arrays(know), SUBJECT, tmp_path)
    with pytest.raises(SinkError, match="another evaluation \\(it differs in protocol\\)"):
        evaluate([record()], predict_from_arrays(know), SUBJECT, tmp_path, permute_seed=0)
    result = evaluate(
        [record()], predict_from_arrays(know), SUBJECT, tmp_path, permute_seed=0, overwrite=True
    )
    assert result.protocol["permute_seed"] == 0
    (tmp_path / "rows.jsonl").write_text("[]\n")
    with pytest.raises(SinkError, match="not a file of finished videos"):
        evaluate([record()], predict_from_arrays(know), SUBJECT, tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(SinkError, match="cannot write"):
        Ledger(tmp_path / "file" / "rows.jsonl", {}, ExpressionRow)


def test_the_record_is_json_and_comes_back(tmp_path):
    result = evaluate([record()], predict_from_arrays(know), SUBJECT, tmp_path)
    plain = json.loads((tmp_path / "result.json").read_text())
    assert plain["figures_by_kind"]["motion"]["absent_accuracy"] is None
    assert {"deixis", "torch", "numpy", "python"} <= plain["versions"].keys()
    assert repr(load_record(tmp_path / "result.json")) == repr(result)
    with pytest.raises(DeixisError, match="is no record"):
        load_record(tmp_path / "rows.jsonl")


def test_models_get_the_reports_that_saved_masks_get(tmp_path):
    result = evaluate([record()], predict_from_arrays(ignore_words), SUBJECT, tmp_path)
    report = load_report(tmp_path / "report.json")
    assert report.figures["J&F"] == result.figures.region_and_contour
    assert report.groups["kind"]["motion"]["J"] == result.figures_by_kind["motion"].region
    assert len(report.rows) == 5 and all(len(row.region) == NUM_FRAMES for row in report.rows)
    control = evaluate([record()], predict_from_arrays(know), SUBJECT, tmp_path / "control", permute_seed=0)
    assert report_of_result(control).rows[0].note.startswith("scored against the answer to ")


def test_the_tables_hold_the_figures(tmp_path):
    evaluate([record()], predict_from_arrays(ignore_words), SUBJECT, tmp_path)
    report = (tmp_path / "report.md").read_text()
    rows = {line.split("|")[1].strip(): line.split("|")[2:-1] for line in report.splitlines() if "|" in line}
    assert (rows["all"][0].strip(), rows["all"][2].strip()) == ("4+1", "37.5")
    assert rows["absent"][-2].strip() == "0.0" and rows["absent"][1].strip() == "-"
    figures = aggregate([])
    assert math.isnan(figures.region) and "-" in figures_table({"none": figures})
