"""``meta_expressions.json``, the form in which Ref-YouTube-VOS and its followers keep expressions.

    {"videos": {NAME: {"expressions": {ID: {"exp": TEXT, "obj_id": ID}}, "frames": [STEM, ...]}}}

The truth may be held back by leaving ``obj_id`` out. Keys beyond the published ones are understood where
present: ``obj_id`` may be a list (several referents; none at all), an expression may have ``kinds``, and a
video ``absent`` (texts that nothing in it answers), ``attributes``, ``objects`` (all annotated ids), ``size``
(height, width).
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from deixis.data.readers import ImageFolder, LabelFolder
from deixis.data.records import Expression, VideoRecord
from deixis.errors import DatasetError


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises:
        DatasetError: it is missing, is not JSON, or has a key twice in one table, of which JSON readers
            silently drop the first.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=_table)
    except FileNotFoundError as error:
        raise DatasetError(
            f"there is no {path}; check the root folder and the archives unpacked there"
        ) from error
    except _DuplicateKeyError as error:
        raise DatasetError(f"{path} has {error} twice in one table; unpack it again") from error
    except (OSError, ValueError) as error:
        raise DatasetError(f"cannot read {path} as JSON: {error}; unpack it again") from error


class _DuplicateKeyError(Exception):
    """A key that a table of JSON has twice."""


def _table(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) != len(pairs):
        keys = [key for key, _ in pairs]
        raise _DuplicateKeyError(repr(next(key for key in keys if keys.count(key) > 1)))
    return table


def read_videos(path: Path) -> dict[str, Any]:
    """Return the ``videos`` of a ``meta_expressions.json``, after a look at its form.

    Raises:
        DatasetError: the file is missing, is not JSON or has another form.
    """
    content = read_json(path)
    videos = content.get("videos") if isinstance(content, dict) else None
    if not isinstance(videos, dict):
        raise DatasetError(f'{path} has no table "videos"; it is not a meta_expressions.json')
    for name, video in videos.items():
        if isinstance(video, dict) and "objects" in video and "expressions" not in video:
            raise DatasetError(
                f"{path} keeps expressions inside objects, the form of the early baseline; "
                "download the meta_expressions of the data set itself"
            )
        if not isinstance(video, dict) or not {"expressions", "frames"} <= video.keys():
            raise DatasetError(f'video {name} of {path} lacks "expressions" or "frames"')
    return videos


def make_record(
    name: str,
    video: Mapping[str, Any],
    frames: Path,
    masks: Path | None,
    object_ids: Iterable[int] | None = None,
) -> VideoRecord:
    """Build the record of one video.

    Args:
        name: of the video.
        video: its entry in the file.
        frames: folder of its images.
        masks: folder of its label maps; None where the truth is held back.
        object_ids: annotated objects; None: those that the entry or its expressions name.
    """
    stems = tuple(str(stem) for stem in video["frames"])
    is_known = masks is not None and any("obj_id" in entry for entry in video["expressions"].values())
    expressions = [_expression(name, key, entry, is_known) for key, entry in video["expressions"].items()]
    expressions += [
        Expression(id=f"absent-{number}", text=text, kinds=("absent",))
        for number, text in enumerate(video.get("absent", ()))
    ]
    if object_ids is None:
        named = (i for expression in expressions for i in expression.object_ids)
        object_ids = video.get("objects", named)
    size = video.get("size")
    return VideoRecord(
        name=name,
        frame_names=stems,
        frames=ImageFolder(frames, stems),
        expressions=tuple(expressions),
        object_ids=tuple(sorted({int(i) for i in object_ids})),
        masks=LabelFolder(masks, stems) if masks is not None and is_known else None,
        size=None if size is None else (int(size[0]), int(size[1])),
        attributes=tuple(video.get("attributes", ())),
    )


def _expression(video: str, key: str, entry: Mapping[str, Any], is_known: bool) -> Expression:
    """Build one expression; without known truth it has no referents."""
    if not isinstance(entry.get("exp"), str):
        raise DatasetError(f'expression {key} of video {video} has no text "exp"')
    if not is_known:
        return Expression(id=key, text=entry["exp"], kinds=tuple(entry.get("kinds", ())))
    if "obj_id" not in entry:
        raise DatasetError(
            f'expression {key} of video {video} has no "obj_id", though others of the video have'
        )
    referents = entry["obj_id"] if isinstance(entry["obj_id"], list) else [entry["obj_id"]]
    try:
        object_ids = tuple(int(referent) for referent in referents)
    except (TypeError, ValueError) as error:
        raise DatasetError(
            f"expression {key} of video {video} has the object id {entry['obj_id']!r}"
        ) from error
    return Expression(id=key, text=entry["exp"], object_ids=object_ids, kinds=tuple(entry.get("kinds", ())))
