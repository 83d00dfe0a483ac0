"""What models of single frames share: sentences as one vector, and one frame in, one mask out.

Axes: e expressions, t frames, s tokens, c channels, h w cells.
"""

from abc import abstractmethod
from collections.abc import Mapping
from contextlib import nullcontext

import torch
from jaxtyping import Int
from torch import Tensor, nn

from deixis.models.base import FrameMasks, ReferringModel
from deixis.models.score_maps import FrameFeatures, ScoreMaps, trajectories
from deixis.models.text_choices import TextChoices, TrainedText, Truncation
from deixis.structures import Clip, TextFeatures, Tokens, Trajectories
from deixis.text.bert import BertEncoder

NUM_TRAINED_LAYERS = 10
"""Layers of BERT that RefVOS trains; those above and the embeddings never move."""


class FrameModel(ReferringModel):
    """A model that looks at each frame by itself; between frames it remembers the sentences alone.

    Attributes:
        text_encoder: gives one vector a token.
    """

    text_encoder: nn.Module

    @abstractmethod
    def encode_video(self, clip: Clip) -> FrameFeatures:
        """Compute all that does not depend on the expressions, for ``b`` clips."""

    @abstractmethod
    def forward(
        self, video: FrameFeatures, text: TextFeatures, video_index: Int[Tensor, "e"] | None = None
    ) -> ScoreMaps:
        """Score background and object in every frame (arguments: see the contract)."""

    def encode_text(self, tokens: Tokens) -> TextFeatures:
        """Encode the expressions: words, and the sentence as the first token or the mean of all."""
        choices: TextChoices = self.config
        tokens = shorten(tokens, choices.max_tokens, choices.truncation)
        with torch.no_grad() if choices.trained_text == "none" else nullcontext():
            words = self.text_encoder(tokens)  # e s c
        text = TextFeatures(words, tokens.padding_mask)
        sentence = words[:, 0] if choices.sentence == "first" else text.mean_of_words()
        return TextFeatures(words, tokens.padding_mask, sentence)

    def postprocess(self, output: ScoreMaps) -> Trajectories:
        """Return the object's mask as the one candidate of each expression."""
        return trajectories(output)

    def start(self, text: TextFeatures, *, size: tuple[int, int] | None = None) -> dict[str, Tensor]:
        """Return the state: the encoded expressions, which never change."""
        assert text.sentence is not None
        return {"words": text.words, "padding_mask": text.padding_mask, "sentence": text.sentence}

    def step(
        self, frame: FrameFeatures, state: Mapping[str, Tensor]
    ) -> tuple[FrameMasks, Mapping[str, Tensor]]:
        """Segment one frame for all expressions; the state stays what it was."""
        output = self(frame, TextFeatures(state["words"], state["padding_mask"], state["sentence"]))
        scores = trajectories(output).frame_scores[:, 0, 0]
        return FrameMasks(output.mask_logits[:, 0], scores, presence=scores), state


def shorten(tokens: Tokens, max_tokens: int, truncation: Truncation) -> Tokens:
    """Cut rows to ``max_tokens``, special tokens included.

    Args:
        tokens: rows that end with the token of the end.
        max_tokens: of a row.
        truncation: "cut": a row that is too long loses its end (RefVOS, code); "keep-end": the last token
            kept gives way to the row's own last one (HINet, ours).
    """
    if tokens.ids.shape[1] <= max_tokens:
        return tokens
    ids, padding_mask = tokens.ids[:, :max_tokens], tokens.padding_mask[:, :max_tokens]
    if truncation == "keep-end":
        lengths = (~tokens.padding_mask).sum(dim=1)
        ends = tokens.ids.gather(1, (lengths - 1).clamp(min=0)[:, None])[:, 0]
        last = torch.where(lengths > max_tokens, ends, ids[:, -1])
        ids = torch.cat((ids[:, :-1], last[:, None]), dim=1)
    return Tokens(ids, padding_mask)


def choose_trained(text_encoder: nn.Module, trained_text: TrainedText) -> None:
    """Freeze what ``trained_text`` leaves out of ``text_encoder``."""
    if trained_text == "none":
        text_encoder.requires_grad_(False)
    elif trained_text == "lower-layers":
        assert isinstance(text_encoder, BertEncoder), "configurations allow it for BERT alone"
        text_encoder.train_layers(NUM_TRAINED_LAYERS)
