"""Tiny referring models whose every answer is known, for tests of what runs models."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from deixis.models.base import FrameMasks, ReferringModel
from deixis.models.inputs import InputSpec
from deixis.ops.words import clean
from deixis.structures import Clip, TextFeatures, Tokens, Trajectories, VideoFeatures

COLOURS = ("red", "green", "blue")


class WordTokenizer:
    """Ids of the colour words; 0 for any other word."""

    def __call__(self, expressions: Sequence[str]) -> Tokens:
        rows = [
            [1 + COLOURS.index(word) if word in COLOURS else 0 for word in clean(expression).split()]
            for expression in expressions
        ]
        longest = max(map(len, rows))
        ids = torch.tensor([row + [0] * (longest - len(row)) for row in rows])
        return Tokens(ids, torch.zeros_like(ids, dtype=torch.bool))


@dataclass(frozen=True, kw_only=True)
class StandInConfig:
    inputs: InputSpec = field(
        default_factory=lambda: InputSpec(
            short_side=32,
            long_side=64,
            mean=(0.0, 0.0, 0.0),
            std=(1.0, 1.0, 1.0),
            window_length=6,
            window_overlap=2,
        )
    )


class ColourModel(ReferringModel):
    """One query a colour; the referent is the object of the named colour.

    A window whose first frame has a white corner confuses the model: it takes the next colour for the named
    one, and its queries are in another order.
    """

    config_class = StandInConfig

    def __init__(self, config: StandInConfig | None = None) -> None:
        super().__init__()
        self.config = config or StandInConfig()
        self.tokenizer: Any = WordTokenizer()
        self.scale = torch.nn.Parameter(torch.tensor(8.0))
        self.calls = {"video": 0, "text": 0, "frames": 0}

    def encode_video(self, clip: Clip) -> VideoFeatures:
        self.calls["video"] += 1
        self.calls["frames"] += clip.frames.shape[1]
        colours = F.avg_pool2d(clip.frames.flatten(0, 1), 4).unflatten(0, clip.frames.shape[:2])
        return VideoFeatures((colours,), (clip.padding_mask[..., ::4, ::4],))

    def encode_text(self, tokens: Tokens) -> TextFeatures:
        self.calls["text"] += 1
        named = F.one_hot(tokens.ids, 4)[..., 1:].amax(1).float()  # e 3
        return TextFeatures(named[:, None], tokens.padding_mask[:, :1])

    def forward(self, video: VideoFeatures, text: TextFeatures, video_index: Tensor | None = None) -> Any:
        colours = video.maps[0][0]  # t 3 h w
        logits = self.scale * (2 * colours - colours.sum(1, keepdim=True) - 0.5)  # t 3 h w
        named = text.words[:, 0]  # e 3
        if colours[0, :, 0, 0].min() > 0.8:
            named = named.roll(1, dims=1)
            order = torch.tensor([2, 0, 1])
            return logits[:, order], named[:, order]
        return logits, named

    def criterion(self, output: Any, targets: Any, num_masks: float | None = None) -> dict[str, Tensor]:
        return {}

    def postprocess(self, output: Any) -> Trajectories:
        logits, named = output
        scores = 0.1 + 0.8 * named  # e 3
        presence = (logits > 0).flatten(2).any(-1).float()  # t 3
        return Trajectories(
            scores,
            scores[:, None].expand(-1, len(logits), -1),
            presence[None].expand(len(named), -1, -1),
            lambda queries: torch.stack([logits[:, chosen] for chosen in queries]),
        )


class OnlineColourModel(ColourModel):
    """The same, frame by frame; its state counts frames and remembers the last masks."""

    def start(self, text: TextFeatures, *, size: Any = None) -> dict[str, Any]:
        return {"named": text.words[:, 0], "num_frames": 0}

    def step(self, frame: VideoFeatures, state: dict[str, Any]) -> tuple[FrameMasks, dict[str, Any]]:
        named = state["named"][:, None]
        no_padding = torch.zeros(len(named), 1, dtype=torch.bool)
        logits, _ = self(frame, TextFeatures(named, no_padding))
        chosen = logits[0, state["named"].argmax(1)]  # e h w
        count = state["num_frames"] + 1
        scores = torch.full((len(chosen),), count / (count + 1))
        return FrameMasks(chosen, scores, torch.ones(len(chosen))), {**state, "num_frames": count}


def online_model() -> OnlineColourModel:
    inputs = InputSpec(short_side=32, long_side=64, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0), is_online=True)
    return OnlineColourModel(StandInConfig(inputs=inputs))


class AlikeModel(ColourModel):
    """Finds what has the mean colour of the examples, and counts how often it looked at examples."""

    num_looks = 0

    @property
    def example_inputs(self) -> InputSpec:
        return replace(self.config.inputs, short_side=48, long_side=96, pad_multiple=32)

    def learn_examples(self, examples: Clip, masks: Tensor) -> Tensor:
        self.num_looks += 1
        assert not (examples.padding_mask[:, 0] & masks).any()
        return examples.frames[:, 0].permute(0, 2, 3, 1)[masks].mean(dim=0)

    def find_alike(self, frame: VideoFeatures, examples: Tensor) -> FrameMasks:
        distance = (frame.maps[0][0, 0] - examples[:, None, None]).abs().amax(dim=0)
        return FrameMasks(8 * (0.5 - distance)[None], torch.tensor([0.7]), torch.ones(1))


def coloured_frame(index: int, confusing: bool = False, size: tuple[int, int] = (64, 96)) -> np.ndarray:
    """Return a frame with a red, a green and a blue square that move right and back."""
    frame = np.zeros((*size, 3), np.uint8)
    left = 16 + abs(index % 48 - 24)
    for channel, top in enumerate((8, 24, 40)):
        frame[top : top + 16, left : left + 16, channel] = 255
    if confusing:
        frame[:8, :8] = 255
    return frame


def coloured_video(num_frames: int, confusing: Sequence[int] = ()) -> np.ndarray:
    return np.stack([coloured_frame(index, index in confusing) for index in range(num_frames)])
