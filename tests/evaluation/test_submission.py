import io
import zipfile
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from deixis.data.records import Expression, ObjectInfo, VideoRecord
from deixis.errors import DatasetError, SinkError, UnknownNameError
from deixis.evaluation.checks.problems import PredictionError
from deixis.evaluation.files import open_files
from deixis.evaluation.predictor import predict_from_arrays
from deixis.evaluation.submission import check_submission, pack_submission, write_submission


class Frames:
    def read(self, indices):
        return np.zeros((len(indices), 10, 14, 3), np.uint8)


RECORD = VideoRecord("v", ("00000", "00005"), Frames(), (Expression("0", "a"), Expression("7", "b")))


def predict(frames, expressions):
    masks = np.zeros((len(expressions), *frames.shape[:3]), bool)
    masks[1, 1, 2:4, 3:9] = True
    return masks


def test_every_expression_and_frame_in_the_servers_layout(tmp_path):
    path = tmp_path / "new" / "submission.zip"
    assert write_submission([RECORD], predict_from_arrays(predict), path) == 4
    with zipfile.ZipFile(path) as archive:
        names = sorted(archive.namelist())
        assert names == [f"Annotations/v/{e}/{t}.png" for e in "07" for t in ("00000", "00005")]
        with Image.open(io.BytesIO(archive.read(names[3]))) as image:
            assert image.mode == "L"
            np.testing.assert_array_equal(
                np.asarray(image) // 255, predict(np.zeros((2, 10, 14)), "ab")[1, 1]
            )
            assert set(np.unique(image)) == {0, 255}
    with pytest.raises(SinkError, match="there already"):
        write_submission([RECORD], predict_from_arrays(predict), path)


def test_a_broken_one_leaves_nothing(tmp_path):
    for cut in (np.s_[:, :, 1:], np.s_[:, 1:], np.s_[1:]):
        wrong = predict_from_arrays(lambda frames, texts, cut=cut: predict(frames, texts)[cut])
        with pytest.raises(DatasetError, match="v: masks predicted"):
            write_submission([RECORD], wrong, tmp_path / "submission.zip")
    assert not list(tmp_path.iterdir())
    (tmp_path / "file").write_text("")
    with pytest.raises(SinkError, match="cannot write"):
        write_submission([RECORD], predict_from_arrays(predict), tmp_path / "file" / "x.zip")


@pytest.fixture
def masks(tmp_path):
    """Sound masks of RECORD, one folder an expression."""
    for expression in "07":
        for index, frame in enumerate(RECORD.frame_names):
            path = tmp_path / "masks" / "v" / expression / f"{frame}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            mask = np.zeros((10, 14), np.uint8)
            mask[index : index + 3, 2:5] = 1
            Image.fromarray(mask).save(path)
    return tmp_path / "masks"


@pytest.mark.parametrize(("dataset", "top"), [("ref-youtube-vos", "Annotations/"), ("mevis", "")])
def test_saved_masks_are_packed_as_each_server_wants_them(masks, tmp_path, dataset, top):
    path = tmp_path / "out.zip"
    assert pack_submission(open_files(masks), [RECORD], path, dataset=dataset) == 4
    with zipfile.ZipFile(path) as archive:
        names = sorted(archive.namelist())
        assert names == [f"{top}v/{e}/{t}.png" for e in "07" for t in ("00000", "00005")]
        with Image.open(io.BytesIO(archive.read(names[1]))) as image:
            assert image.mode == "L" and set(np.unique(image)) == {0, 255}
    findings = check_submission(open_files(path), [RECORD], dataset=dataset)
    assert not findings.problems and not findings.notes
    again = tmp_path / "again.zip"
    pack_submission(open_files(path), [RECORD], again, dataset=dataset)
    assert path.read_bytes()[:200] == again.read_bytes()[:200]


