"""Folders and zips of predictions, sound and not."""

import pickle
import zipfile

import pytest

from deixis.errors import DatasetError
from deixis.evaluation.files import open_files

CONTENT = {"a/1.png": b"one", "a/2.png": b"two", "b/1.png": b"three"}


@pytest.fixture
def folder(tmp_path):
    for name, content in CONTENT.items():
        (tmp_path / "masks" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "masks" / name).write_bytes(content)
    (tmp_path / "masks" / ".DS_Store").write_bytes(b"junk")
    return tmp_path / "masks"


def pack(path, content):
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    return path


def test_a_folder_and_its_zip_are_the_same(folder, tmp_path):
    archive = pack(tmp_path / "x.zip", {**CONTENT, "__MACOSX/a/._1.png": b"junk", "b/": b""})
    for place in (folder, archive):
        files = open_files(place)
        assert files.names == tuple(CONTENT) and files.read("b/1.png") == b"three"
        again = pickle.loads(pickle.dumps(files))
        assert again.names == files.names and again.read("a/2.png") == b"two", "as sent to another process"


@pytest.mark.parametrize(
    "name", ["/etc/passwd", "../up.png", "a/../../up.png", "C:/x.png", "..\\up.png", "\\x"]
)
def test_zips_that_lead_elsewhere_are_refused(tmp_path, name):
    with pytest.raises(DatasetError, match="leads out of the archive"):
        open_files(pack(tmp_path / "x.zip", {"a/1.png": b"", name: b""}))


def test_what_is_no_prediction_is_said(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.zip").write_text("not a zip")
    inner = pack(tmp_path / "inner.zip", CONTENT).read_bytes()
    for place, message in (
        (tmp_path / "nowhere", "there is no .*nowhere"),
        (tmp_path / "empty", "holds no files"),
        (tmp_path / "text.zip", "neither a folder nor a zip"),
        (pack(tmp_path / "nothing.zip", {}), "holds no files"),
        (
            pack(tmp_path / "nested.zip", {"out/inner.zip": inner}),
            "holds no masks but an archive, out/inner.zip",
        ),
    ):
        with pytest.raises(DatasetError, match=message):
            open_files(place)


def test_damaged_archives_are_said(tmp_path):
    path = pack(tmp_path / "x.zip", CONTENT)
    path.write_bytes(path.read_bytes().replace(b"three", b"th3ee"))
    with pytest.raises(DatasetError, match=r"cannot read b/1\.png in .*x\.zip.*pack it again"):
        open_files(path).read("b/1.png")
