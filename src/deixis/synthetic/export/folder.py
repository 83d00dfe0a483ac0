"""The layout of one's own data: everything that a record holds, masks as run lengths."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from deixis.data.folder import TABLE
from deixis.data.meta_expressions import read_json
from deixis.data.records import VideoRecord
from deixis.errors import SinkError

from .files import read_masks, write_json
from .label_folders import category_of, run_lengths, write_frames


def write(records: Iterable[VideoRecord], root: Path, split: str, image: str) -> None:
    """Write a split into the one table, after the splits that are there."""
    path = root / TABLE
    videos: dict[str, Any] = read_json(path)["videos"] if path.is_file() else {}
    if any(video.get("split", "val") == split for video in videos.values()):
        raise SinkError(f"{root} has a split {split} already; choose another folder or remove it")
    for record in records:
        if record.name in videos:
            raise SinkError(f"{root} has a video {record.name} already; choose another folder or remove it")
        write_frames(record, root / "frames" / record.name, image, record.frame_names)
        size = read_masks(record, [0]).shape[2:]
        tracks = zip(record.object_ids, run_lengths(record), strict=True)
        videos[record.name] = {
            "frames": f"frames/{record.name}",
            "split": split,
            "size": list(size),
            "attributes": list(record.attributes),
            "objects": {
                str(identity): {"category": category_of(record, identity), "masks": track}
                for identity, track in tracks
            },
            "expressions": [
                {"id": one.id, "text": one.text, "objects": list(one.object_ids), "kinds": list(one.kinds)}
                for one in record.expressions
            ],
        }
    write_json(path, {"videos": videos})
