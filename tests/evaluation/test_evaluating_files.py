"""Saved masks to figures: sound ones, wrong ones, resumed, in several processes."""

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from deixis.errors import DatasetError, DeixisError, SinkError
from deixis.evaluation.checks.problems import PredictionError
from deixis.evaluation.file_run import check_files, evaluate_files
from deixis.evaluation.protocols.base import Options
from deixis.evaluation.subjects import choose_protocol, find_subject, subject_of_folder
from mask_folders import FRAMES, SIZE, label_map, pack, save, write_data_set, write_expressions, write_labels

GOLDENS = Path(__file__).parents[2] / ".." / "shared" / "goldens" / "metrics"
SEMI = choose_protocol("davis17", "davis17-semi")
UNSUPERVISED = choose_protocol("davis17", "davis17-unsupervised")
PER_EXPRESSION = choose_protocol("ref-davis17", "refdavis-per-expression")


@pytest.fixture
def subject(tmp_path):
    return subject_of_folder("davis17", write_labels(tmp_path / "truth"))


@pytest.fixture
def masks(tmp_path):
    return write_labels(tmp_path / "masks", shift=2)


def score(path, subject, out, protocol=SEMI, **options):
    return evaluate_files(path, subject, protocol, out, **options)


def test_the_truth_itself_is_perfect(subject, tmp_path):
    report = score(tmp_path / "truth", subject, tmp_path / "out")
    assert report.figures["J&F-Mean"] == report.figures["J-Recall"] == 1
    assert [row.name for row in report.rows] == ["1", "2", "1"] and not report.notes
    assert report.data["frames"] == 8 and report.data["videos"] == 2, "inner frames"
    assert (tmp_path / "out" / "report.html").read_text().count("data:image/jpeg") == 9


def test_a_shift_scores_what_it_covers(subject, masks, tmp_path):
    report = score(masks, subject, tmp_path / "out")
    assert report.figures["J-Mean"] == pytest.approx(8 / 12)
    assert report.predictions["name"] == "masks" and report.predictions["files"] == 12


def test_folders_zips_and_processes_agree(subject, masks, tmp_path):
    plain = score(masks, subject, tmp_path / "a")
    spread = score(masks, subject, tmp_path / "b", num_workers=2)
    packed = score(pack(masks, tmp_path / "x.zip", "Annotations/"), subject, tmp_path / "c", num_workers=2)
    assert plain.rows == spread.rows == packed.rows
    assert plain.predictions["sha256"] == packed.predictions["sha256"], "names below the top, and contents"
    assert packed.notes == ("videos found in the folder: Annotations",)
    save(masks / "bear" / "00010.png", label_map("bear", 3))
    changed = score(masks, subject, tmp_path / "d")
    assert changed.predictions["sha256"] != plain.predictions["sha256"]


def test_a_stopped_run_goes_on_and_changed_files_are_scored_again(subject, masks, tmp_path, monkeypatch):
    scored = []
    real = SEMI.score_video

    def counting(truth, prediction, options):
        if truth.name == "car-turn" and not scored.count("again"):
            raise KeyboardInterrupt
        scored.append(truth.name)
        return real(truth, prediction, options)

    protocol = replace(SEMI, score_video=counting)
    with pytest.raises(KeyboardInterrupt):
        score(masks, subject, tmp_path / "out", protocol)
    assert scored == ["bear"] and not (tmp_path / "out" / "report.json").exists()
    scored[:] = ["again"]
    first = score(masks, subject, tmp_path / "out", protocol)
    assert scored == ["again", "car-turn"]
    save(masks / "bear" / "00010.png", label_map("bear", 2))
    second = score(masks, subject, tmp_path / "out", protocol)
    assert scored == ["again", "car-turn", "bear"]
    assert second.figures["J-Mean"] > first.figures["J-Mean"]
    assert second.rows == score(masks, subject, tmp_path / "fresh").rows
    with pytest.raises(SinkError, match="another evaluation"):
        score(masks, subject, tmp_path / "out", UNSUPERVISED)


