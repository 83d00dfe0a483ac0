"""Frames in one at a time, results out as soon as they are known: the causal side of the runner.

A session shows each frame once and never looks ahead further than its window; its memory does not grow with
the number of frames. Models that look at windows answer for a window when it is full; online models answer at
once.

Axes: e expressions, h w cells or resized pixels, H W pixels of the video.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from deixis.errors import SourceError
from deixis.flow.prefetch import prefetched
from deixis.flow.tracker import MotionTracker
from deixis.models.base import FrameMasks, MaskTakingModel, OnlineModel
from deixis.propagators.base import ObjectMasks
from deixis.structures import TextFeatures
from deixis.video.frames import Frame
from deixis.video.results import FrameResult

from .engine import Engine
from .linking import Candidates, Linker
from .offline import Answer, FrameStamp, answer, prepare
from .windows import Window, WindowCutter, WindowRule, handover


class Session(ABC):
    """The state of one video while its frames arrive.

    Attributes:
        expressions: what is looked for.
        engine: the model at work.
    """

    def __init__(self, engine: Engine, expressions: Sequence[str], text: TextFeatures) -> None:
        self.engine = engine
        self.expressions = tuple(expressions)
        self.text = text
        self._size: tuple[int, int] | None = None

    @abstractmethod
    def push(self, frame: Frame) -> list[FrameResult]:
        """Take the next frame; return the results that are known by now, in order.

        Raises:
            SourceError: the frame has another size than those before.
        """

    def finish(self) -> list[FrameResult]:
        """Return the results of the frames that were waiting for a full window."""
        return []

    def state(self) -> dict[str, Any]:
        """Return all that is needed to go on later: tensors and plain values, which ``torch.save`` takes."""
        return {"expressions": self.expressions, "size": self._size, "place": self._place()}

    def load_state(self, state: dict[str, Any]) -> None:
        """Go on from what :meth:`state` returned; also after ``torch.load(..., weights_only=True)``.

        Raises:
            ValueError: it is the state of a session with other expressions.
        """
        if tuple(state["expressions"]) != self.expressions:
            raise ValueError(
                f"the state is of the expressions {state['expressions']}, not {self.expressions}"
            )
        self._size = state["size"]
        self._go_to(state["place"])

    @abstractmethod
    def _place(self) -> Any:
        """Return where the model is in the video."""

    @abstractmethod
    def _go_to(self, place: Any) -> None:
        """Go on from what :meth:`_place` returned."""

    def _check_size(self, frame: Frame) -> tuple[int, int]:
        size = frame.size
        if self._size is None:
            self._size = size
        if size != self._size:
            raise SourceError(
                f"frame {frame.name!r} is {size[1]}x{size[0]} but the frames before it are "
                f"{self._size[1]}x{self._size[0]}; bring all frames to one size first"
            )
        return size


class OnlineSession(Session):
    """For models with ``start`` and ``step``: each frame is answered when it comes.

    A model that wants flow to the next frame is answered for a frame when the next one comes.

    ``given`` holds masks of expressions, which are counted from 1, by the number of the frame, from 0.
    """

    def __init__(
        self,
        engine: Engine,
        expressions: Sequence[str],
        text: TextFeatures,
        given: Mapping[int, ObjectMasks] | None = None,
    ) -> None:
        super().__init__(engine, expressions, text)
        if not isinstance(engine.model, OnlineModel):
            raise TypeError(f"{type(engine.model).__name__} says that it is online but has no start and step")
        self._given = given or {}
        self._state: Any = None
        self._num_answered = 0
        motion, estimator = engine.inputs.motion, engine.flow_estimator
        self._tracker: MotionTracker[tuple[Frame, torch.Tensor]] | None = None
        if motion is not None and estimator is not None:
            self._tracker = MotionTracker(motion, estimator)

    def push(self, frame: Frame) -> list[FrameResult]:
        """Take the next frame and answer for it, or for the one before it."""
        return [self._answer(*shown).with_frame(shown[0]) for shown in self._look(frame)]

    def finish(self) -> list[FrameResult]:
        """Answer for the frame that waited for another one."""
        return [self._answer(*shown).with_frame(shown[0]) for shown in self._look_last()]

    def answers(self, frames: Iterable[Frame]) -> Iterator[tuple[Frame, Answer]]:
        """Yield every frame of ``frames``, the last ones of the video, with its answer.

        For models that want flow, frames are read and their flow is computed ahead in a thread of its own.
        """
        shown = self._look_at(frames)
        if self._tracker is not None:
            shown = prefetched(shown)
        for frame, pixels, flow in shown:
            yield frame, self._answer(frame, pixels, flow)

    def _look_at(self, frames: Iterable[Frame]) -> Iterator["_Shown"]:
        for frame in frames:
            yield from self._look(frame)
        yield from self._look_last()

    def _look(self, frame: Frame) -> list["_Shown"]:
        """Take the next frame; return what can be shown to the model by now."""
        self._check_size(frame)
        pixels = prepare(frame, self.engine)
        if self._tracker is None:
            return [(frame, pixels, None)]
        size = (int(pixels.shape[-2]), int(pixels.shape[-1]))
        return _joined(self._tracker.push(frame.image, (frame, pixels), size))

    def _look_last(self) -> list["_Shown"]:
        return [] if self._tracker is None else _joined(self._tracker.finish())

    def _answer(self, frame: Frame, pixels: torch.Tensor, flow: torch.Tensor | None) -> Answer:
        size = frame.size
        given = self._given.get(self._num_answered)
        masks = self._step(pixels, flow, size, given)
        self._num_answered += 1
        sizes = ((int(pixels.shape[-2]), int(pixels.shape[-1])), size)
        stamp = FrameStamp.of(frame)
        scores, presence = masks.scores.float().cpu().numpy(), masks.presence.float().cpu().numpy()
        found = answer(self.engine, stamp, masks.mask_logits, scores, presence, sizes)
        return found if given is None else _with_given(found, given)

    def _place(self) -> dict[str, Any]:
        place = {"model": self._state, "num_answered": self._num_answered}
        if self._tracker is None:
            return place
        waiting = [_plain(frame) for (frame, _), _ in self._tracker.waiting]
        return {**place, "motion": self._tracker.state(), "waiting": waiting}

    def _go_to(self, place: dict[str, Any]) -> None:
        self._state, self._num_answered = place["model"], place["num_answered"]
        if self._tracker is None:
            return
        waiting = []
        for frame in map(_frame, place["waiting"]):
            pixels = prepare(frame, self.engine)
            waiting.append(((frame, pixels), (int(pixels.shape[-2]), int(pixels.shape[-1]))))
        self._tracker.load_state(place["motion"], waiting)

    def _step(
        self,
        pixels: torch.Tensor,
        flow: torch.Tensor | None,
        size: tuple[int, int],
        given: ObjectMasks | None,
    ) -> FrameMasks:
        model = self.engine.model
        assert isinstance(model, OnlineModel)
        video = self.engine.encode_frames([pixels], flow)
        with self.engine.running(1, len(self.expressions)):
            if self._state is None:
                self._state = model.start(self.text, size=size)
            if given is not None:
                assert isinstance(model, MaskTakingModel)
                shown = dict(zip(given.ids, given.masks.to(self.engine.device), strict=True))
                self._state = model.give_masks(self._state, shown)
            masks, self._state = model.step(video, self._state)
        return masks


class WindowSession(Session):
    """For models that look at windows: the frames of a window are answered when it is full.

    Linked windows show in each the trajectory that has the best mean score so far, over all windows up to
    this one. The first answers come after ``length`` frames, later ones every ``length - overlap`` frames.
    """

    def __init__(
        self,
        engine: Engine,
        expressions: Sequence[str],
        text: TextFeatures,
        rule: WindowRule,
        num_candidates: int,
    ) -> None:
        super().__init__(engine, expressions, text)
        self.rule = rule
        self.num_candidates = num_candidates if rule.is_linked else 1
        self._cutter: WindowCutter[tuple[Frame, torch.Tensor]] = WindowCutter(rule)
        self._linker = Linker(engine.inputs.presence_threshold, is_causal=True)
        self._stop = 0
        self._waiting: list[tuple[int, FrameResult]] = []

    def push(self, frame: Frame) -> list[FrameResult]:
        """Take the next frame; when it fills a window, answer for the frames that no window had before."""
        self._check_size(frame)
        window = self._cutter.push((frame, prepare(frame, self.engine)))
        return [] if window is None else self._look(window)

    def finish(self) -> list[FrameResult]:
        """Answer for the frames of the last windows."""
        results = [result for window in self._cutter.finish() for result in self._look(window)]
        results += [result for _, result in self._waiting]
        self._waiting = []
        return results

    def _look(self, window: Window[tuple[Frame, torch.Tensor]]) -> list[FrameResult]:
        frames = [frame for frame, _ in window.frames]
        pixels = [resized for _, resized in window.frames]
        candidates = self.engine.find_candidates(window.start, pixels, self.text, self.num_candidates)
        if self.rule.is_linked:
            chosen = self._linker.add(candidates).gather(1, self._linker.best[:, None])[:, 0]
        else:
            chosen = torch.zeros(len(self.expressions), dtype=torch.int64)
        taken_from = handover(self._stop, window.start, is_linked=self.rule.is_linked, is_causal=True)
        kept = [result for position, result in self._waiting if position < taken_from]
        self._waiting = []
        for offset in range(taken_from - window.start, len(frames)):
            result = self._result(candidates, chosen, offset, frames[offset], pixels[offset])
            if self.rule.is_linked:
                kept.append(result)
            else:
                # The next window may overwrite it.
                self._waiting.append((window.start + offset, result))
        self._stop = window.stop
        return kept

    def _result(
        self, candidates: Candidates, chosen: torch.Tensor, offset: int, frame: Frame, pixels: torch.Tensor
    ) -> FrameResult:
        expressions = torch.arange(len(chosen))
        logits = candidates.mask_logits[expressions, offset, chosen]  # e h w
        scores = candidates.frame_scores[expressions, offset, chosen].numpy()
        presence = candidates.presence[expressions, offset, chosen].numpy()
        assert self._size is not None
        sizes = ((int(pixels.shape[-2]), int(pixels.shape[-1])), self._size)
        found = answer(self.engine, FrameStamp.of(frame), logits, scores, presence, sizes)
        return found.with_frame(frame)

    def _place(self) -> dict[str, Any]:
        position, next_start, covered, held = self._cutter.state()
        return {
            "cutter": (position, next_start, covered),
            "frames": [_plain(frame) for frame, _ in held],
            "linker": self._linker.state(),
            "stop": self._stop,
            "waiting": [(position, _plain_result(result)) for position, result in self._waiting],
        }

    def _go_to(self, place: dict[str, Any]) -> None:
        frames = [_frame(plain) for plain in place["frames"]]
        held = [(frame, prepare(frame, self.engine)) for frame in frames]
        self._cutter.load_state(*place["cutter"], held)
        self._linker.load_state(place["linker"])
        self._stop = place["stop"]
        self._waiting = [(position, _result_of(plain)) for position, plain in place["waiting"]]


_Shown = tuple[Frame, torch.Tensor, torch.Tensor | None]
"""A frame, its pixels as the model wants them, and what moves in it ``[1, m, h, w]``."""


def _with_given(found: Answer, given: ObjectMasks) -> Answer:
    """Put given masks where they belong, as they are."""
    rows = [number - 1 for number in given.ids]
    masks = found.masks.copy()
    masks[rows] = given.masks.numpy()

    def make_probabilities() -> np.ndarray:
        probabilities = found.probabilities.copy()
        probabilities[rows] = given.masks.numpy()
        return probabilities

    return replace(found, masks=masks, make_probabilities=make_probabilities)


def _joined(found: list[tuple[tuple[Frame, torch.Tensor], np.ndarray]]) -> list[_Shown]:
    return [(frame, pixels, torch.from_numpy(flow)[None]) for (frame, pixels), flow in found]


def _plain(frame: Frame) -> tuple[int, float, str, torch.Tensor]:
    return frame.index, frame.time, frame.name, torch.from_numpy(np.ascontiguousarray(frame.image))


def _frame(plain: tuple[int, float, str, torch.Tensor]) -> Frame:
    index, time, name, image = plain
    return Frame(index, time, name, image.numpy())


def _plain_result(result: FrameResult) -> tuple[Any, ...]:
    arrays = (result.masks, result.scores, result.presence)
    return (_plain(result.frame), *(torch.from_numpy(array) for array in arrays))


def _result_of(plain: tuple[Any, ...]) -> FrameResult:
    frame, *arrays = plain
    return FrameResult(_frame(frame), *(array.numpy() for array in arrays))
