"""The things in a frame: parts of what moves, followed from frame to frame, and what is measured of them.

A thing is a group of nearby pixels that move by themselves. It keeps its place in the memory while it is seen
and for a while after, and what is measured of it is averaged over time, so that one bad frame changes little.

Axes: H W pixels of the frame, h w of the memory's map, k categories, s slots.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int, UInt8
from torch import Tensor

from deixis.models.hinet_tiny.colours import colour_shares
from deixis.models.hinet_tiny.matching import Thing
from deixis.ops.lexicon import BASIC_COLOURS, CATEGORIES

MAX_THINGS = 16
"""Slots of the memory: what is seen of more things than that is not followed."""
PATIENCE = 30
"""Frames for which a thing that is not seen keeps its slot."""
KEPT = 0.92
"""Share of what was measured before that a frame keeps."""

SHARPNESS = 0.55
"""Frames that the mean of log probabilities of categories counts for. On rendered video 1 would be right;
masks found of real things are rougher, and call for doubt."""
_LEAST_CHANCE = 1e-3

Namer = Callable[[np.ndarray, Sequence[np.ndarray]], np.ndarray]
"""An image and the masks of things to probabilities of categories ``[n, k]``."""

Memory = dict[str, Tensor]
"""What is known of the things of a video, as tensors:

