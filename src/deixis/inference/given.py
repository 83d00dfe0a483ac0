"""Masks that a user gives to be followed: label maps of some frames, from files or arrays.

A label map has the id of its object in each pixel, 0 for the background. 255 beside other ids is void;
alone, as in black and white masks, it is the one object, with the id 1.

Axes: k objects, H W pixels of the video.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Shaped

from deixis.errors import MaskError
from deixis.ops.png import decode_label_map
from deixis.propagators.base import ObjectMasks
from deixis.video.frames import Frame, Source

MAX_OBJECTS = 100
"""Objects of a label map; images of more are taken for pictures whose edges were smoothed."""

VOID = 255

Place = int | str | None
"""A frame: its index in the source, its name, or None for the first that is delivered."""


@dataclass(frozen=True)
class GivenMasks:
    """Masks of one frame, and what to call them in an error."""

    masks: ObjectMasks
    origin: str


def read_given(masks: Any) -> dict[Place, GivenMasks]:
    """Read masks in whatever form they are given.

    Args:
        masks: a PNG of ids, or a folder of them; a label map, integers ``[H, W]``, or masks ``bool [k, H,
            W]``, as array or tensor; or a mapping from frames (index or name) to any of these but folders.
            Files are called after their frames (``00007.png``); a single one of another name is for the first
            frame.

    Raises:
        MaskError: a file is missing, damaged or in colours, or nothing shows an object.
    """
    if isinstance(masks, Mapping):
        items = [(place, _read_frame(one, f"the mask of frame {place}")) for place, one in masks.items()]
    elif isinstance(masks, str | Path) and Path(masks).is_dir():
        items = [(path.stem, _read_file(path)) for path in sorted(Path(masks).glob("*.png"))]
    elif isinstance(masks, str | Path):
        stem = Path(masks).stem
        items = [(stem if stem.isdecimal() else None, _read_file(Path(masks)))]
    else:
        items = [(None, _read_frame(masks, "the mask"))]
    found = {place: given for place, given in items if given.masks.ids}
    if not found:
        where = items[0][1].origin if len(items) == 1 else masks if isinstance(masks, str | Path) else "masks"
        raise MaskError(
            f"{where} shows no object: every pixel is 0; paint each object with an id of 1 to 254"
            if items
            else f"{where} holds no .png; give label maps that are called after their frames, as 00000.png"
        )
    return found


def place_given(given: Mapping[Place, GivenMasks], source: Source) -> dict[int, GivenMasks]:
    """Find the frames that masks are given for; return their positions among the frames delivered.

    Reads the source up to the last of them, unless that is the first.

    Raises:
        MaskError: there is no such frame, two masks are for one, or the size of a mask is not the frame's.
    """
    if set(given) == {None}:
        return {0: _fitting(given[None], source.size)}
    if source.num_frames is None:
        raise MaskError(
            f"{source.name} can be read only once: give the masks of its first frame alone, as a file that is"
            " not called after a number"
        )
    waiting, placed = dict(given), {}
    first = last = ""
    for position, frame in enumerate(source):
        first, last = first or frame.name, frame.name
        found = [place for place in waiting if _is_at(place, position, frame)]
        if len(found) > 1:
            raise MaskError(f"{' and '.join(waiting[place].origin for place in found)} are for one frame")
        for place in found:
            placed[position] = _fitting(waiting.pop(place), frame.size)
        if not waiting:
            return placed
    place, lost = next(iter(waiting.items()))
    raise MaskError(
        f"{lost.origin} is for frame {place}, which is not among those that are read ({first} to {last});"
        " call it after its frame, or write FRAME=FILE"
    )


def describe_given(given: Mapping[Place, GivenMasks]) -> dict[str, Any]:
    """Return the frames, the ids and a hash of given masks, for the record of a run."""
    digest = hashlib.sha256()
    rows = sorted(("" if place is None else str(place), one) for place, one in given.items())
    for place, one in rows:
        digest.update(f"{place} {one.masks.ids} {tuple(one.masks.masks.shape)}\n".encode())
        digest.update(np.packbits(one.masks.masks.numpy()).tobytes())
    frames = {place or "first": list(one.masks.ids) for place, one in rows}
    return {"frames": frames, "sha256": digest.hexdigest()}


def object_ids(given: Mapping[Place, GivenMasks] | Mapping[int, GivenMasks]) -> tuple[int, ...]:
    """Return the ids of all objects, sorted."""
    return tuple(sorted({number for one in given.values() for number in one.masks.ids}))


def _read_frame(masks: Any, origin: str) -> GivenMasks:
    """Read one frame's masks from a file, an array, a tensor, or take them as they are."""
    if isinstance(masks, GivenMasks):
        return masks
    if isinstance(masks, str | Path):
        return _read_file(Path(masks))
    if isinstance(masks, ObjectMasks):
        return GivenMasks(masks, origin)
    array = masks.detach().cpu().numpy() if isinstance(masks, torch.Tensor) else np.asarray(masks)
    if array.ndim == 3 and array.dtype == np.bool_:
        return GivenMasks(ObjectMasks(tuple(range(1, len(array) + 1)), torch.from_numpy(array)), origin)
    if array.ndim != 2 or array.dtype.kind not in "bui":
        raise MaskError(
            f"{origin} is {array.dtype} {array.shape}; give ids as integers [H, W], or bool [k, H, W]"
        )
    return GivenMasks(_split(array, origin), origin)


def _read_file(path: Path) -> GivenMasks:
    try:
        labels = decode_label_map(path.read_bytes())
    except FileNotFoundError as error:
        raise MaskError(f"there is no mask {path}; check the path") from error
    except (OSError, ValueError) as error:
        raise MaskError(f"{path} cannot be read as a mask: {error}") from error
    return GivenMasks(_split(labels, str(path)), str(path))


def _split(labels: Shaped[np.ndarray, "H W"], origin: str) -> ObjectMasks:
    """Divide a label map into the masks of its objects."""
    ids = [int(number) for number in np.unique(labels) if number]
    if ids and ids[0] < 0:
        raise MaskError(f"{origin} has the id {ids[0]}; ids are positive, 0 is the background")
    if ids == [VOID]:
        return ObjectMasks((1,), torch.from_numpy(labels == VOID)[None])
    ids = [number for number in ids if number != VOID]
    if len(ids) > MAX_OBJECTS:
        raise MaskError(
            f"{origin} has {len(ids)} different ids, of at most {MAX_OBJECTS}; if it is a picture of masks"
            " with smooth edges, save one id for each object, without antialiasing"
        )
    masks = np.stack([labels == number for number in ids]) if ids else np.zeros((0, *labels.shape), bool)
    return ObjectMasks(tuple(ids), torch.from_numpy(masks))


def _fitting(given: GivenMasks, size: tuple[int, int] | None) -> GivenMasks:
    """Return masks that have the size of their frame."""
    height, width = (int(side) for side in given.masks.masks.shape[-2:])
    if size not in (None, (height, width)):
        raise MaskError(
            f"{given.origin} is {width}x{height}, but the frames are {size[1]}x{size[0]}; give masks of the"
            " frames' own size"
        )
    return given


def _is_at(place: Place, position: int, frame: Frame) -> bool:
    """Tell whether masks of ``place`` are for this frame; a number is first of all that of a name."""
    if place is None:
        return position == 0
    if isinstance(place, int) or (place.isdecimal() and not frame.name.isdecimal()):
        return int(place) == frame.index
    return place == frame.name or (place.isdecimal() and int(place) == int(frame.name))
