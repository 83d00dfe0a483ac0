import io
import zipfile

import numpy as np
import pytest
from PIL import Image

from deixis.data.records import Expression, VideoRecord
from deixis.errors import DatasetError, SinkError
from deixis.evaluation.predictor import predict_from_arrays
from deixis.evaluation.submission import write_submission


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
