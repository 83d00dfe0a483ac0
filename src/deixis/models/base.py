"""The contract that every model keeps, so that one runner, one trainer and one evaluator serve them all.

    clip ──► encode_video ──► VideoFeatures ─┐  once per window: no language in it
    tokens ► encode_text ───► TextFeatures ──┤  once per expression
                                             ▼
                              forward ──► the model's own output ──► criterion (training)
                                                                └──► postprocess ──► Trajectories (inference)

Offline models look at a window of frames at a time. Online models (``inputs.is_online``) look at one frame at
a time and carry a state: they add :meth:`OnlineModel.start` and :meth:`OnlineModel.step`, and those that may
be told where something is :meth:`MaskTakingModel.give_masks`.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, runtime_checkable

from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from deixis.models.inputs import InputSpec
from deixis.structures import Batch, Clip, Target, TextFeatures, Tokens, Trajectories, VideoFeatures
from deixis.text.tokenizer import Tokenizer


class ReferringModel(nn.Module, ABC):
    """A network that finds the referent of an expression in the frames of a clip.

    Attributes:
        config: the frozen data class that rebuilds the model; its ``inputs``
            (:class:`~deixis.models.inputs.InputSpec`) tells the runner what the model wants: sizes,
            normalisation, windows, optical flow, offline or online.
        tokenizer: turns expressions into :class:`Tokens`; None when only ready token ids are at hand.
        note: what a user must know about all results of the model, as that it ignores the expressions; their
            record says it.
    """

    config_class: ClassVar[type]
    note: ClassVar[str] = ""
    config: Any
    tokenizer: Tokenizer | None

    @abstractmethod
    def encode_video(self, clip: Clip) -> VideoFeatures:
        """Compute all that does not depend on the expressions, for ``b`` clips."""

    @staticmethod
    def prepare_expression(expression: str) -> str:
        """Return what of ``expression`` the tokenizer is shown: all, unless a model was trained on less."""
        return expression

    @abstractmethod
    def encode_text(self, tokens: Tokens) -> TextFeatures:
        """Encode ``e`` expressions from ready token ids."""

    @abstractmethod
    def forward(self, video: Any, text: TextFeatures, video_index: Int[Tensor, "e"] | None = None) -> Any:
        """Fuse and decode: every decoder layer, every query.

        Args:
            video: what :meth:`encode_video` gave for ``b`` clips.
            text: features of ``e`` expressions.
            video_index: the clip of each expression. None: one clip serves all expressions, or ``b == e``
                pairs.
        """

    @abstractmethod
    def criterion(
        self, output: Any, targets: Sequence[Target], num_masks: float | None = None
    ) -> dict[str, Tensor]:
        """Return the named loss terms, already weighted: their sum is the loss.

        ``num_masks`` is what the mask losses are divided by, averaged over processes; None counts this
        batch's own.
        """

    def batch_losses(self, batch: Batch, num_masks: float | None = None) -> dict[str, Tensor]:
        """Return the loss terms of a training batch: all of a step but the gradients.

        Models that learn from more than clips and expressions, as from masks of other frames, have their own.
        """
        video, text = self.encode_video(batch.clip), self.encode_text(batch.tokens)
        return self.criterion(self(video, text, batch.video_index), batch.targets, num_masks)

    def set_progress(self, progress: float) -> None:
        """Be told the share of the training that is done, in [0, 1], before each step.

        For a criterion that changes over the training; most do not.
        """

    def count_masks(self, targets: Sequence[Target]) -> float:
        """Count what the mask losses are divided by; the trainer averages it over processes."""
        return float(sum(target.masks.shape[0] * target.masks.shape[1] for target in targets))

    @abstractmethod
    def postprocess(self, output: Any) -> Trajectories:
        """Score the trajectories of the last layer; masks are made later, for the chosen ones only."""


@dataclass(frozen=True)
class FrameMasks:
    """What an online model says of one frame; ``scores`` and ``presence`` lie in [0, 1]."""

    mask_logits: Float[Tensor, "e h w"]
    scores: Float[Tensor, "e"]
    presence: Float[Tensor, "e"]


@runtime_checkable
class OnlineModel(Protocol):
    """Models that see one frame at a time.

    A state has a size that does not grow with the video, holds tensors and plain values only, and can be
    saved with ``torch.save`` and loaded with ``weights_only=True`` to go on later.
    """

    def start(self, text: TextFeatures, *, size: tuple[int, int] | None = None) -> Any:
        """Return the state before the first frame of a video in which the expressions are looked for.

        ``size`` is the video's own height and width, for models that remember what they found at that size.
        """
        ...

    def step(self, frame: VideoFeatures, state: Any) -> tuple[FrameMasks, Any]:
        """Segment one frame (``t == 1``) and return its masks with the state for the next."""
        ...


@runtime_checkable
class MaskTakingModel(OnlineModel, Protocol):
    """Online models that may also be told where something is."""

    def give_masks(self, state: Any, masks: Mapping[int, Bool[Tensor, "H W"]]) -> Any:
        """Return the state with masks known in the next frame: expression, counted from 1 -> mask."""
        ...


@runtime_checkable
class ExampleModel(Protocol):
    """Models that find what examples show: images in which a thing is masked (few-shot segmentation)."""

    @property
    def example_inputs(self) -> InputSpec:
        """What the model wants examples, and the images that are searched, to be like."""
        ...

    def learn_examples(self, examples: Clip, masks: Bool[Tensor, "k H W"]) -> Any:
        """Make of ``k`` images (clips of one frame) with masks at their padded size what is looked for."""
        ...

    def find_alike(self, frame: VideoFeatures, examples: Any) -> FrameMasks:
        """Find it in one frame, by itself: one mask."""
        ...
