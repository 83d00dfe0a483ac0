"""``deixis evaluate`` on saved masks, from arguments to files; scoring itself is tested where it lives."""

import json
import zipfile
from pathlib import Path

import pytest

from mask_folders import pack, write_data_set, write_expressions, write_labels

REPORTS = ["report.csv", "report.html", "report.json", "report.md", "videos.jsonl"]


@pytest.fixture
def truth(tmp_path):
    return write_labels(tmp_path / "truth")


@pytest.fixture
def data(tmp_path):
    return write_data_set(tmp_path / "data")


def test_label_maps_against_a_folder_of_truth(deixis, truth, tmp_path):
    masks = write_labels(tmp_path / "masks", shift=2)
    code, printed, _ = deixis(
        "evaluate", "davis17", "--truth", truth, "--predictions", masks, "--out", tmp_path / "out"
    )
    assert code == 0 and "J&F-Mean" in printed and "| all |" in printed and "| bear" not in printed
    assert "protocol: name davis17-semi" in printed and "videos 2, objects 3, frames 8" in printed
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == REPORTS
    code, printed, _ = deixis(
        *("evaluate", "davis17", "--truth", truth, "--predictions", masks, "--out", tmp_path / "two"),
        *("--protocol", "davis17-unsupervised", "--videos"),
    )
    assert code == 0 and "| bear" in printed and "name davis17-unsupervised" in printed


def test_expressions_of_a_data_set_from_a_zip(deixis, data, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    archive = pack(write_expressions(tmp_path / "masks"), tmp_path / "run7.zip", "x/")
    code, printed, _ = deixis(
        *("evaluate", "ref-davis17", "--root", data, "--protocol", "refdavis-per-expression"),
        *("--predictions", archive),
    )
    assert code == 0 and "| all | 100.0 |" in printed and "| motion" in printed
    assert "note: videos found in the folder: x" in printed
    out = Path("out") / "evaluate" / "ref-davis17-refdavis-per-expression-run7"
    assert json.loads((out / "report.json").read_text())["figures"]["J&F"] == 1


def test_one_thing_wrong_is_one_line(deixis, truth, tmp_path):
    masks = write_labels(tmp_path / "masks")
    (masks / "bear" / "00010.png").write_bytes(b"")
    code, printed, errors = deixis("evaluate", "davis17", "--truth", truth, "--predictions", masks)
    assert (
        code == 2
        and not printed
        and errors.splitlines()[-1].startswith(
            f"deixis: {masks} cannot be scored: unusable images: bear/00010.png - cannot be decoded"
        )
    )


def test_several_things_wrong_are_a_line_each(deixis, truth, tmp_path):
    masks = write_labels(tmp_path / "masks")
    (masks / "bear" / "00010.png").unlink()
    (masks / "car-turn" / "00010.png").rename(masks / "car-turn" / "00010.jpg")
    code, printed, errors = deixis("evaluate", "davis17", "--truth", truth, "--predictions", masks)
    lines = [line for line in errors.splitlines() if line.startswith("deixis: ")]
    assert code == 2 and not printed
    assert lines[0].startswith("deixis: missing frames: bear/00010.png - give --missing zero")
    assert lines[1].startswith("deixis: masks are not PNG: car-turn/00010.jpg")
    assert lines[2] == f"deixis: {masks} is not scored, for the 2 reasons above"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "which benchmark? name one"),
        (["davis17", "--predictions", "x"], "where is davis17? give its folder with --root, or label maps"),
        (["davis17", "--predictions", "x", "--truth", "nowhere"], "there is no folder nowhere"),
        (["davis17", "--predictions", "x", "--truth", "y", "--protocol", "davis"], "did you mean davis17-"),
        (["davis", "--predictions", "x", "--truth", "y"], "unknown data set 'davis'; did you mean"),
        (["ovis", "--predictions", "x", "--root", "y"], "unknown benchmark 'ovis'"),
        (["synthetic", "--predictions", "x"], "the synthetic benchmark has no masks on disk"),
        (["davis17", "--predictions", "x", "--truth", "y", "--workers", "0"], "--workers must be at least 1"),
        (["davis17", "--predictions", "x", "--submission", "y.zip"], "evaluation server 'davis17'"),
        (["--compare", "x", "y"], "x holds no report.json"),
        (["davis17", "--predictions", "x", "--truth", "y", "--permute"], "--permute is about models"),
        (["davis17", "--root", "x", "--check-only"], "--check-only needs --predictions"),
        (["ref-davis17", "--root", "x", "--protocol", "refdavis-semi", "--permute"], "leave --protocol out"),
        (["a2d-sentences", "--root", "x", "--protocol", "a2d-sentences"], "there is no folder x"),
        (["davis17", "--predictions", "x", "--truth", "y", "--root", "z"], "--truth or --root, not both"),
    ],
)
def test_wrong_arguments_are_one_line(deixis, arguments, message):
    code, printed, errors = deixis("evaluate", *arguments)
    assert code == 2 and message in errors and errors.count("\n") == 1 and not printed


