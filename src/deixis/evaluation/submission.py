"""The archives that evaluation servers take: written from a model or from a folder of masks, and checked.

=================  ==========================================  =====================================
data set           inside the zip                              pixels
=================  ==========================================  =====================================
ref-youtube-vos    ``Annotations/VIDEO/EXPRESSION/FRAME.png``  grey, 0 or 255
mevis              ``VIDEO/EXPRESSION/FRAME.png``              grey, 0 or 255
youtube-vos        ``Annotations/VIDEO/FRAME.png``             palette, ids of ``meta.json``
lvos               ``VIDEO/FRAME.png``                         palette, ids of the metadata
=================  ==========================================  =====================================

Images have the size of their frames (metrics, sections 6 to 9).
"""

import io
import os
import zipfile
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Shaped
from PIL import Image

from deixis.data.records import VideoRecord
from deixis.errors import DatasetError, SinkError, UnknownNameError
from deixis.evaluation.checks.names import Wanted, check_names, find_top
from deixis.evaluation.checks.pixels import Rule, check_mask, decode_mask
from deixis.evaluation.checks.problems import Findings, Problem
from deixis.evaluation.files import Files
from deixis.evaluation.predictor import Predictor
from deixis.video.palette import davis_palette


@dataclass(frozen=True, kw_only=True)
class Format:
    """What a server takes.

    Attributes:
        top: folder of the zip that holds the videos, "" for none.
        is_binary: a grey mask an expression; otherwise a label map of all objects.
    """

    top: str
    is_binary: bool


FORMATS: Mapping[str, Format] = {
    "ref-youtube-vos": Format(top="Annotations", is_binary=True),
    "mevis": Format(top="", is_binary=True),
    "youtube-vos-2018": Format(top="Annotations", is_binary=False),
    "youtube-vos-2019": Format(top="Annotations", is_binary=False),
    "lvos": Format(top="", is_binary=False),
}
"""Name of the data set -> what its server takes."""


def find_format(dataset: str) -> Format:
    """Return what the server of a data set takes.

    Raises:
        UnknownNameError: there is no server that we know of.
    """
    if dataset not in FORMATS:
        raise UnknownNameError("data set with an evaluation server", dataset, FORMATS)
    return FORMATS[dataset]


def write_submission(
    records: Iterable[VideoRecord],
    predict: Predictor,
    path: Path,
    *,
    dataset: str = "ref-youtube-vos",
    overwrite: bool = False,
) -> int:
    """Predict every expression and write the zip for a data set's server, atomically.

    Where the server wants label maps, each expression stands for its one object, and higher ids lie on top.
    Data sets without a server get the form of Ref-YouTube-VOS.

    Returns:
        The number of images.

    Raises:
        SinkError: the file is there already, or cannot be written.
        DatasetError: a prediction has another size or number of frames than its video, or a video has no
            expressions.
    """
    form = FORMATS.get(dataset, FORMATS["ref-youtube-vos"])
    with _new_archive(path, overwrite=overwrite) as add:
        return sum(_add_video(add, record, predict, form) for record in records)


def pack_submission(
    files: Files, records: Sequence[VideoRecord], path: Path, *, dataset: str, overwrite: bool = False
) -> int:
    """Write the zip for a data set's server from masks that were saved before, looking over every one.

    Returns:
        The number of images.

    Raises:
        SinkError: the file is there already, or cannot be written.
        PredictionError: masks are missing, unreadable, of another size or hold what the server does not take.
    """
    form = find_format(dataset)
    top = find_top(files, [record.name for record in records])
    wanted = [wanted_for_server(record, form) for record in records]
    findings = check_names(files, top, wanted)
    findings.raise_problems(files.place)
    prefix = f"{top}/" if top else ""
    num_images = 0
    with _new_archive(path, overwrite=overwrite) as add:
        for entry, record in zip(wanted, records, strict=True):
            for name, mask in _masks(files, prefix, entry, record, form, findings):
                values = (mask != 0).astype(np.uint8) * 255 if form.is_binary else mask
                add("/".join(part for part in (form.top, name) if part), values, not form.is_binary)
                num_images += 1
        findings.raise_problems(files.place)
    return num_images


def check_submission(files: Files, records: Sequence[VideoRecord], *, dataset: str) -> Findings:
    """Look a zip (or the folder to be zipped) over as its server will see it, every image of it."""
    form = find_format(dataset)
    top = find_top(files, [record.name for record in records])
    wanted = [wanted_for_server(record, form) for record in records]
    findings = check_names(files, top, wanted)
    findings.notes = [note for note in findings.notes if note.place != top]
    if top != form.top:
        place = f"the folder {form.top}" if form.top else "the top of the zip, without a folder around them"
        findings.problems.append(
            Problem("videos in the wrong folder", top or "(top)", f"the server looks for them in {place}")
        )
    prefix = f"{top}/" if top else ""
    expected = {
        f"{prefix}{folder}/{frame}.png"
        for entry in wanted
        for folder in entry.folders
        for frame in entry.frames
    }
    for name in files.names:
        if name not in expected:
            findings.notes.append(Problem("not asked for by the server", name))
    present = frozenset(files.names)
    for entry, record in zip(wanted, records, strict=True):
        for name, mask in _masks(files, prefix, entry, record, form, findings, present):
            if form.is_binary and mask.any() and int(mask.max()) != 255:
                findings.problems.append(
                    Problem(f"masks of 0 and {mask.max()}", name, "the server takes 0 and 255")
                )
    return findings


