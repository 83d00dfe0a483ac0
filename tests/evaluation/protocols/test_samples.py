import json
from pathlib import Path

import numpy as np
import pytest
from stored_masks import ArrayLabels

from deixis.data.records import Expression
from deixis.errors import DatasetError
from deixis.evaluation.protocols.base import VideoTruth
from deixis.evaluation.protocols.run import score_videos
from deixis.evaluation.protocols.samples import coco_truth
from deixis.evaluation.protocols.sources import PredictedArrays
from deixis.evaluation.protocols.table import PROTOCOLS
from deixis.ops.masks import decode_rle

GOLDENS = Path(__file__).parents[2] / "goldens" / "metrics"


def golden(name: str):
    return json.loads((GOLDENS / f"{name}.json").read_text())


@pytest.mark.parametrize(
    ("protocol", "style"),
    [("a2d-sentences", "mttr"), ("jhmdb-sentences", "mttr"), ("a2d-sentences-refvos", "lavt")],
)
def test_golden_samples(protocol, style):
    samples, expected = golden("samples_rle"), golden("samples_expected")
    score = PROTOCOLS[protocol].score(samples["ground_truth"], samples["predictions"])
    assert tuple(score.table) == PROTOCOLS[protocol].columns
    wanted = expected[f"{style}_style"]
    for threshold, share in wanted["P@K"].items():
        assert score.table[f"P@{threshold}"] == share
    assert score.table["oIoU"] == pytest.approx(wanted["overall_iou"], abs=1e-8)
    assert score.table["mIoU"] == pytest.approx(wanted["mean_iou"], abs=1e-8)
    everything, best = expected["all_predictions"], expected["best_prediction_only"]
    assert score.table["mAP 0.5:0.95"] == pytest.approx(everything["mAP_50_95"], abs=1e-8)
    assert score.table["mAP 0.5:0.95 (best mask)"] == pytest.approx(best["mAP_50_95"], abs=1e-8)
    for row, one in zip(score.rows, expected["per_sample"], strict=True):
        assert row.name == one["image_id"]
        assert [row.extra["intersection"], row.extra["union"]] == [one["intersection"], one["union"]]


def test_figures_of_the_published_mttr_evaluation():
    expected = golden("mttr_golden_metrics")["expected"]
    truth, predictions = mttr_samples()
    table = PROTOCOLS["a2d-sentences"].score(truth, predictions).table
    for ours, theirs in (("oIoU", "overall_iou"), ("mIoU", "mean_iou")):
        assert table[ours] == pytest.approx(expected[theirs], abs=1e-8)
    for threshold in (0.5, 0.6, 0.7, 0.8, 0.9):
        assert table[f"P@{threshold}"] == expected[f"P@{threshold}"]
    published = expected["coco_stats_first6"]["mAP 0.5:0.95"]
    assert table["mAP 0.5:0.95"] == pytest.approx(published, abs=1e-8)


def mttr_samples():
    from pycocotools import mask

    def encode(rectangles, sample):
        pixels = np.zeros((sample["height"], sample["width"]), np.uint8, order="F")
        for y0, y1, x0, x1 in rectangles:
            pixels[y0:y1, x0:x1] = 1
        return mask.encode(pixels)

    samples = golden("mttr_golden_metrics")["inputs"]["samples"]
    truth = {
        "images": [{key: sample[key] for key in ("id", "height", "width")} for sample in samples],
        "annotations": [
            {
                "id": number,
                "image_id": sample["id"],
                "category_id": 1,
                "segmentation": encode(sample["gt_rectangles"], sample),
            }
            for number, sample in enumerate(samples, start=1)
        ],
        "categories": [{"id": 1, "name": "referent"}],
    }
    predictions = [
        {
            "image_id": sample["id"],
            "category_id": 1,
            "score": one["score"],
            "segmentation": encode(one["rectangles"], sample),
        }
        for sample in samples
        for one in sample["predictions"]
    ]
    return truth, predictions