FOLLOWED = replace(
    RECORD,
    expressions=(),
    object_ids=(2, 3),
    frame_names=("00000", "00005", "00010"),
    objects=(
        ObjectInfo(2, first_frame=1, frames=(1, 2)),
        ObjectInfo(3, first_frame=2, frames=(2,)),
    ),
)


@pytest.mark.parametrize(("dataset", "top"), [("youtube-vos-2019", "Annotations/"), ("lvos", "")])
def test_label_maps_begin_with_the_first_object(tmp_path, dataset, top):
    for frame in FOLLOWED.frame_names:
        path = tmp_path / "masks" / "v" / f"{frame}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.eye(10, 14, dtype=np.uint8) * 2).save(path)
    path = tmp_path / "out.zip"
    assert pack_submission(open_files(tmp_path / "masks"), [FOLLOWED], path, dataset=dataset) == 2
    with zipfile.ZipFile(path) as archive:
        assert sorted(archive.namelist()) == [f"{top}v/00005.png", f"{top}v/00010.png"]
        with Image.open(io.BytesIO(archive.read(f"{top}v/00010.png"))) as image:
            assert image.mode == "P" and set(np.unique(image)) == {0, 2}
    Image.fromarray(np.full((10, 14), 7, np.uint8)).save(tmp_path / "masks" / "v" / "00010.png")
    with pytest.raises(PredictionError, match=r"objects that the truth lacks \(ids 7\): v/00010.png - "):
        pack_submission(open_files(tmp_path / "masks"), [FOLLOWED], path, dataset=dataset, overwrite=True)


def test_a_model_with_expressions_writes_label_maps(tmp_path):
    expressions = (Expression("0", "a", (2,)), Expression("1", "b", (3,)))
    record = replace(FOLLOWED, expressions=expressions, frame_names=("00000", "00005"), objects=())
    path = tmp_path / "x.zip"
    assert write_submission([record], predict_from_arrays(predict), path, dataset="lvos") == 2
    with zipfile.ZipFile(path) as archive, Image.open(io.BytesIO(archive.read("v/00005.png"))) as image:
        assert set(np.unique(image)) == {0, 3}
    with pytest.raises(DatasetError, match="v has no expressions"):
        write_submission([FOLLOWED], predict_from_arrays(predict), tmp_path / "y.zip", dataset="lvos")


def zip_of(folder, path, top=""):
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.rglob("*.png")):
            archive.write(file, f"{top}{file.relative_to(folder).as_posix()}")
    return path


def test_what_a_server_would_not_take_is_said(masks, tmp_path):
    files = open_files(zip_of(masks, tmp_path / "a.zip"))
    lines = check_submission(files, [RECORD], dataset="ref-youtube-vos").problem_lines()
    assert lines[0].startswith("videos in the wrong folder: (top) - the server looks for them in")
    assert lines[1].startswith("masks of 0 and 1 (4): v/0/00000.png") and len(lines) == 2
    files = open_files(zip_of(masks, tmp_path / "b.zip", "out/"))
    lines = check_submission(files, [RECORD], dataset="mevis").problem_lines()
    assert lines[0].endswith("looks for them in the top of the zip, without a folder around them")
    Image.fromarray(np.zeros((5, 5), np.uint8)).save(masks / "v" / "7" / "00005.png")
    (masks / "v" / "0" / "00000.png").unlink()
    files = open_files(zip_of(masks, tmp_path / "c.zip"))
    lines = check_submission(files, [RECORD], dataset="mevis").problem_lines()
    assert any(line.startswith("missing frames: v/0/00000.png") for line in lines)
    assert any(line.startswith("masks of 5x5 where the truth is 10x14: v/7/00005.png") for line in lines)
    with pytest.raises(PredictionError, match="missing frames"):
        pack_submission(open_files(masks), [RECORD], tmp_path / "d.zip", dataset="mevis")
    assert not (tmp_path / "d.zip").exists()
    with pytest.raises(UnknownNameError, match="did you mean mevis"):
        check_submission(files, [RECORD], dataset="mevs")
