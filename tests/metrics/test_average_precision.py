import json
from pathlib import Path

import numpy as np
import pytest

from deixis.metrics.average_precision import (
    average_precision,
    best_predictions,
    count_samples,
    sample_measures,
)

HERE = Path(__file__)
GOLDENS = HERE.parents[1] / "goldens" / "metrics"
GOLDEN = json.loads((GOLDENS / "mttr_golden_metrics.json").read_text())


def encode(rectangles, height, width):
    from pycocotools import mask

    pixels = np.zeros((height, width), np.uint8, order="F")
    for y0, y1, x0, x1 in rectangles:
        pixels[y0:y1, x0:x1] = 1
    return mask.encode(pixels)


@pytest.fixture(scope="module")
def samples():
    images, annotations, predictions = [], [], []
    for number, sample in enumerate(GOLDEN["inputs"]["samples"], start=1):
        size = (sample["height"], sample["width"])
        images.append({"id": sample["id"], "height": size[0], "width": size[1]})
        truth = encode(sample["gt_rectangles"], *size)
        annotations.append({"id": number, "image_id": sample["id"], "category_id": 1, "segmentation": truth})
        predictions += [
            {
                "image_id": sample["id"],
                "category_id": 1,
                "score": prediction["score"],
                "segmentation": encode(prediction["rectangles"], *size),
            }
            for prediction in sample["predictions"]
        ]
    truth = {"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "object"}]}
    return truth, predictions


def test_figures_of_the_published_mttr_evaluation(samples):
    expected = GOLDEN["expected"]
    found = average_precision(*samples)
    for name, value in expected["coco_stats_first6"].items():
        assert found[name] == pytest.approx(value, abs=1e-9), name
    counts = count_samples(*samples)
    for name, value in sample_measures(counts).items():
        assert value == pytest.approx(expected[name], abs=1e-9), name
    ious = dict(zip(counts.image_ids, counts.ious(), strict=True))
    for image_id, (iou, *pixels) in expected["per_sample_iou_intersection_union_of_top_scored"].items():
        assert ious[image_id] == np.float32(iou)
        index = counts.image_ids.index(image_id)
        assert [counts.intersection[index], counts.union[index]] == pixels


def test_inputs_are_left_as_they_are(samples):
    truth, predictions = samples
    keys = [set(prediction) for prediction in predictions]
    average_precision(truth, predictions)
    assert [set(prediction) for prediction in predictions] == keys
    assert all("area" not in annotation for annotation in truth["annotations"])


def test_the_last_of_equal_scores_is_the_best():
    tie = [{"image_id": 1, "score": 0.5, "n": n} for n in range(3)] + [{"image_id": 1, "score": 0.1, "n": 3}]
    assert best_predictions(tie)[1]["n"] == 2


def test_missing_and_unknown_samples_are_named(samples):
    truth, predictions = samples
    first = truth["images"][0]["id"]
    with pytest.raises(ValueError, match=f"1 samples have no prediction, the first: {first}"):
        count_samples(truth, [p for p in predictions if p["image_id"] != first])
    with pytest.raises(ValueError, match="not in the ground truth, the first: nowhere"):
        average_precision(truth, [{**predictions[0], "image_id": "nowhere"}])
    with pytest.raises(ValueError, match="no predictions"):
        average_precision(truth, [])


def test_figures_on_real_masks():
    samples = json.loads((GOLDENS / "samples_rle.json").read_text())
    expected = json.loads((GOLDENS / "samples_expected.json").read_text())
    truth, predictions = samples["ground_truth"], samples["predictions"]
    found = average_precision(truth, predictions)
    assert list(found.values()) == pytest.approx(list(expected["all_predictions"].values()), abs=1e-9)
    best = average_precision(truth, list(best_predictions(predictions).values()))
    assert list(best.values())[:3] == pytest.approx(list(expected["best_prediction_only"].values()), abs=1e-9)
    counts = count_samples(truth, predictions)
    for convention in ("mttr", "lavt"):
        wanted = expected[f"{convention}_style"]
        wanted |= {f"P@{threshold}": value for threshold, value in wanted.pop("P@K").items()}
        assert sample_measures(counts, convention) == pytest.approx(wanted, abs=1e-9)
