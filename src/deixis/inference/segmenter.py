"""The runner: a model, a video and sentences in, masks out."""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import torch

from deixis import propagators
from deixis.errors import MaskError, SourceError
from deixis.flow.cache import CachedFlow
from deixis.flow.estimator import FlowEstimator, find_estimator
from deixis.models.base import MaskTakingModel, ReferringModel
from deixis.models.registry import DEFAULT
from deixis.ops.device import find_device
from deixis.propagators.base import ObjectMasks, Propagator
from deixis.structures import TextFeatures, Tokens
from deixis.video.frames import Frame, Source
from deixis.video.results import FrameResult
from deixis.video.sources import take_source

from .engine import Engine, check_expressions, find_dtype
from .frame_spool import FrameSpool
from .given import describe_given, place_given, read_given
from .offline import Answer, OfflineRun
from .prediction import Prediction, PredictionBuilder
from .progress import Progress, progress_reporter
from .propagation import refine
from .record import describe_run, weights_hash
from .session import OnlineSession, Session, WindowSession
from .windows import WindowRule, find_rule

_logger = logging.getLogger(__name__)


class Segmenter:
    """A model ready to segment videos.

    Example:
        >>> segmenter = deixis.Segmenter()  # doctest: +SKIP
        >>> prediction = segmenter("dog.mp4", ["the dog on the left", "the woman"])  # doctest: +SKIP
        >>> for result in segmenter.stream(camera, ["the red car"]): ...  # doctest: +SKIP

    Attributes:
        model: in evaluation mode, on the device.
        engine: the model at work.
        rule: how long videos become windows.
        propagator: replaces masks by those followed from the surest frame; None where they stay.
    """

    def __init__(
        self,
        model: ReferringModel | str | Path = DEFAULT,
        *,
        checkpoint: str | Path | None = None,
        tokenizer: str | Path | None = None,
        device: str | torch.device = "auto",
        dtype: str = "auto",
        windows: str | WindowRule | None = None,
        expression_batch: int = 8,
        num_candidates: int = 4,
        propagator: Propagator | str | None = None,
        propagator_checkpoint: str | Path | None = None,
        flow: FlowEstimator | None = None,
        flow_cache: str | Path | None = None,
    ) -> None:
        """Prepare ``model``.

        Args:
            model: a model, or a name or folder that :func:`deixis.load` takes.
            checkpoint: weights for a model given by name.
            tokenizer: a ``tokenizer.json`` for published weights, which come without.
            device: "auto" (a GPU where there is one), "cpu", "cuda", "cuda:1", "mps".
            dtype: "float32", "bfloat16" or "float16" (mixed precision), or "auto": float32.
            windows: "linked" (None: the same), "clips", "demo", "whole", or a rule of one's own.
            expression_batch: expressions that go through the model together.
            num_candidates: trajectories of a window that may be the referent when all windows are seen.
            propagator: a method, or its name in ``deixis.propagators``, that follows each referent from its
                surest frame to both ends of the video and replaces the other masks (ReferFormer, supplement
                D.2). None: masks stay as the model gives them.
            propagator_checkpoint: weights for a propagator given by name.
            flow: an estimator of optical flow in place of the one that the model names, such as RAFT with its
                weights.
            flow_cache: a folder that remembers flow.

        Raises:
            DeixisError: unknown name, unfit weights, absent device.
            ValueError: an impossible value.
        """
        if min(expression_batch, num_candidates) < 1:
            raise ValueError("expression_batch and num_candidates must be at least 1")
        found_device, found_dtype = find_device(device), find_dtype(dtype)
        if isinstance(model, str | Path):
            from deixis.models.loading import load

            self.name: str | None = str(model)
            model = load(model, checkpoint, device=found_device, tokenizer=tokenizer)
        else:
            self.name = None
            if checkpoint is not None or tokenizer is not None:
                raise ValueError("a checkpoint goes with a model's name; this model has its weights already")
        inputs = model.config.inputs
        if inputs.motion is None and (flow is not None or flow_cache is not None):
            raise ValueError("this model wants no optical flow; leave its estimator and cache out")
        if inputs.motion is not None and flow is None:
            flow = find_estimator(inputs.motion.estimator)
        if flow is not None and flow_cache is not None:
            flow = CachedFlow(flow, flow_cache)
        if model.note:
            _logger.warning("%s: %s", self.name or type(model).__name__, model.note)
        self.rule = find_rule(windows, inputs)
        self.model = model.eval().to(found_device)
        self.num_candidates = num_candidates
        if isinstance(propagator, str):
            propagator = propagators.build(propagator, propagator_checkpoint, device=found_device)
        elif propagator_checkpoint is not None:
            raise ValueError("a propagator's checkpoint goes with its name; name one")
        self.propagator = propagator
        self.engine = Engine(self.model, found_device, found_dtype, expression_batch, flow)

    @cached_property
    def weights_hash(self) -> str:
        """The hash of the model's weights (see ``inference.record``)."""
        return weights_hash(self.model)

    def __call__(
        self,
        source: Any,
        expressions: str | Sequence[str],
        *,
        masks: Any = None,
        start: float | str | None = None,
        end: float | str | None = None,
        stride: int = 1,
        tokens: Tokens | None = None,
        progress: bool | Progress = False,
    ) -> Prediction:
        """Segment a whole video.

        Args:
            source: a video file, a folder or glob of frames, a list of images, an array ``[t, H, W, 3]``, an
                iterator of images, a camera index, or an opened :class:`~deixis.video.frames.Source`.
            expressions: sentences, each naming one object (or several, or none).
            masks: of what sentences name, for models that may be told: masks of some frames as
                :func:`~deixis.inference.given.read_given` takes them, whose ids are the numbers of the
                sentences, counted from 1.
            start: where the part to segment begins: seconds, "1:05", or a frame as "120f".
            end: where it ends, likewise.
            stride: every how many frames.
            tokens: ready token ids of the expressions, for models without a tokenizer.
            progress: True for a progress bar, or a function that is told stage and frames done.

        Raises:
            DeixisError: expressions, masks or a source that cannot be used.
            ValueError: masks for a model that takes none.
        """
        asked = self._ask(source, expressions, masks, start, end, stride, tokens)
        builder = PredictionBuilder()
        with progress_reporter(progress, asked.source.num_frames) as report:
            for found in self._answers(asked, report):
                builder.add(found)
        # What can be read only once does not know its length beforehand.
        again = asked.source if asked.source.num_frames is not None else None
        description = self.describe(asked.expressions, masks)
        return builder.build(asked.expressions, asked.source.frame_rate, description, again)

    def answers(
        self,
        source: Any,
        expressions: str | Sequence[str],
        *,
        masks: Any = None,
        start: float | str | None = None,
        end: float | str | None = None,
        stride: int = 1,
        tokens: Tokens | None = None,
        progress: bool | Progress = False,
    ) -> Iterator[Answer]:
        """Yield the masks and scores of each frame after a look at the whole video, which is read once.

        The masks are those of a call, made one frame at a time. Arguments and errors as there.
        """
        asked = self._ask(source, expressions, masks, start, end, stride, tokens)
        return self._report_answers(asked, progress)

    def iterate(
        self,
        source: Any,
        expressions: str | Sequence[str],
        *,
        masks: Any = None,
        start: float | str | None = None,
        end: float | str | None = None,
        stride: int = 1,
        tokens: Tokens | None = None,
        progress: bool | Progress = False,
    ) -> Iterator[FrameResult]:
        """Yield frames with their masks, chosen after a look at the whole video: for sinks.

        The masks are those of a call; the source is read twice, and nothing is kept in memory.
        Arguments and errors as there.
        """
        asked = self._ask(source, expressions, masks, start, end, stride, tokens)
        is_causal = self.engine.inputs.is_online and self.propagator is None
        if asked.source.num_frames is None and not is_causal:
            raise SourceError(
                f"{asked.source.name} can be read only once, but masks are chosen after a look at the whole"
                " video; use stream (on the command line: --stream)"
            )
        return self._results(asked, progress)

    def stream(
        self,
        frames: Any,
        expressions: str | Sequence[str],
        *,
        masks: Any = None,
        tokens: Tokens | None = None,
    ) -> Iterator[FrameResult]:
        """Yield results while frames arrive: an iterator in, an iterator out, each frame read once.

        The choice of the referent is causal: what is best up to the current window. Latency is one window of
        frames (one frame for online models); memory does not grow.

        Args:
            frames: an iterator of images (or anything that is a source: a file, a camera index).
            expressions: sentences, each naming one object.
            masks: as of a call; of what can be read only once, those of the first frame.
            tokens: ready token ids of the expressions, for models without a tokenizer.
        """
        source = take_source(frames)
        listed = check_expressions(expressions)
        return _stream(source, self._session(listed, self._place(masks, listed, source), tokens))

    def session(self, expressions: str | Sequence[str], *, tokens: Tokens | None = None) -> Session:
        """Start a session: push frames one at a time, get results as soon as they are known."""
        return self._session(check_expressions(expressions), {}, tokens)

    def _session(
        self, expressions: tuple[str, ...], given: Mapping[int, ObjectMasks], tokens: Tokens | None
    ) -> Session:
        if self.propagator is not None:
            raise ValueError(
                "a propagator goes backward too, which no stream can; use a call, or no propagator"
            )
        text = self.engine.encode_expressions(expressions, tokens)
        if self.engine.inputs.is_online:
            return OnlineSession(self.engine, expressions, text, given)
        return WindowSession(self.engine, expressions, text, self.rule, self.num_candidates)

    def describe(self, expressions: Sequence[str], masks: Any = None) -> dict[str, Any]:
        """Return a plain record of what this makes of ``expressions``, and of ``masks`` of what they name."""
        given = {} if masks is None else {"masks": describe_given(read_given(masks))}
        return {**describe_run(self, expressions), **given}

    def _ask(
        self,
        source: Any,
        expressions: str | Sequence[str],
        masks: Any,
        start: float | str | None,
        end: float | str | None,
        stride: int,
        tokens: Tokens | None,
    ) -> "_Asked":
        listed = check_expressions(expressions)
        source = take_source(source, start=start, end=end, stride=stride)
        given = self._place(masks, listed, source)
        return _Asked(source, listed, self.engine.encode_expressions(listed, tokens), given)

    def _place(self, masks: Any, expressions: Sequence[str], source: Source) -> dict[int, ObjectMasks]:
        """Find the frames for which masks are given."""
        if masks is None:
            return {}
        if not isinstance(self.model, MaskTakingModel) or self.propagator is not None:
            name = self.name or type(self.model).__name__
            raise ValueError(
                f"{name} takes no masks beside sentences; name a UniRef without a propagator, or give masks"
                " alone"
            )
        given = read_given(masks)
        for one in given.values():
            if max(one.masks.ids) > len(expressions):
                raise MaskError(
                    f"{one.origin} shows object {max(one.masks.ids)}, and there is no sentence of that"
                    " number: beside sentences, ids are the numbers of these, counted from 1"
                )
        return {position: one.masks for position, one in place_given(given, source).items()}

    def _answers(self, asked: "_Asked", report: Progress) -> Iterator[Answer]:
        if self.propagator is None:
            yield from self._found(asked, report)
            return
        builder = PredictionBuilder()
        with FrameSpool() as frames:
            kept = replace(asked.source, reader=lambda: frames.record(asked.source))
            for found in self._found(replace(asked, source=kept), report):
                builder.add(found)
            prediction = builder.build(asked.expressions, None, {}, None)
            prediction = refine(prediction, frames, self.propagator, report)
        for frame in prediction:
            yield Answer(frame.stamp, frame.masks, frame.scores, frame.presence)

    def _found(self, asked: "_Asked", report: Progress) -> Iterator[Answer]:
        if self.engine.inputs.is_online:
            session = OnlineSession(self.engine, asked.expressions, asked.text, asked.given)
            for number, (_, found) in enumerate(session.answers(asked.source), start=1):
                yield found
                report("look", number)
            return
        with OfflineRun(self.engine, asked.text, self.rule, self.num_candidates) as run:
            run.read(asked.source, lambda done: report("look", done))
            for number, found in enumerate(run, start=1):
                yield found
                report("masks", number)

    def _report_answers(self, asked: "_Asked", progress: bool | Progress) -> Iterator[Answer]:
        with progress_reporter(progress, asked.source.num_frames) as report:
            yield from self._answers(asked, report)

    def _results(self, asked: "_Asked", progress: bool | Progress) -> Iterator[FrameResult]:
        with progress_reporter(progress, asked.source.num_frames) as report:
            if self.engine.inputs.is_online and self.propagator is None:
                session = OnlineSession(self.engine, asked.expressions, asked.text, asked.given)
                for number, (frame, found) in enumerate(session.answers(asked.source), start=1):
                    yield found.with_frame(frame)
                    report("look", number)
                return
            frames: Iterator[Frame] = iter(())
            for number, found in enumerate(self._answers(asked, report)):
                # The source is read for the second time only when the first reading is over.
                frames = iter(asked.source) if number == 0 else frames
                yield found.with_frame(next(frames))


@dataclass(frozen=True)
class _Asked:
    """A source, the expressions, ready for the model, and masks of theirs by the frames delivered."""

    source: Source
    expressions: tuple[str, ...]
    text: TextFeatures
    given: Mapping[int, ObjectMasks]


def _stream(frames: Iterable[Frame], session: Session) -> Iterator[FrameResult]:
    for frame in frames:
        yield from session.push(frame)
    yield from session.finish()
