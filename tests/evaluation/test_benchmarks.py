"""Every benchmark from its layout on disk: the truth as the prediction is perfect, and one row off is not."""

import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from deixis.data.catalog import load_records
from deixis.errors import DatasetError
from deixis.evaluation.checks.problems import PredictionError
from deixis.evaluation.file_run import evaluate_files
from deixis.evaluation.protocols.frames import read_labels
from deixis.evaluation.protocols.samples import coco_truth
from deixis.evaluation.sample_run import evaluate_samples
from deixis.evaluation.subjects import choose_protocol, find_subject

CASES = [
    ("davis16", "davis16", "val", "J&F-Mean"),
    ("davis16", "davis16-referring", "val", "J&F-Mean"),
    ("davis17", "davis17-semi", "val", "J&F-Mean"),
    ("davis17", "davis17-unsupervised", "val", "J&F-Mean"),
    ("davis17", "davis17-binary", "val", "J&F"),
    ("ref-davis17", "refdavis-unsupervised", "val", "J&F-Mean"),
    ("ref-davis17", "refdavis-semi", "val", "J&F-Mean"),
    ("ref-davis17", "refdavis-per-expression", "val", "J&F"),
    ("ref-youtube-vos", "ref-youtube-vos", "val", "J&F"),
    ("mevis", "mevis", "val-u", "J&F"),
    ("youtube-vos-2019", "youtube-vos-proxy", "train", "J&F"),
    ("lvos", "lvos", "val", "J&F"),
    ("a2d-sentences", "sentences-best-mask", "test", "oIoU"),
    ("jhmdb-sentences", "sentences-best-mask", "test", "oIoU"),
    ("refcoco", "refcoco", "val", "oIoU"),
    ("refcoco", "refcoco-uniref", "val", "oIoU"),
    ("refcoco+", "refcoco-referformer", "testA", "oIoU"),
    ("refcocog", "refcoco", "test", "mIoU"),
]
LENGTH = 7


@pytest.fixture(scope="module")
def roots(tmp_path_factory):
    """Write each layout once, when it is first asked for."""
    held = {}

    def root_of(benchmark, split):
        if (benchmark, split) not in held:
            from deixis.cli import main

            root = tmp_path_factory.mktemp(f"{benchmark}-{split}")
            synthetic = split if split in ("train", "val", "test") else "test"
            sizes = ["--num-clips", "2", "--height", "48", "--width", "64", "--length", str(LENGTH)]
            splits = ["--split", synthetic, "--name-split", split]
            main(["data", "export", benchmark, "--out", str(root), *splits, *sizes])
            held[benchmark, split] = root
        return held[benchmark, split]

    return root_of


def save(path, values):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values).save(path)


def write_truth(folder, truths, protocol, shift=0):
    """Save the truth as a prediction in the protocol's layout, ``shift`` rows lower."""

    def place(truth, frame, key=""):
        return folder / protocol.layout.format(video=truth.name, frame=frame, key=key)

    for truth in truths:
        for frame in truth.frames:
            if protocol.unit == "expression" and truth.labels is None:
                for expression in truth.expressions:
                    masks = truth.masks.read(frame, expression.object_ids).any(axis=0)
                    save(place(truth, frame, expression.id), np.roll(masks, shift, axis=0) * np.uint8(255))
                continue
            labels = np.roll(read_labels(truth, frame), shift, axis=0)
            labels = np.where(labels == 255, 0, labels).astype(np.uint8)
            if protocol.unit in ("", "annotator"):
                for key in "0123" if protocol.unit else ("",):
                    save(place(truth, frame, key), labels)
                continue
            for expression in truth.expressions or ():
                masks = np.isin(labels, expression.object_ids)
                save(place(truth, frame, expression.id), masks * np.uint8(255))
            for object_id in () if truth.expressions else truth.object_ids:
                save(place(truth, frame, object_id), (labels == object_id) * np.uint8(255))
    return folder