def image_of(labels: np.ndarray, *sentences: tuple[str, int]) -> VideoTruth:
    """An image with two sentences at most for each object."""
    return VideoTruth(
        name="image",
        frames=("image",),
        labels=ArrayLabels(labels[None], ("image",)),
        expressions=tuple(Expression(key, key, (label,)) for key, label in sentences),
    )


def test_refcoco_conventions():
    labels = np.zeros((10, 20), np.uint8)
    labels[:, :10], labels[:, 10:] = 1, 2
    truth = image_of(labels, ("0", 1), ("1", 1), ("2", 2))
    half, whole, nothing = np.zeros((3, 10, 20), np.uint8)
    half[:, :5], whole[:, :10] = 255, 1
    masks = {("0", "image"): half, ("1", "image"): whole, ("2", "image"): nothing}
    predictions = {"image": PredictedArrays(masks)}
    scores = {
        name: score_videos(PROTOCOLS[name], [truth], predictions).table
        for name in ("refcoco", "refcoco-referformer", "refcoco-uniref")
    }
    assert all(tuple(table) == PROTOCOLS[name].columns for name, table in scores.items())
    assert scores["refcoco"]["oIoU"] == pytest.approx(150 / 300)
    assert scores["refcoco"]["mIoU"] == pytest.approx(0.5)
    # An IoU of exactly one half passes in the one convention only.
    assert scores["refcoco"]["P@0.5"] == pytest.approx(2 / 3)
    assert scores["refcoco-referformer"]["P@0.5"] == pytest.approx(1 / 3)
    # The first sentence of each object: the half mask, and nothing.
    assert scores["refcoco-uniref"]["oIoU"] == pytest.approx(50 / 200)


def test_truth_in_coco_form_gives_the_masks_back():
    labels = np.zeros((2, 6, 9), np.uint8)
    labels[0, 1:3, 2:5] = 4
    labels[1, 0, 0] = 7
    frames = ("00001", "00012")
    truth = VideoTruth(
        name="clip",
        frames=frames,
        labels=ArrayLabels(labels, frames),
        expressions=(Expression("0", "one", (4,)), Expression("1", "other", (7,))),
    )
    coco = coco_truth([truth])
    assert [image["id"] for image in coco["images"]] == ["v_clip_f_1_i_4", "v_clip_f_12_i_7"]
    for annotation, mask in zip(coco["annotations"], (labels[0] == 4, labels[1] == 7), strict=True):
        np.testing.assert_array_equal(decode_rle([annotation["segmentation"]])[0], mask)
        assert annotation["area"] == mask.sum()
    perfect = [
        {key: one[key] for key in ("image_id", "category_id", "segmentation")} | {"score": 1.0}
        for one in coco["annotations"]
    ]
    table = PROTOCOLS["a2d-sentences"].score(coco, perfect).table
    assert list(table.values()) == pytest.approx([1.0] * len(table))
    names = [image["id"] for image in coco_truth([truth], "jhmdb-sentences")["images"]]
    assert names == ["v_clip_f_1", "v_clip_f_12"]
    twice = image_of(np.ones((4, 4), np.uint8), ("0", 1), ("1", 1))
    with pytest.raises(DatasetError, match="two expressions give the sample v_12_f_3_i_1"):
        coco_truth(
            [VideoTruth(name="12", frames=("3",), labels=NumberedLabels(), expressions=twice.expressions)]
        )


class NumberedLabels:
    def read(self, frame: str) -> np.ndarray:
        return np.ones((4, 4), np.uint8)


def test_sentences_scored_from_files_leave_out_frames_without_the_referent():
    labels = np.zeros((2, 4, 4), np.uint8)
    labels[0, 0] = 1
    frames = ("00001", "00005")
    truth = VideoTruth(
        name="clip",
        frames=frames,
        labels=ArrayLabels(labels, frames),
        expressions=(Expression("0", "one", (1,)),),
    )
    predictions = {"clip": PredictedArrays({("0", "00001"): labels[0]})}
    score = score_videos(PROTOCOLS["sentences-best-mask"], [truth], predictions)
    assert [row.name for row in score.rows] == ["0/00001"]
    assert score.table["P@0.9"] == 1
