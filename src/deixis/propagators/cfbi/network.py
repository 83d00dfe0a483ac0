"""CFBI (Yang, Wei, Yang, ECCV 2020): objects and their backgrounds compared with reference and last frame.

    frame ── DeepLabv3+ ── embedding ─┬─ distances to reference frames, global ─┬─ pre-head ─┐
                                      ├─ distances to the last frame, near by ──┘            │
    labels of those frames ───────────┴─ attention vector of each object ────────────────────┼─ head ─► logits
                                         embedding of the last frame, inside and outside ────┘

66.3M parameters with ResNet-101. The background is an object like the others; each is compared with its own
places and with the nearest of all others'. Only constants of the published code are kept; what an object that
is nowhere gets, distance 1 and a vector of zeros, is one of them.

Axes: n objects with the background first, c channels, H W pixels, h w cells of 4 pixels.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Integer
from torch import Tensor, nn
from torch.nn import functional as F

from .config import CfbiConfig
from .features import EMBEDDING, DeepLab, Embedding, FrameFeatures
from .head import Head
from .matching import attention_vectors, global_distances, local_distances, of_the_others, one_hot


@dataclass(frozen=True)
class KnownFrame:
    """A frame whose objects are known.

    Attributes:
        embeddings: of the frame.
        labels: of each pixel, at the video's size: the place of its object, 0 for the background.
    """

    embeddings: tuple[Float[Tensor, "_d _h _w"], ...]
    labels: Integer[Tensor, "H W"]

    def placed(self, count: int, level: int = 0) -> tuple[Float[Tensor, "_d h w"], Bool[Tensor, "n h w"]]:
        """Return an embedding, and where in it the background and ``count - 1`` objects are."""
        embedding = self.embeddings[level]
        labels = F.interpolate(self.labels[None, None].float(), embedding.shape[-2:], mode="nearest")[0, 0]
        return embedding, one_hot(labels.long(), count)


class CfbiNetwork(nn.Module):
    """The network of one frame; what is known of others is given."""

    def __init__(self, config: CfbiConfig) -> None:
        """Build with PyTorch's initial weights."""
        super().__init__()
        self.config = config
        self.features = DeepLab(config.backbone)
        self.embedding = Embedding()
        self.background_bias = nn.Parameter(torch.zeros(1, 1, 1, 1))
        self.object_bias = nn.Parameter(torch.zeros(1, 1, 1, 1))
        self.prehead = nn.Conv2d(2 * len(config.windows) + 3, 64, 1)
        self.prehead_norm = nn.GroupNorm(16, 64)
        self.head = Head(self.features.low_channels, 4 * EMBEDDING, (3 * EMBEDDING + 64,))

    def encode(self, frame: Float[Tensor, "1 3 H W"]) -> FrameFeatures:
        """Encode a frame, normalised, its sides 1 above a multiple of 16."""
        x, _, maps = self.features(frame)
        return FrameFeatures((self.embedding(x)[0],), maps[0][0])

    def score(
        self, frame: FrameFeatures, references: Sequence[KnownFrame], previous: KnownFrame, count: int
    ) -> Float[Tensor, "n h w"]:
        """Return the logits of the background and ``count - 1`` objects."""
        known, last = [one.placed(count) for one in references], previous.placed(count)
        vectors = attention_vectors(known, last)
        compared = self.compare(frame, known, last)
        mask = last[1][:, None].to(compared.dtype)  # n 1 h w
        own = frame.embeddings[0][None].expand(count, -1, -1, -1)
        before = last[0][None]
        x = torch.cat((own, before * mask, before * (1 - mask), compared), dim=1)  # n 364 h w
        return self.head.score((x,), vectors, frame.low_level, self.config.object_batch)

    def compare(
        self,
        frame: FrameFeatures,
        references: Sequence[tuple[Float[Tensor, "100 h w"], Bool[Tensor, "n h w"]]],
        previous: tuple[Float[Tensor, "100 h w"], Bool[Tensor, "n h w"]],
    ) -> Float[Tensor, "n 64 h w"]:
        """Return what distances to the objects, and to all others, say of each place."""
        biases = self.biases(len(previous[1]))
        far = global_distances(frame.embeddings[0], references, biases, atrous=self.config.global_atrous)[
            :, None
        ]
        near = local_distances(frame.embeddings[0], *previous, biases, self.config.windows)
        mask = previous[1][:, None].to(near.dtype)
        seen = torch.cat((far, near, mask, of_the_others(near), of_the_others(far)), dim=1)
        return F.relu(self.prehead_norm(self.prehead(seen)))

    def biases(self, count: int) -> Float[Tensor, "n"]:
        """Return the bias of the distances of the background and ``count - 1`` objects."""
        return torch.cat((self.background_bias.view(1), self.object_bias.view(1).expand(count - 1)))