def test_two_results_side_by_side(deixis, truth, tmp_path):
    for name, shift in (("a", 2), ("b", 1)):
        masks = write_labels(tmp_path / "masks" / name, shift)
        deixis("evaluate", "davis17", "--truth", truth, "--predictions", masks, "--out", tmp_path / name)
    options = ("--compare", tmp_path / "a", tmp_path / "b", "--out", tmp_path / "both")
    code, printed, _ = deixis("evaluate", *options)
    assert code == 0 and "- A: a on davis17" in printed and "95% interval" in printed
    plain = json.loads((tmp_path / "both" / "comparison.json").read_text())
    assert plain["figures"]["J"]["difference"] == pytest.approx(9 / 11 - 8 / 12)
    assert deixis("evaluate", *options)[1] == printed, "the draws are seeded"


def test_submissions_are_packed_and_checked(deixis, tmp_path):
    root = write_data_set(tmp_path / "data", with_truth=False)
    valid = tmp_path / "ytvos" / "valid"
    valid.mkdir(parents=True)
    (root / "JPEGImages").rename(valid / "JPEGImages")
    meta = tmp_path / "ytvos" / "meta_expressions" / "valid"
    meta.mkdir(parents=True)
    (root / "meta_expressions.json").rename(meta / "meta_expressions.json")
    masks = write_expressions(tmp_path / "masks")
    options = ("evaluate", "ref-youtube-vos", "--root", tmp_path / "ytvos")
    archive = tmp_path / "out.zip"
    code, printed, _ = deixis(*options, "--predictions", masks, "--submission", archive)
    assert code == 0 and "36 images" in printed
    with zipfile.ZipFile(archive) as opened:
        assert "Annotations/bear/0/00000.png" in opened.namelist()
    code, printed, _ = deixis(*options, "--predictions", archive, "--check-only")
    assert code == 0 and printed == f"{archive} is what the server of ref-youtube-vos takes\n"
    wrong = pack(masks, tmp_path / "wrong.zip")
    code, _, errors = deixis(*options, "--predictions", wrong, "--check-only")
    assert code == 2 and "videos in the wrong folder: (top)" in errors
    assert "videos in the wrong folder" in deixis(*options, "--predictions", masks, "--check-only")[2]
    code, _, errors = deixis(*options, "--predictions", masks)
    assert code == 2 and "the truth of ref-youtube-vos val is held back" in errors


def test_check_only_scores_nothing(deixis, truth, tmp_path):
    masks = write_labels(tmp_path / "masks")
    options = ("evaluate", "davis17", "--truth", truth, "--predictions", masks, "--check-only")
    code, printed, _ = deixis(*options, "--out", tmp_path / "out")
    assert code == 0 and printed == f"{masks} is what the protocol davis17-semi takes\n"
    assert not (tmp_path / "out").exists()
    (masks / "bear" / "00010.png").write_bytes(b"")
    code, _, errors = deixis(*options)
    assert code == 2 and "unusable images: bear/00010.png" in errors


def test_samples_take_one_file(deixis, tmp_path):
    code, _, errors = deixis(
        *("data", "export", "a2d-sentences", "--out", tmp_path / "a2d", "--split", "test"),
        *("--num-clips", "1", "--height", "48", "--width", "64", "--length", "7"),
    )
    assert code == 0, errors
    options = ("evaluate", "a2d-sentences", "--root", tmp_path / "a2d", "--out", tmp_path / "out")
    code, _, errors = deixis(*options, "--predictions", tmp_path)
    assert code == 2 and "takes one JSON file" in errors and "sentences-best-mask" in errors
