"""Trajectories followed from window to window, and one referent chosen over all windows.

A model scores its candidates within one window; which of them is the referent may look different from window
to window. Here the candidates of neighbouring windows are matched by their masks in the frames that both
windows have seen and by their scores, so that each becomes one track through the whole video, and the track
of the highest mean score over all frames is the referent.

Axes: e expressions, t frames of a window, k candidates or tracks, h w cells.
"""

from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from .windows import handover

SCORE_WEIGHT = 0.5
"""Weight of the difference of scores against the overlap of masks. It decides where masks cannot: when an
object is out of sight in the shared frames, and between candidates that cover the same object."""


@dataclass(frozen=True)
class Candidates:
    """The best trajectories of every expression in one window, on the CPU, best first.

    Attributes:
        start: position of the window's first frame.
        scores: ``float [e, k]`` over the window.
        frame_scores: ``float [e, t, k]``.
        presence: ``float [e, t, k]``; ones where the model has no such notion.
        mask_logits: ``float [e, t, k, h, w]``.
    """

    start: int
    scores: Float[Tensor, "e k"]
    frame_scores: Float[Tensor, "e t k"]
    presence: Float[Tensor, "e t k"]
    mask_logits: Float[Tensor, "e t k h w"]

    @property
    def stop(self) -> int:
        """Position after the window's last frame."""
        return self.start + self.frame_scores.shape[1]

    def visible_cells(self, presence_threshold: float | None) -> Bool[Tensor, "e t k h w"]:
        """Return the masks in cells, empty where the object is not present."""
        cells = self.mask_logits > 0
        if presence_threshold is None:
            return cells
        return cells & (self.presence >= presence_threshold)[..., None, None]


class Linker:
    """Tracks of every expression, window after window, in memory that does not grow with them."""

    def __init__(self, presence_threshold: float | None = None, *, is_causal: bool = False) -> None:
        """Follow tracks; ``is_causal`` if a window's frames are shown before the next window is seen."""
        self.presence_threshold = presence_threshold
        self.is_causal = is_causal
        self._cells: Tensor | None = None  # e t k h w, tracks in the last window
        self._start = 0
        self._kept_from = 0
        self._current = torch.zeros(0)  # e k, scores of the tracks in the last window
        self._sums = torch.zeros(0)  # e k, over the frames before self._kept_from

    def add(self, candidates: Candidates) -> Int[Tensor, "e k"]:
        """Continue the tracks through the next window; return the candidate that each track takes there."""
        cells = candidates.visible_cells(self.presence_threshold)
        if self._cells is None:
            assignment = torch.arange(cells.shape[2]).expand(len(cells), -1).clone()
            self._sums = torch.zeros_like(candidates.scores)
        else:
            stop = self._start + self._cells.shape[1]
            boundary = handover(stop, candidates.start, is_linked=True, is_causal=self.is_causal)
            self._sums = self._sums + self._current * (boundary - self._kept_from)
            self._kept_from = boundary
            shared = stop - candidates.start
            overlaps = mask_iou(self._cells[:, -shared:], cells[:, :shared])
            means = self._sums / boundary
            distances = (means[:, :, None] - candidates.scores[:, None, :]).abs()
            assignment = _assign(overlaps - SCORE_WEIGHT * distances)
        self._current = candidates.scores.gather(1, assignment)
        self._cells = cells.gather(2, assignment[:, None, :, None, None].expand_as(cells))
        self._start = candidates.start
        return assignment

    @property
    def scores(self) -> Float[Tensor, "e k"]:
        """The mean score of each track over all frames so far."""
        if self._cells is None:
            raise ValueError("no window was added yet")
        stop = self._start + self._cells.shape[1]
        return (self._sums + self._current * (stop - self._kept_from)) / stop

    @property
    def best(self) -> Int[Tensor, "e"]:
        """The track of the highest mean score for each expression (the first on ties)."""
        return self.scores.argmax(dim=1)

    def state(self) -> dict[str, Any]:
        """Return all that is needed to go on, as tensors and plain values."""
        return {
            "cells": self._cells,
            "start": self._start,
            "kept_from": self._kept_from,
            "current": self._current,
            "sums": self._sums,
        }

    def load_state(self, state: dict[str, Any]) -> None:
        """Go on from what :meth:`state` returned."""
        self._cells = state["cells"]
        self._start, self._kept_from = state["start"], state["kept_from"]
        self._current, self._sums = state["current"], state["sums"]


def mask_iou(a: Bool[Tensor, "e t k h w"], b: Bool[Tensor, "e t l h w"]) -> Float[Tensor, "e k l"]:
    """Return the intersection over union in space and time of every pair; 0 where both masks are empty."""
    a, b = (masks.transpose(1, 2).flatten(2).float() for masks in (a, b))  # e k (t h w)
    intersection = a @ b.transpose(1, 2)
    union = a.sum(-1)[:, :, None] + b.sum(-1)[:, None, :] - intersection
    return intersection / union.clamp(min=1)


def _assign(affinity: Float[Tensor, "e k k"]) -> Int[Tensor, "e k"]:
    """Return for each row the column of the best one-to-one assignment."""
    from scipy.optimize import linear_sum_assignment

    columns = [linear_sum_assignment(matrix.numpy(), maximize=True)[1] for matrix in affinity]
    return torch.stack([torch.from_numpy(column) for column in columns])