def test_notes_outlive_a_resumed_run(subject, masks, tmp_path):
    (masks / "bear" / "00010.png").unlink()
    options = Options(missing="zero")
    for _ in range(2):
        report = score(masks, subject, tmp_path / "out", options=options)
        (note,) = report.notes
        assert note.startswith("missing frames: bear/00010.png - scored as empty masks")
    assert report.rows[0].region[1] == 0


def test_missing_frames_that_are_not_scored_do_not_matter(subject, masks, tmp_path):
    for video in ("bear", "car-turn"):
        (masks / video / f"{FRAMES[0]}.png").unlink()
        (masks / video / f"{FRAMES[-1]}.png").unlink()
    assert not score(masks, subject, tmp_path / "out").notes


def rgb(path):
    Image.new("RGB", SIZE[::-1]).save(path)


DAMAGES = {
    "RGB": (lambda f: rgb(f / "bear" / "00010.png"), "unusable images: bear/00010.png - stores colours"),
    "unreadable": (
        lambda f: (f / "bear" / "00010.png").write_bytes(b"\x89PNG\r\n\x1a\n...."),
        "unusable images: bear/00010.png - is damaged",
    ),
    "size": (
        lambda f: save(f / "bear" / "00010.png", np.zeros((12, 20), np.uint8)),
        "masks of 12x20 where the truth is 24x40: bear/00010.png",
    ),
    "grey": (
        lambda f: save(f / "bear" / "00010.png", (label_map("bear", 1) > 0) * np.uint8(255)),
        "masks of 0 and 255 where object ids are wanted: bear/00010.png",
    ),
    "void": (
        lambda f: save(
            f / "bear" / "00010.png", np.where(label_map("bear", 1) == 2, 255, 1).astype(np.uint8)
        ),
        "void (255) in the prediction: bear/00010.png",
    ),
    "extra object": (
        lambda f: save(f / "bear" / "00010.png", label_map("bear", 1) * np.uint8(2)),
        "frame 00010 of bear is predicted with id 4, above the 2 objects",
    ),
    "missing frame": (lambda f: (f / "bear" / "00010.png").unlink(), "missing frames: bear/00010.png"),
    "missing video": (lambda f: shutil.rmtree(f / "bear"), "missing videos: bear"),
    "other names": (
        lambda f: [path.rename(path.with_name(f"x{path.name}")) for path in [*(f / "bear").iterdir()]],
        "no frame of the right name in: bear - frames are called 00005.png; found x00000.png",
    ),
    "JPEG": (
        lambda f: (f / "bear" / "00010.png").rename(f / "bear" / "00010.jpg"),
        "masks are not PNG: bear/00010.jpg",
    ),
    "another data set": (
        lambda f: [(f / video).rename(f / f"{n}123456789") for n, video in enumerate(("bear", "car-turn"))],
        "which look like videos of YouTube-VOS or Ref-YouTube-VOS: predictions of another data set?",
    ),
    "empty folders": (
        lambda f: [path.unlink() for path in f.rglob("*.png")],
        "holds no files; nothing can be scored",
    ),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_wrong_predictions_are_named_and_not_scored(subject, masks, tmp_path, name):
    damage, message = DAMAGES[name]
    damage(masks)
    with pytest.raises(DatasetError if name == "empty folders" else PredictionError) as error:
        score(masks, subject, tmp_path / "out")
    assert message in str(error.value)
    assert not (tmp_path / "out" / "report.json").exists()


def test_all_that_is_wrong_is_said_at_once(subject, masks, tmp_path):
    rgb(masks / "bear" / "00010.png")
    save(masks / "car-turn" / "00005.png", np.zeros((12, 20), np.uint8))
    with pytest.raises(PredictionError) as error:
        score(masks, subject, tmp_path / "out", num_workers=2)
    assert [line.split(":")[0] for line in error.value.lines] == [
        "unusable images",
        "masks of 12x20 where the truth is 24x40",
    ]
    found = check_files(masks, subject.truths, SEMI).problem_lines()
    assert sorted(found) == sorted(error.value.lines)


def test_objects_that_are_never_predicted_are_noted(subject, masks, tmp_path):
    for path in (masks / "bear").iterdir():
        save(path, np.where(label_map("bear", 0) == 1, 1, 0).astype(np.uint8))
    report = score(masks, subject, tmp_path / "out")
    assert report.rows[1].figures["J"] == 0
    assert any(note.startswith("objects that are never predicted: bear 2 - ") for note in report.notes)


def test_four_annotators_are_averaged(subject, tmp_path):
    protocol = choose_protocol("ref-davis17", "refdavis-semi")
    for annotator, shift in enumerate((0, 1, 2, 2)):
        write_labels(tmp_path / "all" / f"anno_{annotator}", shift)
    report = score(tmp_path / "all", subject, tmp_path / "out", protocol)
    assert report.figures["J-Mean"] == pytest.approx(np.mean([1, 9 / 11, 8 / 12, 8 / 12]))
    assert list(report.groups["annotator"]) == [f"annotator {n}" for n in range(4)]
    with pytest.raises(PredictionError, match=r"one folder of masks .*anno_0 to anno_3"):
        score(tmp_path / "all" / "anno_1", subject, tmp_path / "other", protocol)
    shutil.rmtree(tmp_path / "all" / "anno_3")
    with pytest.raises(PredictionError, match="in 3 folders"):
        score(tmp_path / "all", subject, tmp_path / "other", protocol)
    with pytest.raises(PredictionError, match="the same videos in 3 folders"):
        score(tmp_path / "all", subject, tmp_path / "other")


def test_expressions_are_scored_on_their_own_with_pictures_of_the_frames(tmp_path):
    root = write_data_set(tmp_path / "data")
    found = find_subject("ref-davis17", root, None, PER_EXPRESSION)
    masks = write_expressions(tmp_path / "masks", shift=2)
    report = score(masks, found, tmp_path / "out", PER_EXPRESSION)
    assert report.figures["J"] == pytest.approx(8 / 12)
    assert set(report.groups["kind"]) == {"motion", "appearance"} and len(report.rows) == 6
    assert report.rows[0].text == "the 0th thing" and report.data["expressions"] == 6
    labels = write_labels(tmp_path / "labels")
    with pytest.raises(PredictionError, match="label maps, but a folder of binary masks an expression"):
        score(labels, found, tmp_path / "other", PER_EXPRESSION)


def test_truth_that_is_held_back_is_said(tmp_path):
    root = write_data_set(tmp_path / "data", with_truth=False)
    with pytest.raises(DatasetError, match=r"the truth of ref-davis17 val is held back.*--check-only"):
        find_subject("ref-davis17", root, None, PER_EXPRESSION)


def test_wrong_truth_is_said(tmp_path):
    (tmp_path / "empty").mkdir()
    for folder, message in (
        (tmp_path / "nowhere", "there is no folder"),
        (tmp_path / "empty", "holds no VIDEO"),
    ):
        with pytest.raises(DatasetError, match=message):
            subject_of_folder("davis17", folder)
    with pytest.raises(DatasetError, match="label maps only"):
        subject_of_folder("mevis", tmp_path)


def test_a_data_set_that_is_not_whole_is_said(subject, masks, tmp_path):
    (tmp_path / "truth" / "bear" / "00010.png").unlink()
    with pytest.raises(DeixisError, match=r"truth/bear/00010\.png.*is the data set unpacked in full"):
        score(masks, subject, tmp_path / "out")
    with pytest.raises(DatasetError, match="there is no folder"):
        find_subject("ref-davis17", tmp_path / "nowhere", None, PER_EXPRESSION)
    with pytest.raises(DatasetError, match="is no Ref-DAVIS17"):
        find_subject("ref-davis17", tmp_path, None, PER_EXPRESSION)


def test_expressions_of_one_id_are_said(tmp_path):
    found = find_subject("ref-davis17", write_data_set(tmp_path / "data"), None, PER_EXPRESSION)
    first = found.truths[0]
    twice = replace(first, expressions=(*first.expressions, first.expressions[0]))
    masks = write_expressions(tmp_path / "masks")
    with pytest.raises(PredictionError, match="bear has several expressions of the id 0"):
        score(masks, replace(found, truths=(twice, found.truths[1])), tmp_path / "out", PER_EXPRESSION)


def relabelled(tmp_path, table, name):
    """Write the proposals with their labels changed; what the table lacks becomes background."""
    for video, labels in table.items():
        lookup = np.zeros(256, np.uint8)
        for label, new in labels.items():
            lookup[int(label)] = new
        for path in (GOLDENS / "masks" / "proposals" / video).glob("*.png"):
            with Image.open(path) as image:
                save(tmp_path / name / video / path.name, lookup[np.asarray(image)])
    return tmp_path / name


def assert_official(report, figures):
    for name, value in figures.items():
        assert report.figures[name] == pytest.approx(value, abs=2e-8), name


@pytest.mark.slow
@pytest.mark.skipif(not GOLDENS.is_dir(), reason="the official masks are not here")
def test_relabelled_official_masks_get_the_official_figures(tmp_path):
    golden = json.loads((GOLDENS / "davis17_semisupervised.json").read_text())
    subject = subject_of_folder("davis17", GOLDENS / "masks" / "reference")
    report = score(relabelled(tmp_path, golden["relabel"], "masks"), subject, tmp_path / "out")
    assert_official(report, golden["global"])
    for row in report.rows:
        expected = golden["sequences"][row.video]["objects"][row.name]
        np.testing.assert_allclose(row.region, expected["J_frames"], atol=1e-8)
        np.testing.assert_allclose(row.contour, expected["F_frames"], atol=1e-8)


@pytest.mark.slow
@pytest.mark.skipif(not GOLDENS.is_dir(), reason="the official masks are not here")
@pytest.mark.parametrize("name", ["unsupervised", "semi-supervised"])
def test_four_official_annotators_get_the_official_averages(tmp_path, name):
    golden = json.loads((GOLDENS / "refdavis17_four_annotators.json").read_text())
    for number, annotator in enumerate(golden["annotators"]):
        relabelled(tmp_path, annotator["relabel"], f"all/anno_{number}")
    subject = subject_of_folder("ref-davis17", GOLDENS / "masks" / "reference")
    protocol = choose_protocol("ref-davis17", f"refdavis-{name.removesuffix('-supervised')}")
    report = score(tmp_path / "all", subject, tmp_path / "out", protocol, num_workers=2)
    for number, annotator in enumerate(golden["annotators"]):
        for column, value in annotator[name]["global"].items():
            assert report.groups["annotator"][f"annotator {number}"][column] == pytest.approx(value, abs=2e-8)
    for column in ("J&F-Mean", "J-Mean", "F-Mean"):
        mean = np.mean([annotator[name]["global"][column] for annotator in golden["annotators"]])
        assert report.figures[column] == pytest.approx(mean, abs=2e-8)


@pytest.mark.skipif(not GOLDENS.is_dir(), reason="the official masks are not here")
@pytest.mark.parametrize(
    ("benchmark", "protocol", "golden"),
    [
        pytest.param(
            *("davis17", "davis17-unsupervised", "davis17_unsupervised"), marks=pytest.mark.slow, id="davis17"
        ),
        pytest.param("davis16", "davis16", "davis16_single_object", id="davis16"),
    ],
)
def test_the_official_masks_get_the_official_figures(tmp_path, benchmark, protocol, golden):
    subject = subject_of_folder(benchmark, GOLDENS / "masks" / "reference")
    chosen = choose_protocol(benchmark, protocol)
    report = score(GOLDENS / "masks" / "proposals", subject, tmp_path / "out", chosen)
    expected = json.loads((GOLDENS / f"{golden}.json").read_text())
    assert_official(report, expected["global"])
    for row in report.rows:
        objects = expected["sequences"][row.video]["objects"].values()
        means = [(entry["J"]["mean"], entry["F"]["mean"]) for entry in objects]
        assert any(
            row.figures["J"] == pytest.approx(j) and row.figures["F"] == pytest.approx(f) for j, f in means
        )


def test_masks_are_scored_without_torch():
    """Its import takes longer than scoring a few videos, and more memory."""
    modules = "deixis.evaluation.file_run, deixis.evaluation.sample_run, deixis.evaluation.reports.compare"
    program = f"import sys, {modules}; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True)