def wanted_for_server(record: VideoRecord, form: Format) -> Wanted:
    """Return the files that a server wants of one video.

    Label maps are wanted from the first frame of the first object on, where the data set tells it, and only
    for frames that it lists for some object.
    """
    frames = record.frame_names
    listed = [info.frames for info in record.objects if info.frames is not None]
    if not form.is_binary and listed and len(listed) == len(record.objects):
        first = min((info.first_frame or 0 for info in record.objects), default=0)
        indices = sorted({index for frames in listed for index in frames if index >= first})
        frames = tuple(record.frame_names[index] for index in indices)
    return Wanted(
        video=record.name,
        expressions=tuple(e.id for e in record.expressions) if form.is_binary else None,
        frames=frames,
        known_frames=record.frame_names,
    )


def frame_size(record: VideoRecord) -> tuple[int, int]:
    """Return height and width of a video's frames."""
    if record.size is not None:
        return record.size
    height, width = record.frames.read([0]).shape[1:3]
    return height, width


Add = Callable[[str, Shaped[np.ndarray, "H W"], bool], None]
"""Adds an image to an archive: its name, its values, whether they are ids."""


@contextmanager
def _new_archive(path: Path, *, overwrite: bool) -> Generator[Add]:
    """Open a zip that appears at ``path`` when all is written; yield what adds images to it."""
    if path.exists() and not overwrite:
        raise SinkError(f"{path} is there already; give --overwrite or another name")
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with zipfile.ZipFile(partial, "w", zipfile.ZIP_STORED) as archive:
                yield lambda name, values, is_ids: archive.writestr(name, _png(values, is_ids))
            os.replace(partial, path)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as error:
        raise SinkError(f"cannot write {path}: {error.strerror}; give another name") from error


def _png(values: np.ndarray, is_ids: bool) -> bytes:
    image = Image.fromarray(values)
    if is_ids:
        image.putpalette(davis_palette())
    content = io.BytesIO()
    image.save(content, "PNG", compress_level=1)
    return content.getvalue()


def _masks(
    files: Files,
    prefix: str,
    entry: Wanted,
    record: VideoRecord,
    form: Format,
    findings: Findings,
    present: frozenset[str] | None = None,
) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the sound masks of a video by name; what is wrong with the others goes into ``findings``."""
    size = frame_size(record)
    ids = frozenset(record.object_ids) if record.object_ids else None
    rule = Rule(is_binary=form.is_binary, ids=None if form.is_binary else ids)
    for folder in entry.folders:
        for frame in entry.frames:
            name = f"{folder}/{frame}.png"
            if present is not None and prefix + name not in present:
                continue
            mask = decode_mask(files.read(prefix + name), prefix + name, findings)
            if mask is not None and check_mask(mask, prefix + name, size, rule, findings):
                yield name, mask


def _add_video(add: Add, record: VideoRecord, predict: Predictor, form: Format) -> int:
    """Predict one video and add its images; return how many."""
    expressions = record.expressions
    if not expressions:
        raise DatasetError(
            f"{record.name} has no expressions, so a model cannot be asked about it; "
            "give the masks of another method with --predictions"
        )
    size = frame_size(record)
    wanted = frozenset(wanted_for_server(record, form).frames)
    num_frames = num_images = 0
    for index, masks in enumerate(predict(record, [expression.text for expression in expressions])):
        if masks.shape != (len(expressions), *size):
            raise DatasetError(
                f"{record.name}: masks predicted are {list(masks.shape)}, not {[len(expressions), *size]}"
            )
        num_frames += 1
        if record.frame_names[index] not in wanted:
            continue
        for name, values in _images(record, masks, form):
            path = "/".join(part for part in (form.top, record.name, name) if part)
            add(f"{path}/{record.frame_names[index]}.png", values, not form.is_binary)
            num_images += 1
    if num_frames != len(record.frame_names):
        raise DatasetError(
            f"{record.name}: masks predicted for {num_frames} frames, the video has {len(record.frame_names)}"
        )
    return num_images


def _images(record: VideoRecord, masks: np.ndarray, form: Format) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the images of a frame: one an expression, or one label map."""
    if form.is_binary:
        for expression, mask in zip(record.expressions, masks, strict=True):
            yield expression.id, mask.astype(np.uint8) * 255
        return
    labels = np.zeros(masks.shape[1:], np.uint8)
    named = [
        (expression.object_ids, mask) for expression, mask in zip(record.expressions, masks, strict=True)
    ]
    for object_ids, mask in sorted(named, key=lambda entry: entry[0]):
        if len(object_ids) != 1:
            raise DatasetError(
                f"{record.name}: label maps need expressions of one object each, one is of {len(object_ids)}"
            )
        labels[mask] = object_ids[0]
    yield "", labels