``owners uint8 [h, w]`` the slot + 1 of each cell of the last frame; ``facts float32 [s, f]`` running sums
of log categories, colours, velocity and their weight; ``places float32 [s, 3]`` x, y and area; ``spans int64
[s, 2]`` first and last frame; ``time int64 []``.
"""

_CELL = 4
_NUM_FACTS = len(CATEGORIES) + len(BASIC_COLOURS) + 3
_GAP = 0.012
"""Parts closer than twice this, in heights of the frame, are one thing."""
_SMALLEST = (5e-4, 0.04)
"""Share of the frame, and of the largest thing, below which a part is nothing."""
_NEAR, _SIMILAR = 0.2, 3.0
"""Heights of the frame that a lost thing can have gone, and by how much its area can have changed."""


@dataclass(frozen=True)
class Seen:
    """What is in one frame.

    Attributes:
        labels: index + 1 of the thing at each pixel, 0 for none.
        things: in the order of their labels.
    """

    labels: UInt8[np.ndarray, "H W"]
    things: tuple[Thing, ...]


def empty_memory() -> Memory:
    """Return the memory before the first frame."""
    return {
        "owners": torch.zeros(0, 0, dtype=torch.uint8),
        "facts": torch.zeros(MAX_THINGS, _NUM_FACTS),
        "places": torch.zeros(MAX_THINGS, 3),
        "spans": torch.full((MAX_THINGS, 2), -1),
        "time": torch.zeros((), dtype=torch.int64),
    }


def part(mask: Bool[np.ndarray, "H W"]) -> tuple[UInt8[np.ndarray, "H W"], int]:
    """Number the parts of ``mask`` by falling area; those that are near one another are one."""
    import cv2

    reach = 2 * max(round(_GAP * mask.shape[0]), 1) + 1
    joined = cv2.dilate(mask.astype(np.uint8), np.ones((reach, reach), np.uint8))
    found, parts = cv2.connectedComponents(joined)
    parts = np.where(mask, parts, 0)
    areas = np.bincount(parts.ravel(), minlength=found)
    areas[0] = 0
    floor = max(_SMALLEST[0] * mask.size, _SMALLEST[1] * areas.max(initial=0), 1)
    order = [one for one in np.argsort(-areas, kind="stable") if areas[one] >= floor][:MAX_THINGS]
    numbers = np.zeros(found, np.uint8)
    numbers[order] = np.arange(1, len(order) + 1)
    return numbers[parts], len(order)


def find_things(
    image: UInt8[np.ndarray, "H W 3"],
    flow: Float[np.ndarray, "4 H W"],
    mask: Bool[np.ndarray, "H W"],
    name: Namer,
    memory: Mapping[str, Tensor],
) -> tuple[Seen, Memory]:
    """Part the ``mask`` of what moves into things, and follow them.

    Args:
        image: RGB.
        flow: without the camera's part, to the next frame and to the one before, in pixels.
        mask: what moves.
        name: tells the categories of things.
        memory: of the frames before.

    Returns:
        What is seen, and the memory with this frame.
    """
    labels, count = part(mask)
    height, width = mask.shape
    cells = np.ascontiguousarray(labels[_CELL // 2 :: _CELL, _CELL // 2 :: _CELL])
    owners, facts, places, spans = (
        memory[name].numpy().copy() for name in ("owners", "facts", "places", "spans")
    )
    time = int(memory["time"])
    masks = [labels == one for one in range(1, count + 1)]
    named = name(image, masks) if masks else np.zeros((0, len(CATEGORIES)))
    measured = [_measure(*item, image, flow) for item in zip(masks, named, strict=True)]
    slots = _slots(cells, measured, owners, places, spans, time, width / height)
    things, next_owners = [], np.zeros_like(cells)
    for index, (fact, place) in enumerate(measured):
        slot = slots[index]
        is_new = spans[slot, 1] < 0
        facts[slot] = fact if is_new else KEPT * facts[slot] + fact
        places[slot] = place
        spans[slot] = (time if is_new else spans[slot, 0], time)
        next_owners[cells == index + 1] = slot + 1
        things.append(_thing(facts[slot], place, spans[slot], masks[index]))
    spans[(spans[:, 1] >= 0) & (spans[:, 1] < time - PATIENCE)] = -1
    kept = {"owners": next_owners, "facts": facts, "places": places, "spans": spans}
    following = {name: torch.from_numpy(value) for name, value in kept.items()}
    return Seen(labels, tuple(things)), {**following, "time": torch.tensor(time + 1)}


def _measure(
    mask: Bool[np.ndarray, "H W"],
    categories: Float[np.ndarray, "k"],
    image: UInt8[np.ndarray, "H W 3"],
    flow: Float[np.ndarray, "4 H W"],
) -> tuple[Float[np.ndarray, "_f"], Float[np.ndarray, "3"]]:
    """Return the facts of one frame about a thing (categories, colours, velocity, 1), and x, y, area."""
    height, width = mask.shape
    rows, columns = np.nonzero(mask)
    vectors = flow[:, rows, columns].mean(axis=1)
    velocity = (vectors[:2] - vectors[2:]) / (2 * height)
    colours = colour_shares(image, mask)
    logs = np.log(categories + _LEAST_CHANCE)
    facts = np.concatenate((logs, colours, velocity, [1.0])).astype(np.float32)
    place = np.array([(columns.mean() + 0.5) / width, (rows.mean() + 0.5) / height, mask.mean()], np.float32)
    return facts, place


def _slots(
    cells: UInt8[np.ndarray, "h w"],
    measured: list[tuple[np.ndarray, np.ndarray]],
    owners: UInt8[np.ndarray, "_h _w"],
    places: Float[np.ndarray, "s 3"],
    spans: Int[np.ndarray, "s 2"],
    time: int,
    aspect: float,
) -> list[int]:
    """Return the slot of each thing: of what was there before, of what was lost nearby, or a free one."""
    slots: list[int] = []
    for index, (_, (x, y, area)) in enumerate(measured):
        votes = np.zeros(MAX_THINGS)
        if owners.shape == cells.shape:
            votes = np.bincount(owners[cells == index + 1], minlength=MAX_THINGS + 1)[1:].astype(float)
        votes[slots] = 0
        if votes.any():
            slots.append(int(votes.argmax()))
            continue
        lost = (spans[:, 1] >= 0) & (spans[:, 1] < time)
        lost[slots] = False
        distance = np.hypot((places[:, 0] - x) * aspect, places[:, 1] - y)
        ratio = np.maximum(places[:, 2], 1e-6) / max(float(area), 1e-6)
        lost &= (distance < _NEAR) & (ratio < _SIMILAR) & (ratio > 1 / _SIMILAR)
        if lost.any():
            slots.append(int(np.where(lost, distance, np.inf).argmin()))
            continue
        # The slot that was seen longest ago gives way; a free one has never been seen.
        last = spans[:, 1].astype(float)
        last[slots] = np.inf
        slot = int(last.argmin())
        spans[slot] = -1
        slots.append(slot)
    return slots


def _thing(
    facts: Float[np.ndarray, "_f"],
    place: Float[np.ndarray, "3"],
    span: Int[np.ndarray, "2"],
    mask: Bool[np.ndarray, "H W"],
) -> Thing:
    height, width = mask.shape
    means = facts[:-1] / facts[-1]
    logs, colours, velocity = np.split(means, [len(CATEGORIES), len(CATEGORIES) + len(BASIC_COLOURS)])
    chances = np.exp(SHARPNESS * (logs - logs.max()))
    columns, rows = np.flatnonzero(mask.any(axis=0)), np.flatnonzero(mask.any(axis=1))
    return Thing(
        categories=chances / chances.sum(),
        colours=colours,
        centre=(float(place[0]), float(place[1])),
        area=float(place[2]),
        velocity=(float(velocity[0]), float(velocity[1])),
        box=(columns[0] / width, rows[0] / height, (columns[-1] + 1) / width, (rows[-1] + 1) / height),
        first_seen=int(span[0]),
        last_seen=int(span[1]),
    )
