"""The first of two stages: the tokens of the encoder that are worth a query (Deformable DETR, appendix A.4).

Queries have learned contents, one a rank, and the places of proposals ("mixed selection", DINO). Kept of the
published code: tokens of padding and of boxes that leave the frame are not left out; they share one score and
the box (1, 1, 1, 1), and become queries where that score is high. Fixed: there may be fewer tokens than
queries.

Axes: m maps, s tokens of all levels, l levels, q queries, c channels.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from deixis.layers.linear import Linear
from deixis.layers.mlp import Mlp
from deixis.layers.position import sine_position_of_boxes

SIZE = 0.05
"""Of a box in the finest level, of the frame; it doubles from level to level."""

MARGIN = 0.01
"""Boxes with a number nearer than this to 0 or 1 are no proposals."""


@dataclass(frozen=True)
class Proposals:
    """What the first stage says of every token, and its best ones.

    Attributes:
        logits: ``float [m, s]`` scores of all tokens.
        chosen: ``int64 [m, q]`` the best tokens, best first.
        boxes: ``float [m, q, 4]`` their boxes, cx, cy, w, h in [0, 1] of the frame without padding.
        positions: ``float [m, q, c]``, made of the boxes.
        make_boxes: makes the boxes of all tokens, ``float [m, s, 4]``, for training; with gradients.
    """

    logits: Float[Tensor, "m s"]
    chosen: Int[Tensor, "m q"]
    boxes: Float[Tensor, "m q 4"]
    positions: Float[Tensor, "m q c"]
    make_boxes: Callable[[], Float[Tensor, "m s 4"]]


class ProposalStage(nn.Module):
    """Scores every token of the encoder and makes boxes of the best."""

    def __init__(self, width: int, num_classes: int) -> None:
        """Build for tokens of ``width``."""
        super().__init__()
        self.memory = Linear(width, width)
        self.memory_norm = nn.LayerNorm(width)
        self.class_head = Linear(width, num_classes)
        self.box_head = Mlp((width, width, width, 4))
        self.positions = Linear(2 * width, 2 * width)
        self.position_norm = nn.LayerNorm(2 * width)

    def forward(
        self,
        memory: Float[Tensor, "m s c"],
        sizes: Sequence[tuple[int, int]],
        ratios: Float[Tensor, "m l 2"],
        padding_mask: Bool[Tensor, "m s"],
        num_queries: int,
    ) -> Proposals:
        """Propose ``num_queries`` boxes, or as many as there are tokens.

        Args:
            memory: of the encoder.
            sizes: height and width of the levels.
            ratios: the share of each level's width and height that is not padding.
            padding_mask: True on padding.
            num_queries: wanted.
        """
        places = anchors(sizes, ratios)  # m s 4
        is_box = ((places > MARGIN) & (places < 1 - MARGIN)).all(dim=-1) & ~padding_mask
        tokens = self.memory_norm(self.memory(memory * is_box[..., None]))
        logits = self.class_head(tokens)[..., 0]  # m s
        chosen = logits.topk(min(num_queries, logits.shape[1]), dim=1).indices  # m q
        rows = torch.arange(len(chosen), device=chosen.device)[:, None]
        boxes = self._boxes(tokens[rows, chosen], places[rows, chosen], is_box[rows, chosen]).detach()
        width = memory.shape[-1]
        encoded = sine_position_of_boxes(boxes, 2 * width).to(memory.dtype)
        positions = self.position_norm(self.positions(encoded))[..., :width]
        return Proposals(logits, chosen, boxes, positions, partial(self._boxes, tokens, places, is_box))

    def _boxes(
        self, tokens: Float[Tensor, "m k c"], places: Float[Tensor, "m k 4"], is_box: Bool[Tensor, "m k"]
    ) -> Float[Tensor, "m k 4"]:
        """Return the boxes of tokens, (1, 1, 1, 1) where there is none."""
        start = (places / (1 - places)).log().masked_fill(~is_box[..., None], torch.inf)
        return (self.box_head(tokens) + start).sigmoid()


def anchors(sizes: Sequence[tuple[int, int]], ratios: Float[Tensor, "m l 2"]) -> Float[Tensor, "m s 4"]:
    """Return the box that each token starts from: its own place, a size by its level."""
    levels = []
    for level, (height, width) in enumerate(sizes):
        extents = ratios.new_tensor((width, height))
        valid = (ratios[:, level] * extents).round()[:, None]  # m 1 2
        y, x = torch.meshgrid(
            torch.arange(height, device=ratios.device) + 0.5,
            torch.arange(width, device=ratios.device) + 0.5,
            indexing="ij",
        )
        centres = torch.stack((x, y), dim=-1).flatten(0, 1).to(ratios.dtype) / valid  # m n 2
        levels.append(torch.cat((centres, torch.full_like(centres, SIZE * 2**level)), dim=-1))
    return torch.cat(levels, dim=1)
