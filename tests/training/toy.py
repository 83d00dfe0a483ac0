"""A model small enough to train in a second, on the toy world."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional as F
from toy_world import COLOURS, HEIGHT, WIDTH, toy_records

from deixis.models.base import ReferringModel
from deixis.models.inputs import InputSpec
from deixis.structures import Clip, Target, TextFeatures, Tokens, Trajectories, VideoFeatures
from deixis.text.words import train_tokenizer
from deixis.training.recipe import ClipRule, DataSource, Optim, Recipe, Schedule, Transforms
from deixis.training.sources import ClipSource, make_source


@dataclass(frozen=True)
class ToyConfig:
    inputs: InputSpec = field(default_factory=lambda: InputSpec(short_side=HEIGHT, long_side=WIDTH))


@dataclass(frozen=True)
class ToyOutput:
    mask_logits: Tensor  # e t H W
    presence_logits: Tensor  # e t


class ToyModel(ReferringModel):
    """A convolution per frame, weighted by the mean word of the expression."""

    config_class = ToyConfig

    def __init__(self, dropout: float = 0.1) -> None:
        super().__init__()
        self.config = ToyConfig()
        self.tokenizer = train_tokenizer(f"the {name} square on the left right" for name in COLOURS)
        self.backbone = nn.Conv2d(3, 16, 3, padding=1)
        self.text_encoder = nn.Embedding(16, 16)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(16, 16)
        self.presence = nn.Linear(16, 1)

    def encode_video(self, clip: Clip) -> VideoFeatures:
        b = len(clip.frames)
        features = F.relu(self.backbone(clip.frames.flatten(0, 1))).unflatten(0, (b, -1))
        return VideoFeatures((features,), (clip.padding_mask,))

    def encode_text(self, tokens: Tokens) -> TextFeatures:
        return TextFeatures(self.text_encoder(tokens.ids), tokens.padding_mask)

    def forward(
        self, video: VideoFeatures, text: TextFeatures, video_index: Tensor | None = None
    ) -> ToyOutput:
        kept = (~text.padding_mask).to(text.words.dtype)[..., None]
        sentence = (text.words * kept).sum(1) / kept.sum(1)
        kernel = self.head(self.dropout(sentence))
        features = video.maps[0][video_index]
        logits = torch.einsum("etchw,ec->ethw", features, kernel)
        return ToyOutput(logits, self.presence(features.mean((-1, -2)) * kernel[:, None]).squeeze(-1))

    def criterion(
        self, output: ToyOutput, targets: Sequence[Target], num_masks: float | None = None
    ) -> dict[str, Tensor]:
        num_masks = self.count_masks(targets) if num_masks is None else num_masks
        loss_mask = output.mask_logits.new_zeros(())
        present = torch.zeros_like(output.presence_logits)
        for index, target in enumerate(targets):
            truth = target.masks[list(target.referents)].any(0)
            present[index] = truth.flatten(1).any(1).to(present.dtype)
            if target.referents:
                logits = output.mask_logits[index].float()
                loss_mask = loss_mask + F.binary_cross_entropy_with_logits(logits, truth.float())
        loss_presence = F.binary_cross_entropy_with_logits(output.presence_logits.float(), present.float())
        return {"loss_mask": 10 * loss_mask / num_masks, "loss_presence": loss_presence}

    def postprocess(self, output: ToyOutput) -> Trajectories:
        raise NotImplementedError


def save_toy(model: ReferringModel, folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    weights = {name: tensor.contiguous() for name, tensor in model.state_dict().items()}
    save_file(weights, str(folder / "weights.safetensors"))


def toy_recipe(**changes: object) -> Recipe:
    settings: dict[str, object] = {
        "name": "toy",
        "model": "toy",
        "data": (DataSource(name="toy"),),
        "clip": ClipRule(kind="random", length=4, expressions_per_clip=3),
        "transforms": Transforms(short_side=HEIGHT, long_side=WIDTH, flip=0.5, colour_jitter=0.05),
        "batch_size": 4,
        "optim": Optim(lr=1e-2, groups={"text_encoder": 2e-2}, clip_norm=1.0),
        "schedule": Schedule(kind="cosine", warmup=0.1),
        "steps": 12,
        "checkpoint_steps": 5,
        "checkpoint_every": 0.0,
        "log_every": 1,
    }
    return Recipe(**(settings | changes))  # type: ignore[arg-type]


def toy_sources(recipe: Recipe) -> tuple[ClipSource, ...]:
    return (make_source(recipe, toy_records()),)
