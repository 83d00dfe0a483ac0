from dataclasses import replace

import numpy as np
import pytest
from stored_masks import ArrayLabels

from deixis.errors import DatasetError
from deixis.evaluation.protocols.base import TruthObject, VideoTruth
from deixis.evaluation.protocols.propagation import spread
from deixis.evaluation.protocols.run import score_videos
from deixis.evaluation.protocols.sources import PredictedArrays
from deixis.evaluation.protocols.table import PROTOCOLS
from deixis.metrics.frame_scores import score_frames

FRAMES = ("00000", "00005", "00010", "00015")


def made() -> tuple[VideoTruth, dict[str, PredictedArrays], np.ndarray, np.ndarray]:
    generator = np.random.default_rng(3)
    labels = generator.integers(0, 3, (4, 20, 30), dtype=np.uint8)
    labels[0][labels[0] == 2] = 0
    predicted = np.where(generator.random(labels.shape) < 0.2, 0, labels).astype(np.uint8)
    truth = VideoTruth(
        name="clip",
        frames=FRAMES,
        labels=ArrayLabels(labels, FRAMES),
        objects=(
            TruthObject(id=1, category="duck", is_seen=True, first_frame="00000"),
            TruthObject(id=2, category="tram", is_seen=False, first_frame="00005"),
        ),
    )
    # No file is needed where nothing is scored.
    masks = {("", frame): predicted[index] for index, frame in enumerate(FRAMES) if index}
    return truth, {"clip": PredictedArrays(masks)}, labels, predicted


def test_youtube_vos_scores_objects_after_their_given_frame():
    truth, predictions, labels, predicted = made()
    score = score_videos(PROTOCOLS["youtube-vos"], [truth], predictions)
    assert [row.frames for row in score.rows] == [FRAMES[1:], FRAMES[2:]]
    parts = {}
    for part, label, first in (("seen", 1, 1), ("unseen", 2, 2)):
        plain = score_frames(predicted[first:] == label, labels[first:] == label)
        parts[f"J_{part}"], parts[f"F_{part}"] = plain.region.mean(), plain.contour.mean()
    assert tuple(score.table) == PROTOCOLS["youtube-vos"].columns
    for column, value in parts.items():
        assert score.table[column] == pytest.approx(value, abs=1e-12)
    assert score.table["G"] == pytest.approx(np.mean(list(parts.values())), abs=1e-12)
    assert set(score.groups["category"]) == {"duck", "tram"}


def test_a_missing_part_gives_no_figure_and_says_so():
    truth, predictions, *_ = made()
    only_seen = replace(truth, objects=truth.objects[:1])
    score = score_videos(PROTOCOLS["youtube-vos"], [only_seen], predictions)
    assert np.isnan(score.table["G"]) and not np.isnan(score.table["J_seen"])
    assert score.notes == ("nothing unseen was scored: figures over both parts do not exist",)
    proxy = score_videos(PROTOCOLS["youtube-vos-proxy"], [only_seen], predictions)
    assert proxy.table["J"] == score.table["J_seen"] and "G" not in proxy.table


def test_metadata_that_does_not_suffice_is_told():
    truth, predictions, *_ = made()
    for known, message in (
        (TruthObject(id=1), "object 1 of clip has no given frame"),
        (TruthObject(id=1, first_frame="00015"), "has no annotated frame after its given one"),
    ):
        with pytest.raises(DatasetError, match=message):
            score_videos(PROTOCOLS["youtube-vos"], [replace(truth, objects=(known,))], predictions)
    with pytest.raises(DatasetError, match="range of three frames"):
        score_videos(PROTOCOLS["lvos"], [truth], predictions)
    with pytest.raises(DatasetError, match="clip has no objects in its metadata"):
        score_videos(PROTOCOLS["lvos"], [replace(truth, objects=())], predictions)


def test_the_variance_is_rounded_before_its_root():
    region = np.array([0.5, 0.51, 0.49])
    assert spread(region, region) == pytest.approx(np.sqrt(0.0001))
    assert spread(np.full(3, 0.4), np.full(3, 0.4)) == 0
