"""The first lesson of a small model: phrases against the objects of rendered clips, before any fusion.

A batch is some clips and some phrases, and the truth of every phrase about every object of every clip. The
model's video tokens under an object's mask and the mean of a phrase's words must agree where it is true, and
must not where it is false or nothing is seen.
Neither fusion nor masks take part, so a step costs little more than its backbone and carries thousands of
examples; the referring training then starts from towers that know what words look like.

Axes: b clips, t frames, k predicted ones, n objects of a clip, m of all clips, p phrases, h w cells of
tokens, H W pixels.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Bool, Float, Int8, UInt8
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset

from deixis.data.collate import normalise
from deixis.losses.alignment import alignment_logits, token_owners
from deixis.models.base import ReferringModel
from deixis.structures import Clip, Target, Tokens
from deixis.synthetic.benchmark import split_settings
from deixis.synthetic.concepts import CONCEPT_KINDS, draw_concepts, judge
from deixis.synthetic.render import render
from deixis.synthetic.sampling import sample_scene

from .recipe import Recipe, check

POSITIVE_WEIGHT = 4.0
"""Of the true pairs in the loss: about one phrase in eight is true of an object."""

_FIRST_SEED = 30_000_000
"""Of the scenes, beyond those of the splits of the benchmark that are measured."""


@dataclass(frozen=True)
class ConceptInputs:
    """A batch on the device.

    Attributes:
        clip: normalised.
        tokens: of the phrases.
        masks: of each clip, in the predicted frames.
        truths: 1 true, 0 false, -1 borderline.
    """

    clip: Clip
    tokens: Tokens
    masks: tuple[Bool[Tensor, "_n k H W"], ...]
    truths: Int8[Tensor, "p m"]


@dataclass(frozen=True)
class ConceptBatch:
    """A batch in bytes; the same attributes, frames as ``uint8``."""

    frames: UInt8[Tensor, "b t H W 3"]
    predicted_frames: tuple[int, ...]
    masks: tuple[Bool[Tensor, "_n k H W"], ...]
    tokens: Tokens
    truths: Int8[Tensor, "p m"]

    @property
    def num_expressions(self) -> int:
        """How many phrases there are."""
        return len(self.truths)

    def targets(self) -> tuple[Target, ...]:
        """Return nothing: no mask is asked for."""
        return ()

    def normalised(
        self,
        mean: Sequence[float],
        std: Sequence[float],
        device: torch.device | str = "cpu",
        *,
        channels_last: bool = False,
    ) -> ConceptInputs:
        """Return the batch on ``device`` (see ``PixelBatch.normalised``)."""
        frames = normalise(self.frames.to(device), mean, std, channels_last=channels_last)
        padding_mask = torch.zeros(self.frames.shape[:4], dtype=torch.bool, device=device)
        return ConceptInputs(
            Clip(frames, padding_mask, self.predicted_frames),
            self.tokens.to(device),
            tuple(masks.to(device) for masks in self.masks),
            self.truths.to(device),
        )


class ConceptLoss(nn.Module):
    """A batch in, the loss term out: all that runs under autocast and gradient averaging."""

    def __init__(self, model: ReferringModel) -> None:
        """Wrap ``model``, whose coarsest map must be as wide as its words."""
        super().__init__()
        self.model = model

    def forward(self, batch: ConceptInputs, num_masks: float) -> dict[str, Tensor]:
        """Return the term; ``num_masks`` is of the other objective."""
        tokens = self.model.encode_video(batch.clip).placed_map  # b k c h w
        phrases = self.model.encode_text(batch.tokens).mean_of_words()  # p c
        truths = batch.truths.split([len(masks) for masks in batch.masks], dim=1)  # b x [p n]
        h, w = tokens.shape[-2:]
        owners = [token_owners(masks, (h, w)) for masks in batch.masks]
        logits = alignment_logits(phrases, tokens.movedim(2, -1).flatten(0, 3)).flatten(1)  # p (b k h w)
        # Of nothing, every phrase is false.
        wanted = [
            F.pad(some, (0, 1))[:, owner.flatten()] for some, (owner, _) in zip(truths, owners, strict=True)
        ]
        weights = torch.cat([weight.flatten() for _, weight in owners])  # b k h w
        return {"loss_concepts": concept_loss(logits, torch.cat(wanted, dim=1), weights)}


def concept_loss(
    logits: Float[Tensor, "p n"], truths: Int8[Tensor, "p n"], weights: Float[Tensor, "n"]
) -> Float[Tensor, ""]:
    """Return the weighted mean of the cross-entropy over phrases and tokens, without borderline pairs."""
    losses = F.binary_cross_entropy_with_logits(
        logits,
        truths.clamp(min=0).to(logits.dtype),
        pos_weight=logits.new_tensor(POSITIVE_WEIGHT),
        reduction="none",
    )
    counted = (truths >= 0) * weights
    return (losses * counted).sum() / counted.sum().clamp(min=1)


def check_concepts(recipe: Recipe) -> None:
    """Check what a training on concepts asks of its recipe.

    Raises:
        RecipeError: other data than the rendered world, or kinds that phrases cannot speak of.
    """
    check(
        [source.name for source in recipe.data] == ["synthetic"],
        "concepts are of rendered clips: data must be the one source named synthetic",
    )
    kinds, known = recipe.clip.kinds, ", ".join(CONCEPT_KINDS)
    check(
        bool(kinds) and set(kinds) <= set(CONCEPT_KINDS),
        f"clip.kinds must name kinds of concepts ({known}), got {', '.join(kinds) or 'none'}",
    )


class ConceptDataset(Dataset):
    """Batches by number: clips, phrases and truths follow from the recipe's seed and the number alone."""

    def __init__(self, recipe: Recipe, num_clips: int, tokenize: Callable[[Sequence[str]], Tokens]) -> None:
        """Build batches of ``num_clips`` clips; ``recipe.concepts`` phrases go with them."""
        self.recipe, self.num_clips, self.tokenize = recipe, num_clips, tokenize
        self.settings = replace(split_settings("train"), length=recipe.clip.length)

    def __getitem__(self, index: int) -> ConceptBatch:
        rule, seed = self.recipe.clip, self.recipe.seed
        rng = np.random.default_rng([seed, 3, index])
        concepts = draw_concepts(rng, self.recipe.concepts, rule.kinds, self.settings.forbidden_pairs)
        count = rule.predicted_frames or rule.length
        predicted = sorted(rng.choice(rule.length, count, replace=False).tolist())
        frames, masks, truths = [], [], []
        first = _FIRST_SEED + index * self.num_clips
        for scene_seed in range(first, first + self.num_clips):
            clip = render(sample_scene(scene_seed, self.settings))
            frames.append(clip.frames)
            masks.append(torch.from_numpy(np.ascontiguousarray(clip.masks[:, predicted])))
            truths.append(judge(clip, concepts))
        return ConceptBatch(
            torch.from_numpy(np.stack(frames)),
            tuple(predicted),
            tuple(masks),
            self.tokenize([concept.text for concept in concepts]),
            torch.from_numpy(np.concatenate(truths, axis=1)),
        )


def concept_batches(
    recipe: Recipe,
    tokenize: Callable[[Sequence[str]], Tokens],
    *,
    step: int = 0,
    rank: int = 0,
    num_processes: int = 1,
) -> Iterator[ConceptBatch]:
    """Yield the batches of one process from ``step`` on, without end; ``recipe.accumulation`` make a step."""
    pieces = num_processes * recipe.accumulation
    loader = DataLoader(
        ConceptDataset(recipe, recipe.batch_size // pieces, tokenize),
        batch_size=None,
        sampler=_Numbers(step * pieces + rank, num_processes),
        num_workers=recipe.num_workers,
        generator=torch.Generator().manual_seed(recipe.seed),
    )
    return iter(loader)


@dataclass(frozen=True)
class _Numbers:
    """The numbers of the batches of one process."""

    first: int
    stride: int

    def __iter__(self) -> Iterator[int]:
        number = self.first
        while True:
            yield number
            number += self.stride
