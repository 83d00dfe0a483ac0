"""Training of propagators: networks that follow given masks, and know no words.

Axes: b clips, t frames, k objects of a clip, n of all, H W pixels.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from jaxtyping import Bool
from torch import Tensor, nn

from deixis.errors import RecipeError
from deixis.losses.pixels import IGNORED
from deixis.models.inputs import InputSpec
from deixis.ops.padding import padded_to
from deixis.propagators.stcn.config import SHAPES
from deixis.propagators.stcn.convert import to_ours
from deixis.propagators.stcn.criterion import clip_loss, follow, share_at
from deixis.propagators.stcn.network import StcnNetwork
from deixis.propagators.weights import WEIGHTS, fill_network, save_network
from deixis.structures import Batch, Target, Tokens

from .recipe import HardPixels, Recipe


@dataclass(frozen=True)
class TrainedPropagatorConfig:
    """What the loop wants to know of a propagator: how frames are normalised."""

    inputs: InputSpec = field(default_factory=InputSpec)


class TrainedPropagator(nn.Module):
    """The network of a propagator, for a loop that trains models of language, too.

    Attributes:
        network: what is trained.
        config: how frames are normalised.
        tokenizer: there is none.
    """

    tokenizer: None = None

    def __init__(self, network: StcnNetwork, hard_pixels: HardPixels) -> None:
        """Take ``network`` where it is."""
        super().__init__()
        self.network = network
        self.config = TrainedPropagatorConfig()
        self.hard_pixels = hard_pixels
        self.share = 1.0

    def set_progress(self, progress: float) -> None:
        """Be told the share of the training that is done: later, fewer pixels count."""
        rule = self.hard_pixels
        self.share = share_at(progress, rule.start, rule.end, rule.share)

    def count_masks(self, targets: Sequence[Target]) -> float:
        """Count the clips: what the loss is a mean over."""
        return float(len(targets))

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """Follow the objects of each clip from its first frame to the others, and return the loss terms."""
        frames = batch.clip.frames
        size = (int(frames.shape[-2]), int(frames.shape[-1]))
        whole = padded_to(size, self.network.stride)
        pads = (0, whole[1] - size[1], 0, whole[0] - size[0])
        # All expressions of a clip share its masks.
        clips = {clip: target for clip, target in zip(batch.video_index.tolist(), batch.targets, strict=True)}
        masks, is_there = stack_objects([clips[place] for place in range(len(frames))])
        first = nn.functional.pad(masks[:, 0].float(), pads)
        logits = follow(self.network, nn.functional.pad(frames, pads), first, is_there)
        logits = logits[..., : size[0], : size[1]]
        numbers = torch.arange(1, masks.shape[2] + 1, device=masks.device)[:, None, None]
        labels = (masks * numbers).amax(dim=2).masked_fill(batch.clip.padding_mask, IGNORED)  # b t H W
        terms = clip_loss(logits, labels[:, 1:], is_there.sum(dim=1).tolist(), self.share)
        return {"loss_pixels": terms.sum()}


def stack_objects(
    targets: Sequence[Target],
) -> tuple[Bool[Tensor, "b t k H W"], Bool[Tensor, "b k"]]:
    """Return the masks of all clips, and which objects are there: those seen in the first frame, in front.

    An object that appears later is of the background: nobody said which one to follow.
    """
    seen = [target.masks[target.masks[:, 0].flatten(1).any(dim=1)] for target in targets]
    most = max(1, *(len(masks) for masks in seen))
    shape = targets[0].masks.shape[1:]
    stacked = targets[0].masks.new_zeros(len(targets), most, *shape)
    is_there = stacked.new_zeros(len(targets), most)
    for clip, masks in enumerate(seen):
        stacked[clip, : len(masks)] = masks
        is_there[clip, : len(masks)] = True
    return stacked.transpose(1, 2), is_there


class FollowLoss(nn.Module):
    """Clips and the masks of their first frames in, loss terms out."""

    def __init__(self, propagator: TrainedPropagator) -> None:
        """Wrap ``propagator``."""
        super().__init__()
        self.model = propagator

    def forward(self, batch: Batch, num_masks: float) -> dict[str, Tensor]:
        """Return the terms; ``num_masks`` has no say."""
        return self.model(batch)


def is_propagator(name: str) -> bool:
    """Tell whether ``name`` is a propagator that can be trained."""
    return name in SHAPES


def check_following(recipe: Recipe) -> None:
    """Raise where ``recipe`` asks for what the training of a propagator has not got.

    Raises:
        RecipeError: its clips have words or one frame, or it validates.
    """
    rules = [recipe.sampling(source)[0] for source in recipe.data]
    if any(rule.has_words or rule.length < 2 for rule in rules):
        raise RecipeError(
            f"{recipe.model} follows masks from frame to frame: clip.has_words must be false and clip.length "
            "2 or more"
        )
    if recipe.validate_every or recipe.concepts:
        raise RecipeError(f"{recipe.model} knows no words: validate_every and concepts must be 0")


def build_propagator(recipe: Recipe) -> TrainedPropagator:
    """Build the network of the recipe's propagator, with the weights that it starts from.

    Raises:
        RecipeError: the recipe does not fit a propagator.
        CheckpointError: initial weights that are broken, unsafe, or do not fit.
    """
    check_following(recipe)
    network = StcnNetwork(SHAPES[recipe.model])
    if recipe.init_from:
        fill_network(network, recipe.init_from, to_ours)
    return TrainedPropagator(network, recipe.hard_pixels)


def save_propagator(propagator: TrainedPropagator, folder: Path) -> Path:
    """Write the network's weights into ``folder``, which names a propagator's checkpoint."""
    save_network(propagator.network, folder / WEIGHTS)
    return folder


def no_words(expressions: Sequence[str]) -> Tokens:
    """Return one empty token for each of ``expressions``, which nobody reads."""
    nothing = torch.zeros(len(expressions), 1, dtype=torch.int64)
    return Tokens(nothing, nothing.bool())
