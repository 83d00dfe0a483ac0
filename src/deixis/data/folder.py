"""One's own data: a folder of frames or video files, and one JSON (``docs/data/folder.md``).

    ROOT/dataset.json
    {"videos": {"dog": {
        "frames": "videos/dog.mp4",                   a video, or a folder of images (sorted by name)
        "expressions": ["the dog on the left"],       texts, or tables with "text" and, if known, "objects"
        "objects": {"1": {"category": "dog", "masks": {"00000": RLE}}},
        "masks": "masks/dog",                         PNGs named as the frames, pixel value = object id
        "split": "train", "size": [480, 854], "length": 90}}}

Only ``frames`` and ``expressions`` must be there. Paths count from ROOT. A video without ``split`` is of val.
Masks are PNGs or COCO run lengths (one a frame, null where the object is not visible; or by frame name, for
videos of which some frames are annotated). Frames of a video file are called 00000, 00001, ...
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from deixis.errors import DatasetError, UnknownNameError

from .folders import list_stems
from .meta_expressions import read_json
from .readers import IMAGE_SUFFIXES, ImageFolder, LabelFolder, VideoFile
from .records import Expression, MaskReader, ObjectInfo, VideoRecord
from .run_lengths import Code, RleMasks

SPLITS = ("train", "val", "test")
TABLE = "dataset.json"

_KEYS = frozenset({"frames", "expressions", "objects", "masks", "split", "size", "length", "attributes"})


def records(root: str | Path, split: str = "val") -> list[VideoRecord]:
    """Return the videos of a split, in the order of the file.

    An expression has the id that it is given, or its place in the list. Where it has ``objects`` they are the
    ids of what it denotes: an empty list where nothing in the video answers it. Masks without ``objects`` in
    an expression are an error; without masks nothing needs ``objects``.

    Raises:
        UnknownNameError: there is no such split.
        DatasetError: files are missing or malformed.
    """
    root = Path(root)
    if split not in SPLITS:
        raise UnknownNameError("split of folder", split, SPLITS)
    path = root / TABLE
    content = read_json(path)
    videos = content.get("videos") if isinstance(content, dict) else None
    if not isinstance(videos, dict):
        raise DatasetError(f'{path} has no table "videos"; see the documentation of the layout "folder"')
    found = []
    for name, video in videos.items():
        if not isinstance(video, dict):
            raise DatasetError(f"video {name} of {path} is no table")
        of = video.get("split", "val")
        if of not in SPLITS:
            raise UnknownNameError(f"split of video {name} of {path}:", str(of), SPLITS)
        if of == split:
            try:
                found.append(_make_record(root, name, video))
            except (TypeError, ValueError, KeyError, AttributeError) as error:
                raise DatasetError(f"video {name} of {path} is malformed: {error}") from error
    return found


def _make_record(root: Path, name: str, video: Mapping[str, Any]) -> VideoRecord:
    lacking = [key for key in ("frames", "expressions") if key not in video]
    if lacking:
        raise ValueError(f"it lacks {' and '.join(lacking)}")
    unknown = sorted(video.keys() - _KEYS)
    if unknown:
        raise ValueError(f"unknown keys {', '.join(unknown)}; known are {', '.join(sorted(_KEYS))}")
    frames, stems = _frames(root, video)
    objects = {int(identity): dict(told) for identity, told in video.get("objects", {}).items()}
    masks, annotated = _masks(root, name, video, stems, objects)
    expressions = tuple(
        _expression(place, entry, masks is not None) for place, entry in enumerate(video["expressions"])
    )
    named = {identity for expression in expressions for identity in expression.object_ids}
    return VideoRecord(
        name=name,
        frame_names=stems,
        frames=frames,
        expressions=expressions,
        object_ids=tuple(sorted(objects or named)),
        masks=masks,
        annotated_frames=annotated,
        size=_size(video.get("size")),
        attributes=tuple(video.get("attributes", ())),
        objects=tuple(
            ObjectInfo(identity, str(told.get("category", ""))) for identity, told in sorted(objects.items())
        ),
    )


def _frames(root: Path, video: Mapping[str, Any]) -> tuple[ImageFolder | VideoFile, tuple[str, ...]]:
    place = root / str(video["frames"])
    if place.is_dir():
        stems = list_stems(place, IMAGE_SUFFIXES)
        if not stems:
            raise DatasetError(f"there are no images (jpg, png) in {place}")
        return ImageFolder(place, stems), stems
    if not place.is_file():
        raise DatasetError(f"there is neither a folder of images nor a video {place}")
    file = VideoFile(place)
    length = int(video.get("length") or len(file))
    return file, tuple(f"{index:05d}" for index in range(length))


def _masks(
    root: Path,
    name: str,
    video: Mapping[str, Any],
    stems: Sequence[str],
    objects: Mapping[int, Mapping[str, Any]],
) -> tuple[MaskReader | None, tuple[int, ...] | None]:
    """Return the reader of the masks, and the frames that have some where not all do."""
    given = {identity: told["masks"] for identity, told in objects.items() if told.get("masks") is not None}
    if "masks" in video:
        if given:
            raise ValueError('"masks" are given as a folder and as run lengths; keep one')
        return _label_folder(root / str(video["masks"]), stems)
    if not given:
        return None, None
    lacking = sorted(objects.keys() - given.keys())
    if lacking:
        raise ValueError(f"objects {lacking} have no masks, though others have")
    tracks = {identity: _track(identity, masks, stems) for identity, masks in given.items()}
    codes = (code for track in tracks.values() for code in track if code is not None)
    size = _size(video.get("size") or next((code["size"] for code in codes), None))
    if size is None:
        raise ValueError("no object has a mask in any frame")
    by_name = [masks for masks in given.values() if isinstance(masks, Mapping)]
    annotated = None
    if len(by_name) == len(given):
        named = {stem for masks in by_name for stem in masks}
        annotated = tuple(index for index, stem in enumerate(stems) if stem in named)
    is_full = annotated is None or len(annotated) == len(stems)
    reader = RleMasks(f"video {name} of {root / TABLE}", size, tracks)
    return reader, None if is_full else annotated


def _size(value: object) -> tuple[int, int] | None:
    if value is None:
        return None
    if not isinstance(value, list) or len(value) != 2:
        raise ValueError(f"size is height and width, not {value!r}")
    return int(value[0]), int(value[1])


def _label_folder(folder: Path, stems: Sequence[str]) -> tuple[LabelFolder, tuple[int, ...] | None]:
    there = set(list_stems(folder, (".png",)))
    annotated = tuple(index for index, stem in enumerate(stems) if stem in there)
    if not annotated:
        raise DatasetError(f"{folder} has no PNG named as a frame, as {stems[0]}.png would be")
    return LabelFolder(folder, tuple(stems)), None if len(annotated) == len(stems) else annotated


def _track(identity: int, masks: object, stems: Sequence[str]) -> list[Code]:
    """Return one code a frame."""
    if isinstance(masks, Mapping):
        unknown = sorted(set(masks) - set(stems))
        if unknown:
            raise ValueError(f"object {identity} has masks of the frame {unknown[0]!r}, which is not there")
        return [masks.get(stem) for stem in stems]
    if not isinstance(masks, list) or len(masks) != len(stems):
        number = len(masks) if isinstance(masks, list) else "no list of"
        raise ValueError(f"object {identity} has {number} masks, but there are {len(stems)} frames")
    return masks


def _expression(place: int, entry: object, has_masks: bool) -> Expression:
    told = {"text": entry} if isinstance(entry, str) else entry
    if not isinstance(told, dict) or not isinstance(told.get("text"), str):
        raise ValueError(f'expression {place} has no "text"')
    if has_masks and "objects" not in told:
        raise ValueError(f'expression {place} does not tell its "objects", though there are masks')
    return Expression(
        id=str(told.get("id", place)),
        text=told["text"],
        object_ids=tuple(int(identity) for identity in told.get("objects", ())),
        kinds=tuple(told.get("kinds", ())),
    )
