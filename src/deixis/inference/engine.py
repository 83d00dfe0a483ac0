"""A model at work: frames to clips, expressions to features, windows to candidates, mask logits to masks.

Axes: e expressions, t frames, q queries, k candidates, h w cells or resized pixels, H W pixels of the video.
"""

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float, UInt8
from torch import Tensor

from deixis.errors import DeviceError, ExpressionError
from deixis.flow.estimator import FlowEstimator
from deixis.models.base import ReferringModel
from deixis.models.clip import make_clip
from deixis.models.inputs import InputSpec
from deixis.ops.masks import (
    masks_at_size,
    probabilities_at_size,
    smooth_probabilities,
    stretched_masks,
    stretched_probabilities,
)
from deixis.ops.padding import padded_to
from deixis.ops.words import clean
from deixis.structures import TextFeatures, Tokens, Trajectories, VideoFeatures

from .linking import Candidates


@dataclass(frozen=True)
class FrameCandidates:
    """Every trajectory of every expression in one annotated frame, on the CPU, in the order of the queries.

    Attributes:
        scores: ``float [e, q]`` in [0, 1].
        mask_logits: ``float [e, q, h, w]``.
        boxes: ``float [e, q, 4]`` as cx, cy, w, h in [0, 1]; None where the model has none.
    """

    scores: Float[Tensor, "e q"]
    mask_logits: Float[Tensor, "e q h w"]
    boxes: Float[Tensor, "e q 4"] | None


@dataclass(frozen=True)
class Engine:
    """A model on a device, and how much of it runs at once.

    Attributes:
        model: in evaluation mode, on ``device``.
        device: where it runs.
        dtype: float32, or bfloat16 or float16 for automatic mixed precision.
        expression_batch: expressions that go through the model together; bounds the memory, not the result.
        flow_estimator: of optical flow, for models that want it.
    """

    model: ReferringModel
    device: torch.device
    dtype: torch.dtype = torch.float32
    expression_batch: int = 8
    flow_estimator: FlowEstimator | None = None

    @property
    def inputs(self) -> InputSpec:
        """What the model wants to be fed."""
        return self.model.config.inputs

    def encode_expressions(self, expressions: Sequence[str], tokens: Tokens | None = None) -> TextFeatures:
        """Encode all expressions, once for the whole video; ``tokens`` replace the model's tokenizer.

        Raises:
            ExpressionError: an expression that the tokenizer refuses, or a model that has no tokenizer.
        """
        if tokens is None:
            if self.model.tokenizer is None:
                raise ExpressionError(
                    "this model came without a tokenizer; load it with its tokenizer.json, or pass token ids"
                )
            tokens = self.model.tokenizer([self.model.prepare_expression(each) for each in expressions])
        with self.running(1, len(expressions)):
            return self.model.encode_text(tokens.to(self.device))

    def encode_frames(
        self, frames: Sequence[UInt8[Tensor, "3 h w"]], flow: Float[Tensor, "t m h w"] | None = None
    ) -> VideoFeatures:
        """Run the language-free side of the model over resized frames of one window and their flow."""
        with self.running(len(frames), 1):
            return self.model.encode_video(make_clip(frames, self.inputs, self.device, flow))

    def find_candidates(
        self, start: int, frames: Sequence[UInt8[Tensor, "3 h w"]], text: TextFeatures, num_candidates: int
    ) -> Candidates:
        """Return the best trajectories of every expression in the window that begins at ``start``."""
        video = self.encode_frames(frames)
        with self.running(len(frames), min(len(text.words), self.expression_batch)):
            parts = [_best(found, num_candidates) for found in self._trajectories(video, text)]
        columns = [torch.cat(column) for column in zip(*parts, strict=True)]
        return Candidates(start, *columns)

    def find_in_frame(
        self, frames: Sequence[UInt8[Tensor, "3 h w"]], place: int, text: TextFeatures
    ) -> FrameCandidates:
        """Return all trajectories of every expression in the frame at ``place``; the others are only seen."""
        clip = replace(make_clip(frames, self.inputs, self.device), annotated_frames=(place,))
        with self.running(len(frames), min(len(text.words), self.expression_batch)):
            video = self.model.encode_video(clip)
            parts = [_every(found) for found in self._trajectories(video, text)]
        scores, mask_logits, boxes = zip(*parts, strict=True)
        has_boxes = boxes[0] is not None
        return FrameCandidates(
            torch.cat(scores), torch.cat(mask_logits), torch.cat(boxes) if has_boxes else None
        )

    def make_masks(
        self, mask_logits: Float[Tensor, "e h w"], input_size: tuple[int, int], size: tuple[int, int]
    ) -> Bool[Tensor, "e H W"]:
        """Turn mask logits over an input of ``input_size`` into masks of the video's own ``size``."""
        if self.inputs.mask_resize == "stretched":
            return stretched_masks(mask_logits.float(), size)
        padded_size = padded_to(input_size, self.inputs.pad_multiple)
        if self.inputs.mask_resize == "smooth":
            return smooth_probabilities(mask_logits.float(), padded_size, input_size, size) > 0.5
        return masks_at_size(mask_logits.float(), padded_size, input_size, size)

    def make_probabilities(
        self, mask_logits: Float[Tensor, "e h w"], input_size: tuple[int, int], size: tuple[int, int]
    ) -> Float[Tensor, "e H W"]:
        """Return what :meth:`make_masks` puts its threshold to."""
        if self.inputs.mask_resize == "stretched":
            return stretched_probabilities(mask_logits.float(), size)
        padded_size = padded_to(input_size, self.inputs.pad_multiple)
        if self.inputs.mask_resize == "smooth":
            return smooth_probabilities(mask_logits.float(), padded_size, input_size, size)
        return probabilities_at_size(mask_logits.float(), padded_size, input_size, size)

    def _trajectories(self, video: VideoFeatures, text: TextFeatures) -> Iterator[Trajectories]:
        for first in range(0, len(text.words), self.expression_batch):
            output = self.model(video, text[first : first + self.expression_batch])
            yield self.model.postprocess(output)

    @contextmanager
    def running(self, num_frames: int, num_expressions: int) -> Generator[None]:
        """Run the model inside: without gradients, in the engine's precision, lack of memory explained.

        Raises:
            DeviceError: the device has no memory left.
        """
        is_mixed = self.dtype != torch.float32
        precision = torch.autocast(self.device.type, dtype=self.dtype if is_mixed else None, enabled=is_mixed)
        try:
            with torch.inference_mode(), precision:
                yield
        except torch.OutOfMemoryError as error:
            raise DeviceError(
                f"{self.device} has no memory left for {num_frames} frames and {num_expressions} expressions "
                "at once; choose shorter windows or a smaller expression batch"
            ) from error


