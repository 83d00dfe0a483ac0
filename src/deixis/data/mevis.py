"""MeViS v1 and v2: expressions about motion, of one, several or no objects (data sets, section 5).

    ROOT/{train,valid_u,valid}/JPEGImages/VIDEO/00000.jpg
    ROOT/{train,valid_u,valid}/meta_expressions.json
    ROOT/{train,valid_u}/mask_dict.json             run lengths by annotation and frame; ``valid`` has none

Splits are ``train``, ``val-u`` (for development, with masks) and ``val`` (scored on the server). The ids of
objects are the ``anno_id`` of the metadata, unique over the split: a target is the union of those.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from deixis.errors import DatasetError

from .check import Finding
from .folders import find_folder, find_split, unlisted_folders
from .meta_expressions import read_json
from .readers import ImageFolder
from .records import Expression, VideoRecord
from .run_lengths import IndexedRleMasks, index_tracks

_FOLDERS = {"train": ("train",), "val-u": ("valid_u", "val_u"), "val": ("valid", "val")}


def records(root: str | Path, split: str = "val-u") -> list[VideoRecord]:
    """Return the videos of a split, in the order of its metadata.

    The kinds of an expression are "absent" where nothing answers it and "several" where several objects do.
    Masks are parsed when they are read; the file of masks is only searched for where each lies.

    Raises:
        UnknownNameError: there is no such split.
        MissingSplitError: it is not there.
        DatasetError: files are missing or malformed.
    """
    root = Path(root)
    base = find_split(root, "mevis", split, _FOLDERS)
    videos = _read_videos(base / "meta_expressions.json")
    has_truth = any("anno_id" in one for video in videos.values() for one in video["expressions"].values())
    spans = index_tracks(base / "mask_dict.json") if has_truth else None
    return [_make_record(base, name, video, spans) for name, video in videos.items()]


def split_findings(root: Path, split: str, records: Sequence[VideoRecord]) -> Iterator[Finding]:
    """Yield folders that the metadata does not know."""
    base = find_folder(root, _FOLDERS[split])
    if base is not None:
        yield from unlisted_folders(base / "JPEGImages", {record.name for record in records})


def _read_videos(path: Path) -> Mapping[str, Mapping[str, Any]]:
    content = read_json(path)
    videos = content.get("videos") if isinstance(content, dict) else None
    if not isinstance(videos, dict) or not all(isinstance(video, dict) for video in videos.values()):
        raise DatasetError(f'{path} has no table "videos"; it is not the meta_expressions.json of MeViS')
    for name, video in videos.items():
        if "objects" in video and "expressions" not in video:
            raise DatasetError(
                f"{path} has objects but no expressions: it is a meta file of MOSE, not of MeViS"
            )
        if not isinstance(video.get("expressions"), dict) or not isinstance(video.get("frames"), list):
            raise DatasetError(f'video {name} of {path} lacks "expressions" or "frames"')
    return videos


def _make_record(
    base: Path, name: str, video: Mapping[str, Any], spans: Mapping[int, tuple[int, int]] | None
) -> VideoRecord:
    stems = tuple(str(stem) for stem in video["frames"])
    expressions = tuple(
        _expression(name, key, entry, spans is not None) for key, entry in video["expressions"].items()
    )
    ids = tuple(sorted({identity for one in expressions for identity in one.object_ids}))
    lacking = [identity for identity in ids if spans is not None and identity not in spans]
    if lacking:
        raise DatasetError(
            f"{base / 'mask_dict.json'} has no masks of the annotations {lacking[:10]} of video {name}; "
            "it is of another release than meta_expressions.json"
        )
    frames, masks = ImageFolder(base / "JPEGImages" / name, stems), None
    if spans is not None:
        masks = IndexedRleMasks(base / "mask_dict.json", {i: spans[i] for i in ids}, frames)
    return VideoRecord(
        name=name,
        frame_names=stems,
        frames=frames,
        expressions=expressions,
        object_ids=ids,
        masks=masks,
    )


def _expression(video: str, key: str, entry: Mapping[str, Any], is_known: bool) -> Expression:
    if not isinstance(entry, dict) or not isinstance(entry.get("exp"), str):
        raise DatasetError(f'expression {key} of video {video} has no text "exp"')
    if not is_known:
        return Expression(id=key, text=entry["exp"])
    try:
        # One expression may list an annotation twice: its target is a union all the same.
        ids = tuple(dict.fromkeys(int(identity) for identity in entry["anno_id"]))
    except (KeyError, TypeError, ValueError) as error:
        raise DatasetError(f'expression {key} of video {video} has no list "anno_id"') from error
    kinds = ("absent",) if not ids else ("several",) if len(ids) > 1 else ()
    return Expression(id=key, text=entry["exp"], object_ids=ids, kinds=kinds)