@pytest.mark.parametrize(("benchmark", "protocol", "split", "figure"), CASES)
def test_the_truth_is_perfect_and_a_shift_is_not(roots, tmp_path, benchmark, protocol, split, figure):
    chosen = choose_protocol(benchmark, protocol)
    root = roots(benchmark, split)
    if benchmark == "lvos":
        with pytest.raises(DatasetError, match=r"nothing in .* tells them apart: unseen_videos\.txt"):
            find_subject(benchmark, root, split, chosen)
        (root / "unseen_videos.txt").write_text(load_records("lvos", root, split)[0].name)
    subject = find_subject(benchmark, root, split, chosen)
    masks = write_truth(tmp_path / "masks", subject.truths, chosen)
    report = evaluate_files(masks, subject, chosen, tmp_path / "out")
    assert report.figures[figure] == pytest.approx(1), report.notes
    assert tuple(report.figures) == chosen.columns or set(report.figures) <= set(chosen.columns)
    assert {row.video for row in report.rows} == {truth.name for truth in subject.truths}
    shifted = write_truth(tmp_path / "shifted", subject.truths, chosen, shift=2)
    second = evaluate_files(shifted, subject, chosen, tmp_path / "out2")
    assert 0 < second.figures[figure] < 1
    assert "data:image/jpeg" in (tmp_path / "out2" / "report.html").read_text()


def _one_an_object(expressions):
    return tuple({expression.object_ids: expression for expression in expressions}.values())


@pytest.mark.parametrize("benchmark", ["a2d-sentences", "jhmdb-sentences"])
def test_run_lengths_of_sentences(roots, tmp_path, benchmark):
    protocol = choose_protocol(benchmark)
    subject = find_subject(benchmark, roots(benchmark, "test"), "test", protocol)
    # The synthetic world has several expressions an object; the benchmarks have one.
    truths = tuple(replace(truth, expressions=_one_an_object(truth.expressions)) for truth in subject.truths)
    subject = replace(subject, truths=truths)
    truth = coco_truth(subject.truths, benchmark)
    predictions = [
        {"image_id": a["image_id"], "segmentation": a["segmentation"], "score": 0.5}
        for a in truth["annotations"]
    ]
    path = tmp_path / "predictions.json"
    path.write_text(json.dumps(predictions))
    report = evaluate_samples(path, subject, protocol, tmp_path / "out")
    assert report.figures["oIoU"] == report.figures["mAP 0.5:0.95"] == 1
    assert len(report.rows) == report.data["samples"] == len(predictions)


def test_wrong_run_lengths_are_said(roots, tmp_path):
    protocol = choose_protocol("jhmdb-sentences")
    subject = find_subject("jhmdb-sentences", roots("jhmdb-sentences", "test"), "test", protocol)
    truths = tuple(replace(truth, expressions=truth.expressions[:1]) for truth in subject.truths)
    subject = replace(subject, truths=truths)
    sample, *others = coco_truth(truths, "jhmdb-sentences")["annotations"]
    good = {"image_id": sample["image_id"], "segmentation": sample["segmentation"], "score": 1}
    path = tmp_path / "predictions.json"
    for content, message in (
        ("{", "is not JSON"),
        ("{}", "is no list of predictions"),
        ([{"image_id": "x"}], "prediction 0 of .* has no segmentation, score"),
        ([{**good, "segmentation": [[1, 2]]}], "has no run lengths"),
        ([{**good, "segmentation": {"size": [1, 1], "counts": "0"}}], "is 1x1 where the truth is 48x64"),
        ([good, {**good, "image_id": "v_other_f_1"}], "not in the ground truth, the first: v_other_f_1"),
        ([good], f"{len(others)} samples have no prediction"),
    ):
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        with pytest.raises(PredictionError, match=message):
            evaluate_samples(path, subject, protocol, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_default_protocols_are_those_of_the_field():
    assert choose_protocol("ref-davis17").name == "refdavis-unsupervised"
    assert choose_protocol("davis17-unsupervised").name == "davis17-unsupervised"
    assert choose_protocol("refcocog-google").name == "refcoco"
