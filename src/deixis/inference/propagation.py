"""Masks of one frame followed to both ends of a video, and the post-process made of it.

ReferFormer, supplement D.2: the frame in which the referent is surest is the reference; its predicted mask is
propagated forward and backward, and replaces the masks of all other frames. No code of it was published; the
details are those of propagation, section 4.

Axes: t frames, e expressions, k objects, H W pixels of the video.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Literal, Protocol

import numpy as np
import torch
from jaxtyping import Bool, Float, UInt8
from torch import Tensor

from deixis.ops.masks import encode_rle
from deixis.propagators.base import ObjectMasks, PropagatedMasks, Propagator

from .prediction import Prediction
from .progress import Progress


class FrameStore(Protocol):
    """Frames that can be read in any order."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> UInt8[Tensor, "3 H W"]: ...


Direction = Literal["both", "forward", "backward"]


def walk(
    propagator: Propagator,
    frames: Iterable[tuple[int, UInt8[Tensor, "3 H W"]]],
    given: Mapping[int, ObjectMasks],
    last: int | None = None,
) -> Iterator[tuple[int, PropagatedMasks]]:
    """Follow masks in one direction from a fresh state; yield each index with what was found there.

    Args:
        propagator: follows the masks.
        frames: index and pixels, in the order of the walk.
        given: index -> masks that are known there.
        last: index of the last frame, where it is known.
    """
    state = propagator.start()
    for index, frame in frames:
        found, state = propagator.step(frame, state, given.get(index), is_last=index == last)
        yield index, found


def propagate(
    propagator: Propagator,
    frames: FrameStore,
    anchor: int,
    given: ObjectMasks,
    *,
    direction: Direction = "both",
) -> Iterator[tuple[int, PropagatedMasks]]:
    """Follow the masks of one frame; yield the index of each frame with what was found in it.

    The backward half comes first, down to the first frame; then the anchor and the frames after it. Each half
    starts from a fresh state; one frame is held at a time.

    Args:
        propagator: follows the masks.
        frames: of the video.
        anchor: index of the frame whose masks are given.
        given: the masks.
        direction: which frames are wanted besides the anchor.

    Raises:
        ValueError: there is no such frame.
    """
    if not 0 <= anchor < len(frames):
        raise ValueError(f"there is no frame {anchor} among {len(frames)}")
    if direction not in ("both", "forward", "backward"):
        raise ValueError(f"direction must be 'both', 'forward' or 'backward', got {direction!r}")
    backward, forward = range(anchor, -1, -1), range(anchor, len(frames))
    both = (backward, forward) if anchor else (forward,)
    halves = {"both": both, "forward": (forward,), "backward": (backward,)}[direction]
    for half in halves:
        shown = ((index, frames[index]) for index in half)
        for index, found in walk(propagator, shown, {anchor: given}, half[-1]):
            if index != anchor or half is halves[-1]:
                yield index, found


def find_anchor(scores: Float[np.ndarray, "t"], has_mask: Bool[np.ndarray, "t"]) -> int | None:
    """Return the frame of the highest score among those with a mask, the earliest on ties; None: no mask."""
    if not has_mask.any():
        return None
    return int(np.where(has_mask, scores, -np.inf).argmax())


def refine(
    prediction: Prediction, frames: FrameStore, propagator: Propagator, report: Progress | None = None
) -> Prediction:
    """Replace the masks of each expression by those that follow from its surest frame.

    Expressions are followed one by one, as objects that know nothing of one another. The surest frame keeps
    its mask; an expression without any mask stays as it is. Scores remain those of the model; the presence of
    replaced masks is the propagator's.

    Args:
        prediction: of the whole video.
        frames: of the same video, at its size.
        propagator: follows the masks.
        report: is told stage "propagate" and the frames done, of all expressions together.

    Raises:
        ValueError: the frames are not those of the prediction.
    """
    if len(frames) != len(prediction):
        raise ValueError(f"a prediction of {len(prediction)} frames cannot be refined by {len(frames)}")
    counts = [list(row) for row in prediction.counts]
    presence = prediction.presence.copy()
    num_expressions = len(prediction.expressions)
    for place in range(num_expressions):
        anchor = find_anchor(prediction.scores[:, place], prediction.has_mask(place))
        if anchor is None:
            continue
        mask = torch.from_numpy(prediction[anchor].masks[[place]])
        with torch.inference_mode():
            followed = propagate(propagator, frames, anchor, ObjectMasks((1,), mask))
            for done, (index, found) in enumerate(followed, start=1):
                if index != anchor:
                    counts[index][place] = encode_rle(found.masks)[0]["counts"]
                    presence[index, place] = float(found.presence[0])
                if report is not None:
                    report("propagate", (place * len(frames) + done) // num_expressions)
    return replace(prediction, counts=tuple(tuple(row) for row in counts), presence=presence)
