"""The values that cross floors: what a model takes, what it gives, what a user gets.

Legend: b videos of a batch, t frames, e expressions, q queries, n annotated objects, s tokens, c channels;
H W pixels of the network's input, h w cells of a feature map.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal, Self

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor


@dataclass(frozen=True)
class Clip:
    """Frames as a network takes them: normalised, zero-padded at the bottom, right and end of time.

    Attributes:
        frames: ``float [b, t, 3, H, W]``, normalised, 0 on padding.
        padding_mask: ``bool [b, t, H, W]``, True on padding.
        annotated_frames: indices of the frames to predict (the one annotated frame of A2D-Sentences), or None
            for all.
        flow: ``float [b, t, m, H, W]`` what moves, as ``InputSpec.motion`` says, 0 on padding, for models
            that ask for it; None: not known (single images).
    """

    frames: Float[Tensor, "b t 3 H W"]
    padding_mask: Bool[Tensor, "b t H W"]
    annotated_frames: tuple[int, ...] | None = None
    flow: Float[Tensor, "b t m H W"] | None = None

    def to(self, device: torch.device | str, dtype: torch.dtype | None = None) -> "Clip":
        """Return the clip on ``device``, its floating tensors in ``dtype``."""
        flow = None if self.flow is None else self.flow.to(device, dtype)
        return Clip(self.frames.to(device, dtype), self.padding_mask.to(device), self.annotated_frames, flow)


@dataclass(frozen=True)
class Tokens:
    """Expressions as token ids: ``ids int64 [e, s]`` and ``padding_mask bool [e, s]``, True on padding."""

    ids: Int[Tensor, "e s"]
    padding_mask: Bool[Tensor, "e s"]

    def to(self, device: torch.device | str) -> "Tokens":
        """Return the tokens on ``device``."""
        return Tokens(self.ids.to(device), self.padding_mask.to(device))

    def __getitem__(self, index: slice | Sequence[int]) -> "Tokens":
        return Tokens(self.ids[index], self.padding_mask[index])


@dataclass(frozen=True)
class TextFeatures:
    """What a text encoder says of e expressions.

    Attributes:
        words: ``float [e, s, c]``, one vector a token.
        padding_mask: ``bool [e, s]``, True on padding.
        sentence: ``float [e, c]``, one vector an expression, for models that use one.
    """

    words: Float[Tensor, "e s c"]
    padding_mask: Bool[Tensor, "e s"]
    sentence: Float[Tensor, "e c"] | None = None

    def mean_of_words(self) -> Float[Tensor, "e c"]:
        """Average the words of each expression, padding left out."""
        is_read = (~self.padding_mask)[..., None].to(self.words.dtype)  # e s 1
        return (self.words * is_read).sum(dim=1) / is_read.sum(dim=1)

    def __getitem__(self, index: slice | Sequence[int]) -> "TextFeatures":
        sentence = None if self.sentence is None else self.sentence[index]
        return TextFeatures(self.words[index], self.padding_mask[index], sentence)


@dataclass(frozen=True)
class VideoFeatures:
    """The language-free side of a model: computed once per window and shared by every expression.

    Models subclass it to keep more (projections, position encodings); the runner only passes it on.

    Attributes:
        maps: feature maps from fine to coarse, each ``float [b, t, c_i, h_i, w_i]``.
        padding_masks: one ``bool [b, t, h_i, w_i]`` a map, True on padding.
    """

    maps: tuple[Float[Tensor, "b t _c _h _w"], ...]
    padding_masks: tuple[Bool[Tensor, "b t _h _w"], ...]

    @property
    def placed_map(self) -> Float[Tensor, "b t c h w"]:
        """The coarsest map, whose cells also tell where they are if the model has such a notion."""
        return self.maps[-1]

    def for_expressions(self, video_index: Int[Tensor, "e"] | None, num_expressions: int) -> Self:
        """Return the features of the clip of each expression; one clip for all stays one (``b == 1``).

        Every field of a subclass is a tensor with the clips first, a tuple of such, or None.

        Raises:
            ValueError: without ``video_index``, there are several clips and not one for each expression.
        """
        num_clips = len(self.padding_masks[0])
        check_pairing(video_index, num_clips, num_expressions)
        if video_index is None or num_clips == 1:
            return self
        return type(self)(
            **{item.name: _take(getattr(self, item.name), video_index) for item in fields(self)}
        )


def check_pairing(video_index: Int[Tensor, "e"] | None, num_clips: int, num_expressions: int) -> None:
    """Refuse several clips, and not one for each expression, without a ``video_index``.

    Raises:
        ValueError: that is so.
    """
    if video_index is None and num_clips not in (1, num_expressions):
        raise ValueError(
            f"{num_clips} clips and {num_expressions} expressions need a video_index, one clip for each"
        )


def _take(values: Any, index: Int[Tensor, "e"]) -> Any:
    """Index the clips of a tensor or of all tensors of a tuple."""
    if isinstance(values, tuple):
        return tuple(_take(value, index) for value in values)
    return None if values is None else values[index]


@dataclass(frozen=True)
class Trajectories:
    """Every candidate of every expression over the frames of one window, masks not yet made.

    Attributes:
        scores: ``float [e, q]`` in [0, 1]: how much each trajectory is the referent, over the window.
        frame_scores: ``float [e, t, q]`` in [0, 1]: the same in each frame.
        presence: ``float [e, t, q]`` in [0, 1]: is the trajectory's object visible in the frame; None where
            the model has no such notion (the object is then taken as present in every frame).
        make_mask_logits: from query indices ``int64 [e, k]`` to mask logits ``float [e, t, k, h, w]`` over
            the padded input at the model's mask stride. Called for the chosen queries only: most masks are
            never made.
        boxes: ``float [e, t, q, 4]`` as cx, cy, w, h in [0, 1] of the frame without padding; None where the
            model has none.
    """

    scores: Float[Tensor, "e q"]
    frame_scores: Float[Tensor, "e t q"]
    presence: Float[Tensor, "e t q"] | None
    make_mask_logits: Callable[[Int[Tensor, "e k"]], Float[Tensor, "e t k h w"]]
    boxes: Float[Tensor, "e t q 4"] | None = None

    @property
    def best(self) -> Int[Tensor, "e"]:
        """The query of the highest score for each expression (the first on ties)."""
        return self.scores.argmax(dim=1)


@dataclass(frozen=True)
class Target:
    """The truth about one expression in one clip, for the criterion.

    Attributes:
        masks: ``bool [n, t, H, W]``: all annotated objects of the clip, all False where an object is not
            visible.
        referents: indices into ``masks``: one, several, or none (an expression that nothing in the clip
            answers).
        has_visibility: False where an empty mask says nothing about visibility (A2D: the annotated frame
            only).
        boxes: ``float [n, t, 4]`` as cx, cy, w, h in [0, 1], for models that predict boxes.
        labels: ``int64 [n]`` classes, for class-discriminative heads.
    """

    masks: Bool[Tensor, "n t H W"]
    referents: tuple[int, ...]
    has_visibility: bool = True
    boxes: Float[Tensor, "n t 4"] | None = None
    labels: Int[Tensor, "n"] | None = None

    def to(self, device: torch.device | str) -> "Target":
        """Return the target on ``device``."""
        move = [None if value is None else value.to(device) for value in (self.boxes, self.labels)]
        return Target(self.masks.to(device), self.referents, self.has_visibility, *move)


@dataclass(frozen=True)
class Batch:
    """What a training step takes: b clips, e expressions, and which clip each expression speaks of.

    Attributes:
        clip: b clips of one padded size.
        tokens: all expressions of all clips.
        video_index: ``int64 [e]``, the clip of each expression: the vision side runs once per clip, not per
            expression.
        targets: one an expression.
        references: what models that can be shown masks are shown of the first frame: the "words" alone, the
            "masks" of what they denote alone, or "both"; "none": all referents are objects to be found.
    """

    clip: Clip
    tokens: Tokens
    video_index: Int[Tensor, "e"]
    targets: tuple[Target, ...]
    references: Literal["words", "masks", "both", "none"] = "words"

    def to(self, device: torch.device | str) -> "Batch":
        """Return the batch on ``device``."""
        targets = tuple(target.to(device) for target in self.targets)
        index = self.video_index.to(device)
        return Batch(self.clip.to(device), self.tokens.to(device), index, targets, self.references)
