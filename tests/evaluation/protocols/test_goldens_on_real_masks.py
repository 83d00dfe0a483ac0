"""Every figure of the official packages on masks of real methods, where the shared masks are at hand."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from stored_masks import PLAIN, ChosenLabels, RenamedLabels, relabelling, selection

from deixis.data.records import Expression
from deixis.evaluation.protocols.base import Options, TruthObject, VideoTruth
from deixis.evaluation.protocols.run import score_videos
from deixis.evaluation.protocols.sources import LabelFiles, truth_of_folder
from deixis.evaluation.protocols.table import PROTOCOLS
from deixis.metrics.statistics import summarise

MASKS = Path(__file__).parents[3] / ".." / "shared" / "goldens" / "metrics" / "masks"
GOLDENS = Path(__file__).parents[2] / "goldens" / "metrics"
pytestmark = pytest.mark.skipif(not MASKS.is_dir(), reason="the shared masks are not here")
EXACT = {"rtol": 0, "atol": 1e-8}


def golden(name: str):
    return json.loads((GOLDENS / f"{name}.json").read_text())


def truth_of(sequence: str) -> VideoTruth:
    return truth_of_folder(sequence, MASKS / "reference" / sequence)


def predicted(sequence: str, tables, names=None) -> ChosenLabels:
    return ChosenLabels(LabelFiles(MASKS / "proposals" / sequence), tables, names or {})


def check_table(table, expected) -> None:
    for column, value in expected.items():
        assert table[column] == pytest.approx(value, abs=1e-8), column


def check_row(row, expected) -> None:
    np.testing.assert_allclose(row.region, expected["J_frames"], **EXACT)
    np.testing.assert_allclose(row.contour, expected["F_frames"], **EXACT)
    for name, scores in (("J", row.region), ("F", row.contour)):
        found = summarise(scores)
        wanted = expected[name]
        if isinstance(wanted, dict):
            np.testing.assert_allclose(
                [found.mean, found.recall, found.decay],
                [wanted[k] for k in ("mean", "recall", "decay")],
                **EXACT,
            )
        else:
            assert found.mean == pytest.approx(np.ravel(wanted)[0], abs=1e-8)


def means(row) -> list[float]:
    return [row.region.mean(), row.contour.mean()]


def test_davis16():
    expected = golden("davis16_single_object")
    names = list(expected["sequences"])
    score = score_videos(
        PROTOCOLS["davis16"],
        [truth_of(name) for name in names],
        {name: predicted(name, {"": PLAIN}) for name in names},
    )
    check_table(score.table, expected["global"])
    for row in score.rows:
        assert list(row.frames) == expected["sequences"][row.video]["frames"]
        check_row(row, expected["sequences"][row.video]["objects"]["1"])


def test_davis17_semi():
    expected = golden("davis17_semisupervised")
    tables = {name: relabelling(table) for name, table in expected["relabel"].items()}
    score = score_videos(
        PROTOCOLS["davis17-semi"],
        [truth_of(name) for name in tables],
        {name: predicted(name, {"": table}) for name, table in tables.items()},
    )
    check_table(score.table, expected["global"])
    assert len(score.rows) == sum(len(one["objects"]) for one in expected["sequences"].values())
    for row in score.rows:
        check_row(row, expected["sequences"][row.video]["objects"][row.name])


def test_davis17_unsupervised_matches_proposals_as_published():
    expected = golden("davis17_unsupervised")
    names = list(expected["sequences"])
    score = score_videos(
        PROTOCOLS["davis17-unsupervised"],
        [truth_of(name) for name in names],
        {name: predicted(name, {"": PLAIN}) for name in names},
    )
    check_table(score.table, expected["global"])
    wanted = {
        (name, str(one["reference_label"])): one
        for name, sequence in expected["sequences"].items()
        for one in sequence["objects"].values()
    }
    assert len(wanted) == len(score.rows)
    for row in score.rows:
        assert row.extra["proposal"] == wanted[row.video, row.name]["proposal_label"]
        check_row(row, wanted[row.video, row.name])


@pytest.mark.parametrize(
    ("protocol", "published"),
    [("refdavis-unsupervised", "unsupervised"), ("refdavis-semi", "semi-supervised")],
)
def test_four_annotators(protocol, published):
    expected = golden("refdavis17_four_annotators")
    annotators = expected["annotators"]
    names = list(annotators[0]["relabel"])
    predictions = {
        name: predicted(
            name, {str(key): relabelling(one["relabel"][name]) for key, one in enumerate(annotators)}
        )
        for name in names
    }
    score = score_videos(PROTOCOLS[protocol], [truth_of(name) for name in names], predictions)
    check_table(score.table, expected[f"average_{published}"])
    for key, one in enumerate(annotators):
        group = f"annotator {key}"
        check_table(score.groups["annotator"][group], one[published]["global"])
        for name in names:
            rows = [row for row in score.rows if (row.video, row.group) == (name, group)]
            rows.sort(key=lambda row: row.extra.get("proposal", int(row.name)))
            for index, row in enumerate(rows, start=1):
                np.testing.assert_allclose(means(row), one[published]["per_row"][f"{name}_{index}"], **EXACT)


def test_per_expression():
    expected = golden("lvos_and_per_expression")["per_expression"]
    by_video: dict[str, dict[str, dict]] = {}
    for name, one in expected["expressions"].items():
        video, key = name.split("/")
        by_video.setdefault(video, {})[key] = one
    spoken = [
        VideoTruth(
            name=video,
            frames=tuple(f"{frame:05d}" for frame in next(iter(own.values()))["frames"]),
            labels=LabelFiles(MASKS / "reference" / video),
            expressions=tuple(Expression(key, key, tuple(one["gt_labels"])) for key, one in own.items()),
        )
        for video, own in by_video.items()
    ]
    predictions = {
        video: predicted(video, {key: selection(one["pred_labels"]) for key, one in own.items()})
        for video, own in by_video.items()
    }
    score = score_videos(PROTOCOLS["mevis"], spoken, predictions)
    check_table(score.table, expected["global"])
    for row in score.rows:
        check_row(row, by_video[row.video][row.name])


def test_lvos():
    expected = golden("lvos_and_per_expression")["lvos"]
    relabel = golden("davis17_semisupervised")["relabel"]
    truths, predictions = [], {}
    for video, told in expected["meta"]["videos"].items():
        stems = truth_of(video).frames
        names = {f"{1 + 5 * index:08d}": stem for index, stem in enumerate(stems)}
        spans = {label: one["frame_range"] for label, one in told["objects"].items()}
        objects = tuple(
            TruthObject(
                id=int(label),
                is_seen=video not in expected["unseen_videos"],
                frames=tuple(f"{t:08d}" for t in range(int(span["start"]), int(span["end"]), 5)),
            )
            for label, span in spans.items()
        )
        labels = RenamedLabels(LabelFiles(MASKS / "reference" / video), names)
        truths.append(VideoTruth(name=video, frames=tuple(names), labels=labels, objects=objects))
        predictions[video] = predicted(video, {"": relabelling(relabel[video])}, names)
    score = score_videos(PROTOCOLS["lvos"], truths, predictions)
    check_table(score.table, {k: v for k, v in expected["global"].items() if not k.endswith("scores_txt")})
    for row in score.rows:
        wanted = expected["per_object"][f"{row.video}_{row.name}"]
        np.testing.assert_allclose([*means(row), row.extra["V"]], [wanted[name] for name in "JFV"], **EXACT)


def test_binary_and_painted_masks():
    expected = golden("merge_void_binary")["overlap"]
    sequences = expected["sequences"]
    binary = {
        name: predicted(name, {key: selection(labels) for key, labels in one["pred_labels"].items()})
        for name, one in sequences.items()
    }
    truths = [truth_of(name) for name in sequences]
    for frames in ("inner", "all"):
        options = Options(frames=frames)
        score = score_videos(PROTOCOLS["davis17-binary"], truths, binary, options)
        np.testing.assert_allclose(
            [score.table["J"], score.table["F"]], expected["global"][f"binary/{frames}_frames"], **EXACT
        )
        for row in score.rows:
            wanted = sequences[row.video]["objects"][row.name][f"binary/{frames}_frames"]
            np.testing.assert_allclose(means(row), wanted, **EXACT)
        for order in ("higher", "lower") if frames == "inner" else ("higher",):
            merged = {}
            for name, one in sequences.items():
                keys = sorted(one["pred_labels"], key=int, reverse=order == "lower")
                painted = {label: int(key) for key in keys for label in one["pred_labels"][key]}
                merged[name] = predicted(name, {"": relabelling(painted)})
            score = score_videos(PROTOCOLS["davis17-semi"], truths, merged, options)
            for row in score.rows:
                wanted = sequences[row.video]["objects"][row.name][f"merged_{order}_id_wins/{frames}_frames"]
                np.testing.assert_allclose(means(row), wanted, **EXACT)


def test_void_is_left_out_by_the_unsupervised_protocol_only():
    relabel = golden("davis17_semisupervised")["relabel"]
    for name, expected in golden("merge_void_binary")["void_rows_200_to_239"].items():
        truth = truth_of(name)
        labels = RenamedLabels(LabelFiles(MASKS / "reference" / name), void_rows=(200, 240))
        predictions = {name: predicted(name, {"": relabelling(relabel[name])})}
        for protocol, published in (
            ("davis17-unsupervised", "unsupervised"),
            ("davis17-semi", "semi-supervised"),
        ):
            score = score_videos(PROTOCOLS[protocol], [replace(truth, labels=labels)], predictions)
            rows = sorted(score.rows, key=lambda row: row.extra.get("proposal", int(row.name)))
            for index, row in enumerate(rows, start=1):
                np.testing.assert_allclose(means(row), expected[published][f"{name}_{index}"], **EXACT)
