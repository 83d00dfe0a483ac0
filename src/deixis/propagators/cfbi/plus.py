"""CFBI+ (Yang, Wei, Yang, TPAMI 2021): frames are compared at three strides, finer ones more sparsely.

What is known of each object at strides 8 and 16 joins the head where its map has that stride; there is no
pre-head. The attention vector is that of stride 4.

Axes: n objects with the background first, c channels, H W pixels, h w cells of 4 pixels.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from .config import CfbiPlusConfig
from .features import DeepLab, FrameFeatures
from .head import Head, NormedConvolution
from .matching import attention_vectors, global_distances, local_distances, of_the_others
from .network import KnownFrame

CHANNELS = 256
"""Of an embedding."""


class Pyramid(nn.Module):
    """Embeddings of strides 4, 8 and 16: coarse ones are added to finer ones."""

    def __init__(self) -> None:
        """Build the parts."""
        super().__init__()
        self.top = NormedConvolution(256, CHANNELS)
        self.lateral8 = NormedConvolution(512, CHANNELS)
        self.lateral4 = NormedConvolution(256, CHANNELS)
        self.smooth8 = NormedConvolution(CHANNELS, CHANNELS, 3)
        self.smooth4 = NormedConvolution(CHANNELS, CHANNELS, 3)

    def forward(
        self,
        fine: Float[Tensor, "1 256 h w"],
        middle: Float[Tensor, "1 512 _ _"],
        deep: Float[Tensor, "1 256 _ _"],
    ) -> tuple[Float[Tensor, "256 _ _"], ...]:
        """Return the embeddings, fine to coarse."""
        top = self.top(deep)
        eighth = _stretch(top, middle) + self.lateral8(middle)
        fourth = _stretch(eighth, fine) + self.lateral4(fine)
        return tuple(F.relu(x)[0] for x in (self.smooth4(fourth), self.smooth8(eighth), top))


class CfbiPlusNetwork(nn.Module):
    """The network of one frame; what is known of others is given."""

    def __init__(self, config: CfbiPlusConfig) -> None:
        """Build with PyTorch's initial weights."""
        super().__init__()
        self.config = config
        self.features = DeepLab("resnet-101")
        self.pyramid = Pyramid()
        count = len(config.levels)
        self.background_bias = nn.Parameter(torch.zeros(count, 1, 1, 1))
        self.object_bias = nn.Parameter(torch.zeros(count, 1, 1, 1))
        inputs = tuple(2 * len(level.windows) + 3 + 3 * CHANNELS for level in config.levels)
        self.head = Head(self.features.low_channels, 4 * CHANNELS, inputs)

    def encode(self, frame: Float[Tensor, "1 3 H W"]) -> FrameFeatures:
        """Encode a frame, normalised, its sides 1 above a multiple of 16."""
        x, pooled, maps = self.features(frame)
        return FrameFeatures(self.pyramid(x, maps[1], pooled), maps[0][0])

    def score(
        self, frame: FrameFeatures, references: Sequence[KnownFrame], previous: KnownFrame, count: int
    ) -> Float[Tensor, "n h w"]:
        """Return the logits of the background and ``count - 1`` objects."""
        known = [one.placed(count) for one in references]
        vectors = attention_vectors(known, previous.placed(count))
        levels = range(len(self.config.levels))
        inputs = tuple(self.compare(frame, references, previous, count, level) for level in levels)
        return self.head.score(inputs, vectors, frame.low_level, self.config.object_batch)

    def compare(
        self,
        frame: FrameFeatures,
        references: Sequence[KnownFrame],
        previous: KnownFrame,
        count: int,
        level: int,
    ) -> Float[Tensor, "n _c _h _w"]:
        """Return what is known of each object at one stride."""
        own = self.config.levels[level]
        known = [one.placed(count, level) for one in references]
        before, objects = previous.placed(count, level)
        compared = [(embedding[: own.channels], mask) for embedding, mask in known]
        query = frame.embeddings[level]
        biases = torch.cat(
            (self.background_bias[level].view(1), self.object_bias[level].view(1).expand(count - 1))
        )
        far = global_distances(query[: own.channels], compared, biases, atrous=own.atrous)[:, None]
        near = local_distances(
            query[: own.channels],
            before[: own.channels],
            objects,
            biases,
            own.windows,
            is_half_size=False,
            atrous=own.atrous,
        )
        mask = objects[:, None].to(query.dtype)
        distances = (far, near, mask, of_the_others(near), of_the_others(far))
        maps = (query[None].expand(count, -1, -1, -1), before * mask, before * (1 - mask))
        return torch.cat((*distances, *maps), dim=1)


def _stretch(x: Float[Tensor, "1 c _ _"], like: Float[Tensor, "1 _ _h _w"]) -> Float[Tensor, "1 c _h _w"]:
    return F.interpolate(x, like.shape[-2:], mode="bilinear", align_corners=True)
