"""Answers to expressions saved in the layouts that protocols score."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from deixis.data.records import Expression, VideoRecord
from deixis.errors import DatasetError, SinkError
from deixis.evaluation.predictor import predict_from_arrays
from deixis.evaluation.protocols.table import PROTOCOLS
from deixis.evaluation.saving import save_masks

FRAMES = ("00000", "00001", "00002")


class Frames:
    def read(self, indices):
        return np.zeros((len(indices), 6, 8, 3), np.uint8)


RECORD = VideoRecord(
    "v",
    FRAMES,
    Frames(),
    tuple(Expression(str(n), "a", (1 + n // 4,), annotator=n % 4) for n in range(8)),
    annotated_frames=(0, 2),
)


@predict_from_arrays
def predict(frames, expressions):
    """Object 1 on the left, object 2 from the middle on; annotator 3 finds nothing."""
    masks = np.zeros((len(expressions), len(frames), 6, 8), bool)
    for number in range(len(expressions)):
        if number % 4 < 3:
            masks[number, :, :, slice(0, 5) if number < 4 else slice(4, 8)] = True
    return masks


def files(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_one_folder_an_expression_and_annotated_frames_only(tmp_path):
    folder = save_masks([RECORD], predict, PROTOCOLS["ref-youtube-vos"], tmp_path, {"model": "a"})
    assert files(folder) == [f"v/{n}/{frame}.png" for n in range(8) for frame in ("00000", "00002")]
    with Image.open(folder / "v" / "4" / "00002.png") as image:
        assert image.mode == "L" and np.asarray(image)[0].tolist() == [0] * 4 + [255] * 4


def test_label_maps_of_four_annotators(tmp_path):
    folder = save_masks([RECORD], predict, PROTOCOLS["refdavis-semi"], tmp_path, {"model": "a"})
    assert files(folder) == [f"anno_{n}/v/{frame}.png" for n in range(4) for frame in ("00000", "00002")]
    with Image.open(folder / "anno_2" / "v" / "00000.png") as image:
        assert image.mode == "P" and np.asarray(image)[0].tolist() == [1] * 4 + [2] * 4, "higher ids on top"
    with Image.open(folder / "anno_3" / "v" / "00000.png") as image:
        assert not np.asarray(image).any()


def test_objects_compete_by_probability(tmp_path):
    """Where masks overlap the likelier object is seen; what is below a half is background."""

    @predict_from_arrays
    def predict_softly(frames, expressions):
        found = np.full((len(expressions), len(frames), 6, 8), 0.2, np.float32)
        found[:4, ..., :5], found[4:, ..., 4:] = 0.9, 0.6
        found[4:, ..., 7] = 0.45
        return found

    folder = save_masks([RECORD], predict_softly, PROTOCOLS["refdavis-semi"], tmp_path / "labels", {})
    with Image.open(folder / "anno_2" / "v" / "00000.png") as image:
        assert np.asarray(image)[0].tolist() == [1] * 5 + [2] * 2 + [0]
    folder = save_masks([RECORD], predict_softly, PROTOCOLS["ref-youtube-vos"], tmp_path / "masks", {})
    with Image.open(folder / "v" / "4" / "00002.png") as image:
        assert np.asarray(image)[0].tolist() == [0] * 4 + [255] * 3 + [0]


def test_the_background_is_what_no_object_is(tmp_path):
    """UniRef's way: two halves leave a quarter to the background; what is unlikely loses against it."""

    @predict_from_arrays
    def predict_softly(frames, expressions):
        found = np.full((len(expressions), len(frames), 6, 8), 0.2, np.float32)
        found[:4, ..., :5], found[4:, ..., 4:] = 0.45, 0.4
        return found

    folder = save_masks(
        [RECORD], predict_softly, PROTOCOLS["refdavis-semi"], tmp_path, {}, merging="product-background"
    )
    with Image.open(folder / "anno_2" / "v" / "00000.png") as image:
        assert np.asarray(image)[0].tolist() == [1, 1, 1, 1, 1, 0, 0, 0]


def test_images_have_a_file_an_expression(tmp_path):
    still = replace(RECORD, frame_names=("00000",), annotated_frames=None)
    folder = save_masks([still], predict, PROTOCOLS["refcoco"], tmp_path, {"model": "a"})
    assert files(folder) == [f"v/{n}.png" for n in range(8)]


def test_a_stopped_run_goes_on_and_others_are_not_mixed_in(tmp_path):
    seen = []

    def counting(record, expressions):
        seen.append(record.name)
        yield from list(predict(record, expressions))[: 1 if seen == ["v", "w"] else None]

    records = [RECORD, replace(RECORD, name="w")]
    protocol = PROTOCOLS["ref-youtube-vos"]
    with pytest.raises(DatasetError, match="w: masks predicted for 1 frames, the video has 3"):
        save_masks(records, counting, protocol, tmp_path, {"model": "a"})
    assert not (tmp_path / "masks" / "w").exists()
    folder = save_masks(records, counting, protocol, tmp_path, {"model": "a"})
    assert seen == ["v", "w", "w"] and len(files(folder)) == 32
    with pytest.raises(SinkError, match="masks of another model"):
        save_masks(records, counting, protocol, tmp_path, {"model": "b"})
    save_masks(records[:1], counting, protocol, tmp_path, {"model": "b"}, overwrite=True)
    assert len(files(folder)) == 16


def test_what_expressions_cannot_give_is_said(tmp_path):
    with pytest.raises(DatasetError, match="davis17-semi scores label maps of all objects"):
        save_masks([RECORD], predict, PROTOCOLS["davis17-semi"], tmp_path, {})
    plain = replace(RECORD, expressions=(Expression("0", "a", (1,)),))
    with pytest.raises(DatasetError, match="v has no expressions of annotator 0"):
        save_masks([plain], predict, PROTOCOLS["refdavis-semi"], tmp_path, {})
