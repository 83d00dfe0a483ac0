"""Every protocol against figures of the official code: masks of a seeded generator, nothing else needed."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from seeded_videos import VIDEOS, digest, draw_video, ranges, targets
from stored_masks import PLAIN, ArrayLabels, ChosenLabels, selection

from deixis.data.records import Expression
from deixis.evaluation.protocols.base import TruthObject, VideoTruth
from deixis.evaluation.protocols.run import score_videos
from deixis.evaluation.protocols.table import PROTOCOLS
from deixis.metrics.statistics import summarise

OFFICIAL = json.loads(
    (Path(__file__).parents[2] / "goldens" / "metrics" / "official_protocols.json").read_text()
)
EXACT = {"rtol": 0, "atol": 1e-12}


@pytest.fixture(scope="module")
def drawn() -> dict[str, dict[str, np.ndarray]]:
    maps = {name: draw_video(name) for name in VIDEOS}
    for name, own in maps.items():
        assert digest(own) == OFFICIAL["sha256"][name], "the generator draws other masks"
    return maps


def truths(drawn) -> list[VideoTruth]:
    found = []
    for name, maps in drawn.items():
        frames = tuple(f"{index:05d}" for index in range(len(maps["truth"])))
        found.append(VideoTruth(name=name, frames=frames, labels=ArrayLabels(maps["truth"], frames)))
    return found


def predicted(drawn, kind: str, tables=None) -> dict[str, ChosenLabels]:
    return {
        truth.name: ChosenLabels(
            ArrayLabels(drawn[truth.name][kind], truth.frames), tables[truth.name] if tables else {"": PLAIN}
        )
        for truth in truths(drawn)
    }


def statistics(row) -> list[float]:
    found = [summarise(scores) for scores in (row.region, row.contour)]
    return [getattr(one, name) for one in found for name in ("mean", "recall", "decay")]


@pytest.mark.parametrize(
    ("protocol", "kind"), [("davis17-semi", "by_id"), ("davis17-unsupervised", "proposals")]
)
def test_davis17(drawn, protocol, kind):
    expected = OFFICIAL[protocol]
    score = score_videos(PROTOCOLS[protocol], truths(drawn), predicted(drawn, kind))
    assert tuple(score.table) == PROTOCOLS[protocol].columns
    for column, value in expected["global"].items():
        assert score.table[column] == pytest.approx(value, abs=1e-12), column
    for name in VIDEOS:
        own = [row for row in score.rows if row.video == name]
        # The official rows follow the proposals, ours the objects.
        own.sort(key=lambda row: row.extra.get("proposal", int(row.name)))
        for index, row in enumerate(own, start=1):
            np.testing.assert_allclose(statistics(row), expected["rows"][f"{name}_{index}"], **EXACT)


def test_davis16(drawn):
    score = score_videos(PROTOCOLS["davis16"], truths(drawn), predicted(drawn, "by_id"))
    for row in score.rows:
        found = [row.region.mean(), row.contour.mean()]
        np.testing.assert_allclose(found, OFFICIAL["davis16"]["rows"][row.video], **EXACT)


@pytest.mark.parametrize("protocol", ["mevis", "refdavis-per-expression", "ref-youtube-vos"])
def test_per_expression(drawn, protocol):
    spoken = [
        replace(
            truth,
            expressions=tuple(Expression(key, key, ids) for key, (ids, _) in targets(truth.name).items()),
        )
        for truth in truths(drawn)
    ]
    tables = {name: {key: selection(labels) for key, (_, labels) in targets(name).items()} for name in VIDEOS}
    score = score_videos(PROTOCOLS[protocol], spoken, predicted(drawn, "by_id", tables))
    expected = OFFICIAL["per-expression"]
    np.testing.assert_allclose([score.table["J"], score.table["F"]], expected["global"], **EXACT)
    for row in score.rows:
        found = [row.region.mean(), row.contour.mean()]
        np.testing.assert_allclose(found, expected["rows"][f"{row.video}/{row.name}"], **EXACT)
    if protocol == "mevis":
        assert score.table["N-acc"] == 0.5 and 0 < score.table["T-acc"] < 1


def test_lvos(drawn):
    expected = OFFICIAL["lvos"]
    known = []
    for truth in truths(drawn):
        objects = []
        for label, span in ranges(truth.name).items():
            frames = tuple(truth.frames[(t - 1) // 5] for t in range(span["start"], span["end"], 5))
            assert len(frames) == span["frame_nums"]
            is_seen = truth.name not in expected["unseen_videos"]
            objects.append(TruthObject(id=int(label), is_seen=is_seen, frames=frames))
        known.append(replace(truth, objects=tuple(objects)))
    score = score_videos(PROTOCOLS["lvos"], known, predicted(drawn, "by_id"))
    for row in score.rows:
        found = [row.region.mean(), row.contour.mean(), row.extra["V"]]
        np.testing.assert_allclose(found, expected["rows"][f"{row.video}_{row.name}"], **EXACT)
    for part in ("seen", "unseen"):
        found = [score.table[f"{name}_{part}"] for name in "JFV"]
        np.testing.assert_allclose(found, expected[part], **EXACT)
    assert score.table["J&F"] == pytest.approx(np.mean([expected["seen"][:2], expected["unseen"][:2]]))


@pytest.mark.parametrize(
    ("protocol", "published", "kind"),
    [
        ("refdavis-semi", "davis17-semi", "by_id"),
        ("refdavis-unsupervised", "davis17-unsupervised", "proposals"),
    ],
)
def test_four_annotators_average_what_each_would_get(drawn, protocol, published, kind):
    # Annotator 3 finds nothing at all; the official tool gives objects of empty frames their 1.
    nothing = np.zeros(256, np.uint8)
    tables = {name: {"0": PLAIN, "1": PLAIN, "2": PLAIN, "3": nothing} for name in VIDEOS}
    score = score_videos(PROTOCOLS[protocol], truths(drawn), predicted(drawn, kind, tables))
    alone = score_videos(
        PROTOCOLS[published], truths(drawn), predicted(drawn, kind, {name: {"": nothing} for name in VIDEOS})
    )
    for column, value in OFFICIAL[published]["global"].items():
        assert score.groups["annotator"]["annotator 1"][column] == pytest.approx(value, abs=1e-12)
        average = (3 * value + alone.table[column]) / 4
        assert score.table[column] == pytest.approx(average, abs=1e-12), column


def test_binary_masks_without_overlap_score_as_label_maps(drawn):
    tables = {
        name: {str(label): selection([label]) for label in range(1, VIDEOS[name][3] + 1)} for name in VIDEOS
    }
    score = score_videos(PROTOCOLS["davis17-binary"], truths(drawn), predicted(drawn, "by_id", tables))
    for row in score.rows:
        j_mean, _, _, f_mean, *_ = OFFICIAL["davis17-semi"]["rows"][f"{row.video}_{row.name}"]
        np.testing.assert_allclose([row.region.mean(), row.contour.mean()], [j_mean, f_mean], **EXACT)