def check_expressions(expressions: str | Sequence[str]) -> tuple[str, ...]:
    """Return the expressions as a tuple; one string is one expression.

    Raises:
        ExpressionError: there is none, or one of them is not a sentence.
    """
    listed = (expressions,) if isinstance(expressions, str) else tuple(expressions)
    if not listed:
        raise ExpressionError("name at least one expression: a sentence that says which object you mean")
    for expression in listed:
        clean(expression)
    return listed


def find_dtype(dtype: str) -> torch.dtype:
    """Return the type that ``dtype`` names; "auto" is float32, so that results do not depend on the machine.

    Raises:
        ValueError: there is no such type.
    """
    known = {
        "auto": torch.float32,
        "float32": torch.float32,
        "bfloat16": torch.bfloat16,
        "float16": torch.float16,
    }
    if dtype not in known:
        raise ValueError(f"dtype must be one of {', '.join(known)}, got {dtype!r}")
    return known[dtype]


def _every(trajectories: Trajectories) -> tuple[Tensor, Tensor, Tensor | None]:
    """Return scores, mask logits and boxes of all queries in the one frame that was predicted."""
    e, q = trajectories.scores.shape
    queries = torch.arange(q, device=trajectories.scores.device).expand(e, -1)
    boxes = None if trajectories.boxes is None else trajectories.boxes[:, 0].float().cpu()
    masks = trajectories.make_mask_logits(queries)[:, 0].float().cpu()
    return trajectories.frame_scores[:, 0].float().cpu(), masks, boxes


def _best(trajectories: Trajectories, num_candidates: int) -> tuple[Tensor, ...]:
    """Keep the best candidates, best first (the lower query on ties), and make their masks."""
    order = trajectories.scores.sort(dim=1, descending=True, stable=True).indices
    queries = order[:, :num_candidates]  # e k
    t = trajectories.frame_scores.shape[1]
    by_frame = queries[:, None].expand(-1, t, -1)  # e t k
    frame_scores = trajectories.frame_scores.gather(2, by_frame)
    presence = trajectories.presence
    present = torch.ones_like(frame_scores) if presence is None else presence.gather(2, by_frame)
    kept = (
        trajectories.scores.gather(1, queries),
        frame_scores,
        present,
        trajectories.make_mask_logits(queries),
    )
    return tuple(value.float().cpu() for value in kept)
