"""The masks of a model saved as a protocol wants them, so that any protocol can score a model.

A video appears when all of its masks are written: a run that was stopped goes on with those that are not
there.
"""

import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Shaped
from PIL import Image

from deixis.data.records import VideoRecord
from deixis.errors import DatasetError, SinkError
from deixis.evaluation.ledger import write_text
from deixis.evaluation.predictor import Predictor, SoftPredictor
from deixis.evaluation.protocols.base import VideoProtocol
from deixis.evaluation.spreading import spread
from deixis.ops.merging import MERGES, paint_in_order
from deixis.video.palette import davis_palette

_NUM_ANNOTATORS = 4

Draw = Callable[[VideoRecord], Iterable[Iterable[tuple[str, Shaped[np.ndarray, "H W"]]]]]
"""Makes the images of each frame of a video: what the protocol's layout calls ``{key}``, and the values."""


def save_masks(
    records: Sequence[VideoRecord],
    predict: Predictor | SoftPredictor | Sequence[Predictor | SoftPredictor],
    protocol: VideoProtocol,
    out: Path,
    identity: Mapping[str, Any],
    *,
    merging: str = "threshold-argmax",
    overwrite: bool = False,
    on_video: Callable[[], object] | None = None,
) -> Path:
    """Predict videos and save the masks of their annotated frames in a protocol's layout.

    Label maps are merged from the answers to an annotator's expressions, one an object: probabilities by
    ``merging``; of plain masks, the higher ids lie on top.

    Args:
        records: videos with expressions.
        predict: gives the masks, or probabilities; or several that do, each for a process of its own.
        protocol: whose layout to write.
        out: folder; the masks go to ``out/masks``, what they are of to ``out/masks.json``.
        identity: what predicts what; masks of another are not mixed in.
        merging: a name in ``ops.merging.MERGES``.
        overwrite: throw away the masks that are there.
        on_video: called for each finished video.

    Returns:
        The folder of masks.

    Raises:
        DatasetError: the protocol wants what expressions cannot give, or a prediction does not fit its video.
        SinkError: ``out`` cannot be written or holds the masks of another model.
    """
    if not protocol.unit:
        raise DatasetError(
            f"{protocol.name} scores label maps of all objects, not answers to expressions; score the masks "
            "of another method with --predictions"
        )
    predictors = predict if isinstance(predict, Sequence) else [predict]
    draws = [partial(_draw_answers, predict=one, protocol=protocol, merging=merging) for one in predictors]
    return save_images(records, draws, protocol, out, identity, overwrite=overwrite, on_video=on_video)


def save_images(
    records: Sequence[VideoRecord],
    draws: Sequence[Draw],
    protocol: VideoProtocol,
    out: Path,
    identity: Mapping[str, Any],
    *,
    overwrite: bool = False,
    on_video: Callable[[], object] | None = None,
) -> Path:
    """Save images of the annotated frames of videos in a protocol's layout (see :func:`save_masks`).

    Args:
        records: videos.
        draws: makes the images of a video; or several that do, each for a process of its own.
        protocol: as there.
        out: as there.
        identity: as there.
        overwrite: as there.
        on_video: as there.
    """
    folder = out / "masks"
    _claim(out / "masks.json", folder, identity, overwrite=overwrite)
    # What stands around the videos for a server is not needed to score them.
    pattern = protocol.layout.removeprefix("Annotations/")
    works = [
        partial(save_video, draw=one, protocol=protocol, pattern=pattern, folder=folder) for one in draws
    ]
    for _ in spread(works, records):
        if on_video is not None:
            on_video()
    return folder


def _claim(path: Path, folder: Path, identity: Mapping[str, Any], *, overwrite: bool) -> None:
    """Write down whose masks these are, or make sure that those that are there are the same's."""
    plain = json.loads(json.dumps(identity))
    if overwrite and folder.is_dir():
        shutil.rmtree(folder)
    elif path.is_file() and json.loads(path.read_text(encoding="utf-8")) != plain:
        raise SinkError(f"{folder} holds the masks of another model; give --overwrite or another --out")
    write_text(path, json.dumps(plain, indent=1) + "\n")


def save_video(record: VideoRecord, draw: Draw, protocol: VideoProtocol, pattern: str, folder: Path) -> None:
    """Draw the images of one video and move them into place, unless they are there."""
    try:
        _save_video(record, draw, protocol, pattern, folder)
    except OSError as error:
        raise SinkError(f"cannot write {folder}: {error.strerror}; give another --out folder") from error


def _save_video(record: VideoRecord, draw: Draw, protocol: VideoProtocol, pattern: str, folder: Path) -> None:
    tops = [
        Path(pattern.partition("{video}")[0].format(key=key)) / record.name
        for key in (range(_NUM_ANNOTATORS) if protocol.unit == "annotator" else ("",))
    ]
    if (folder / tops[-1]).is_dir():
        return
    partial = folder / f".{record.name}.partial"
    shutil.rmtree(partial, ignore_errors=True)
    wanted = range(len(record.frame_names)) if record.annotated_frames is None else record.annotated_frames
    wanted, num_frames = frozenset(wanted), 0
    for index, images in enumerate(draw(record)):
        num_frames += 1
        if index not in wanted:
            continue
        for key, values in images:
            name = pattern.format(video=record.name, key=key, frame=record.frame_names[index])
            image = Image.fromarray(values)
            if protocol.pixels == "ids":
                image.putpalette(davis_palette())
            (partial / name).parent.mkdir(parents=True, exist_ok=True)
            image.save(partial / name, compress_level=1)
    if num_frames != len(record.frame_names):
        raise DatasetError(
            f"{record.name}: masks predicted for {num_frames} frames, the video has {len(record.frame_names)}"
        )
    for top in tops:
        (folder / top).parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(folder / top, ignore_errors=True)
        os.replace(partial / top, folder / top)
    shutil.rmtree(partial, ignore_errors=True)


def _draw_answers(
    record: VideoRecord, predict: Predictor | SoftPredictor, protocol: VideoProtocol, merging: str
) -> Iterator[Iterator[tuple[str, np.ndarray]]]:
    """Yield the images of each frame, from the answers to the expressions of the video."""
    for masks in predict(record, [expression.text for expression in record.expressions]):
        yield _images(record, masks, protocol, merging)


def _images(
    record: VideoRecord, masks: np.ndarray, protocol: VideoProtocol, merging: str
) -> Iterator[tuple[str, np.ndarray]]:
    """Yield key and values of the images of one frame."""
    is_soft = masks.dtype != np.bool_
    if protocol.unit != "annotator":
        for expression, mask in zip(record.expressions, masks > 0.5 if is_soft else masks, strict=True):
            yield expression.id, mask.astype(np.uint8) * 255
        return
    answers = sorted(zip(record.expressions, masks, strict=True), key=lambda pair: pair[0].object_ids)
    for annotator in range(_NUM_ANNOTATORS):
        own = [(e.object_ids, mask) for e, mask in answers if e.annotator == annotator]
        if not own:
            raise DatasetError(
                f"{record.name} has no expressions of annotator {annotator}; choose a --protocol that scores "
                "expressions on their own"
            )
        merge = MERGES[merging] if is_soft else paint_in_order
        ids = np.array([0, *(object_ids[0] for object_ids, _ in own)], np.uint8)
        yield str(annotator), ids[merge(np.stack([mask for _, mask in own]))]
