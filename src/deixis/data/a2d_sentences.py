"""A2D-Sentences: expressions about the actors of A2D; a few annotated frames a video (data sets, section 6).

ROOT/Release/videoset.csv                                       no header, 9 columns
ROOT/Release/clips320H/VIDEO.mp4                                or CLIPS320
ROOT/text_annotations/a2d_annotation.txt                        video_id,instance_id,query
ROOT/text_annotations/a2d_missed_videos.txt
ROOT/text_annotations/a2d_annotation_with_instances/VIDEO/FFFFF.h5
"""

from collections.abc import Iterator
from pathlib import Path

from deixis.data.readers import InstanceIds, MatlabMasks, VideoFile
from deixis.data.records import Expression, VideoRecord
from deixis.data.tables import read_rows
from deixis.errors import DatasetError, MissingSplitError, UnknownNameError

SPLITS = ("train", "test")
_SUBSETS = {"0": "train", "1": "test"}
_CLIPS = ("clips320H", "CLIPS320")


def records(root: str | Path, split: str = "test") -> list[VideoRecord]:
    """Return the videos of a split that have expressions, in the order of ``videoset.csv``.

    Frames are named as the annotation files are, from ``00001``. Expressions are numbered in a video in the
    order of their file; the row with the instance ``1 (copy)`` is dropped, as everybody does. An instance
    that an annotated frame lacks has an empty mask there; the field drops such pairs.

    Raises:
        UnknownNameError: there is no such split.
        DatasetError: files are missing or malformed.
    """
    root = Path(root)
    if split not in SPLITS:
        raise UnknownNameError("split of a2d-sentences", split, SPLITS)
    texts = root / "text_annotations"
    clips = next((root / "Release" / name for name in _CLIPS if (root / "Release" / name).is_dir()), None)
    if clips is None or not texts.is_dir():
        raise MissingSplitError(
            f"{root} has no Release/clips320H or no text_annotations; give the folder that holds both"
        )
    queries = _read_queries(texts / "a2d_annotation.txt")
    missed = _read_missed(texts / "a2d_missed_videos.txt")
    found = []
    for name, num_frames, subset in _read_videos(root / "Release" / "videoset.csv"):
        if subset == split and name in queries and name not in missed:
            masks = texts / "a2d_annotation_with_instances" / name
            found.append(_make_record(name, num_frames, queries[name], clips / f"{name}.mp4", masks))
    return found


def _make_record(
    name: str, num_frames: int, queries: list[tuple[int, str]], clip: Path, folder: Path
) -> VideoRecord:
    stems = tuple(f"{number:05d}" for number in range(1, num_frames + 1))
    try:
        annotated = sorted(int(path.stem) - 1 for path in folder.iterdir() if path.suffix == ".h5")
    except (OSError, ValueError) as error:
        raise DatasetError(
            f"cannot list the masks {folder}: {error}; unpack the text annotations again"
        ) from error
    masks = MatlabMasks(folder, stems)
    if not annotated or annotated[0] < 0 or annotated[-1] >= num_frames:
        raise DatasetError(
            f"{folder} has masks of no frame, or of frames beyond the {num_frames} of the video"
        )
    return VideoRecord(
        name=name,
        frame_names=stems,
        frames=VideoFile(clip),
        expressions=tuple(
            Expression(id=str(number), text=text, object_ids=(instance,))
            for number, (instance, text) in enumerate(queries)
        ),
        object_ids=InstanceIds(masks, tuple(annotated)),
        masks=masks,
        annotated_frames=tuple(annotated),
    )


def _read_videos(path: Path) -> Iterator[tuple[str, int, str]]:
    """Yield name, number of frames and split of each video."""
    for number, row in read_rows(path):
        if len(row) != 9 or row[8].strip() not in _SUBSETS or not row[6].strip().isdigit():
            raise DatasetError(
                f"line {number} of {path} is not the nine columns of A2D's videoset.csv: {row}"
            )
        yield row[0].strip(), int(row[6]), _SUBSETS[row[8].strip()]


def _read_queries(path: Path) -> dict[str, list[tuple[int, str]]]:
    """Return video -> (instance, text) in the order of the file."""
    rows = read_rows(path)
    _, header = next(rows, (0, []))
    if [column.strip() for column in header] != ["video_id", "instance_id", "query"]:
        raise DatasetError(f"{path} does not start with video_id,instance_id,query; it is not A2D-Sentences")
    queries: dict[str, list[tuple[int, str]]] = {}
    for number, row in rows:
        if len(row) != 3:
            raise DatasetError(f"line {number} of {path} has {len(row)} columns, not 3: {row}")
        if row[1].strip() == "1 (copy)":
            continue
        if not row[1].strip().isdigit():
            raise DatasetError(f"line {number} of {path} has the instance id {row[1]!r}")
        queries.setdefault(row[0].strip(), []).append((int(row[1]), row[2]))
    return queries


def _read_missed(path: Path) -> frozenset[str]:
    """Return the videos without expressions; none where the file is not there."""
    if not path.is_file():
        return frozenset()
    return frozenset(line.strip() for line in path.read_text(encoding="utf-8").splitlines())
