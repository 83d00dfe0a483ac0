"""The file that the server of Ref-YouTube-VOS takes (metrics, section 6)."""

import io
import os
import zipfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from PIL import Image

from deixis.data.records import VideoRecord
from deixis.errors import DatasetError, SinkError
from deixis.evaluation.predictor import Predictor


def write_submission(
    records: Iterable[VideoRecord], predict: Predictor, path: Path, *, overwrite: bool = False
) -> int:
    """Write ``Annotations/VIDEO/EXPRESSION/FRAME.png`` for every expression and frame into a zip, atomically.

    Images are 8-bit grey, 0 or 255, of the video's own size.

    Returns:
        The number of images.

    Raises:
        SinkError: the file is there already, or cannot be written.
        DatasetError: a prediction has another size or number of frames than its video.
    """
    if path.exists() and not overwrite:
        raise SinkError(f"{path} is there already; give --overwrite or another name")
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    num_images = 0
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with zipfile.ZipFile(partial, "w", zipfile.ZIP_STORED) as archive:
                for record in records:
                    num_images += _add_video(archive, record, predict)
            os.replace(partial, path)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as error:
        raise SinkError(f"cannot write {path}: {error.strerror}; give another name") from error
    return num_images


def _add_video(archive: zipfile.ZipFile, record: VideoRecord, predict: Predictor) -> int:
    """Predict one video and add its images; return how many."""
    expressions = record.expressions
    size = record.frames.read([0]).shape[1:3]
    num_frames = 0
    for index, masks in enumerate(predict(record, [expression.text for expression in expressions])):
        if masks.shape != (len(expressions), *size):
            raise DatasetError(
                f"{record.name}: masks predicted are {list(masks.shape)}, not {[len(expressions), *size]}"
            )
        num_frames += 1
        for expression, mask in zip(expressions, masks, strict=True):
            name = f"Annotations/{record.name}/{expression.id}/{record.frame_names[index]}.png"
            image = io.BytesIO()
            Image.fromarray(mask.astype(np.uint8) * 255).save(image, "PNG", compress_level=1)
            archive.writestr(name, image.getvalue())
    if num_frames != len(record.frame_names):
        raise DatasetError(
            f"{record.name}: masks predicted for {num_frames} frames, the video has {len(record.frame_names)}"
        )
    return num_frames * len(expressions)
