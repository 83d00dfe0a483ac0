"""STCN (Cheng, Tai, Tang, NeurIPS 2021): keys of frames alone, values of frames with their masks.

A key says what a place looks like and is made of the frame, so that one comparison of keys serves all
objects; a value says what a place is for an object. 54.5M parameters: key encoder 8.6, its two projections
5.3, value encoder 21.7, decoder 18.9. Multiply-adds do not depend on the number of frames remembered.

    frame ── ResNet-50 to stride 16 ─┬─ key ──────────► memory bank ─► readout of each object ─┐
                                     ├─ thin features ─────────────────────────────────────────┤
                                     └─ maps at strides 8, 4 ──────────────────────────────► decoder ─► logits
    frame, mask, masks of others ── ResNet-18 ── fuser (with the stride-16 map) ─► value ─► memory bank

Kept of the published code: biases in all convolutions of the value encoder, a sum of the other objects'
probabilities that is not clamped, given masks that pass through the soft aggregation.

Axes: b frames, k objects of each, n objects of all (in aggregation: k + 1 with the background first), c
channels, H W pixels of the padded frame, h w cells of the coarsest stride (16 pixels, as published), _h _w
those of another.
"""

from dataclasses import dataclass
from typing import Any, Self

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.models.resnet import resnet50

from deixis.backbones.resnet import ResNet
from deixis.layers.convolution import convolve_and_normalise
from deixis.layers.mask_blocks import BasicBlock, Cbam, ResBlock, serve
from deixis.layers.norm import BatchNorm2d

from .config import StcnShape

_CERTAINTY = 1e-7


@dataclass(frozen=True)
class FrameKey:
    """What frames are without any mask.

    Attributes:
        key: compared with those of the memory bank.
        thin: the coarsest map, for the decoder.
        maps: of the three strides.
    """

    key: Float[Tensor, "b _key h w"]
    thin: Float[Tensor, "b _thin h w"]
    maps: tuple[Float[Tensor, "b _c _h _w"], ...]

    def __getitem__(self, frames: slice) -> "FrameKey":
        return FrameKey(self.key[frames], self.thin[frames], tuple(one[frames] for one in self.maps))


class StcnNetwork(nn.Module):
    """The network of one frame; what is remembered is given and taken.

    Attributes:
        shape: sizes of all parts.
        stride: pixels of a cell.
    """

    def __init__(self, shape: StcnShape | None = None) -> None:
        """Build with PyTorch's initial weights."""
        super().__init__()
        self.shape = shape = shape or StcnShape()
        self.stride = shape.strides[-1]
        self.key_encoder: ResNet | BasicEncoder
        if shape.key_encoder == "resnet-50":
            norm: Any = BatchNorm2d
            self.key_encoder = ResNet(resnet50(weights=None, norm_layer=norm), shape.strides)
        else:
            self.key_encoder = BasicEncoder(3, shape.key_widths, shape.key_blocks, shape.strides)
        self.key_projection = nn.Conv2d(shape.key_widths[-1], shape.key, 3, padding=1)
        self.thin_projection = nn.Conv2d(shape.key_widths[-1], shape.value, 3, padding=1)
        self.value_encoder = ValueEncoder(shape)
        self.decoder = Decoder(shape)

    def train(self, mode: bool = True) -> Self:
        """Turn to training or evaluation; frozen norms stay in evaluation."""
        return super().train(mode and not self.shape.has_frozen_norms)

    def encode_key(self, frames: Float[Tensor, "b 3 H W"]) -> FrameKey:
        """Encode frames, normalised and padded to whole cells."""
        if isinstance(self.key_encoder, ResNet):
            maps = tuple(found[:, 0] for found in self.key_encoder(frames[:, None]))
        else:
            maps = self.key_encoder.maps(frames)
        return FrameKey(self.key_projection(maps[-1]), self.thin_projection(maps[-1]), maps)

    def encode_value(
        self, frame: Float[Tensor, "1 3 H W"], key: FrameKey, masks: Float[Tensor, "k 1 H W"], batch: int = 8
    ) -> Float[Tensor, "k _d h w"]:
        """Encode the masks, or probabilities, of all objects of a frame, ``batch`` of them together."""
        parts = _with_others(masks[None, :, 0]).split(batch)
        return torch.cat([self.value_encoder(frame, key.maps[-1], part) for part in parts])

    def encode_values(
        self, frames: Float[Tensor, "b 3 H W"], key: FrameKey, masks: Float[Tensor, "b k H W"]
    ) -> Float[Tensor, "b k _d h w"]:
        """Encode the masks, or probabilities, of all objects of several frames together."""
        values = self.value_encoder(frames, key.maps[-1], _with_others(masks))
        return values.unflatten(0, masks.shape[:2])

    def decode(self, readout: Float[Tensor, "n _d h w"], key: FrameKey) -> Float[Tensor, "n 1 H W"]:
        """Return the logits of each object by itself, an equal number of them a frame."""
        return self.decoder(readout, key)


class BasicEncoder(nn.Module):
    """Three stages of ResNet-18's blocks, with biases."""

    def __init__(
        self,
        inputs: int,
        widths: tuple[int, int, int],
        blocks: tuple[int, int, int],
        strides: tuple[int, int, int],
    ) -> None:
        """Build with PyTorch's initial weights."""
        super().__init__()
        self.has_pool = strides[0] == 4
        kernel = 7 if self.has_pool else 3
        self.conv1 = nn.Conv2d(inputs, widths[0], kernel, stride=2, padding=kernel // 2)
        self.bn1 = BatchNorm2d(widths[0])
        befores, names = (widths[0], *widths), ("layer1", "layer2", "layer3")
        for name, before, width, count in zip(names, befores, widths, blocks, strict=False):
            first = BasicBlock(before, width, 1 if name == "layer1" else 2)
            rest = [BasicBlock(width, width, 1) for _ in range(count - 1)]
            self.add_module(name, nn.Sequential(first, *rest))

    def maps(self, seen: Float[Tensor, "n _i H W"]) -> tuple[Float[Tensor, "n _c _h _w"], ...]:
        """Return the maps of the three strides."""
        x = convolve_and_normalise(seen, self.conv1, self.bn1, with_relu=True)
        x = F.max_pool2d(x, 3, stride=2, padding=1) if self.has_pool else x
        found = []
        for name in ("layer1", "layer2", "layer3"):
            x = self.get_submodule(name)(x)
            found.append(x)
        return tuple(found)


class ValueEncoder(BasicEncoder):
    """A ResNet-18 of frame, mask and the masks of the others; its map joins the key encoder's."""

    def __init__(self, shape: StcnShape) -> None:
        """Build the parts."""
        super().__init__(5, shape.value_widths, shape.value_blocks, shape.strides)
        self.fuse = ResBlock(shape.value_widths[-1], shape.value, shared=shape.key_widths[-1])
        self.attention = Cbam(shape.value)
        self.refine = ResBlock(shape.value, shape.value)

    def forward(
        self,
        frames: Float[Tensor, "b 3 H W"],
        features: Float[Tensor, "b _c h w"],
        masks: Float[Tensor, "n 2 H W"],
    ) -> Float[Tensor, "n _d h w"]:
        """Return the value of each object.

        Args:
            frames: normalised and padded.
            features: the key encoder's coarsest map.
            masks: of each object, and of all others together; an equal number of objects a frame.
        """
        seen = torch.cat((serve(frames, len(masks)), masks), dim=1)  # n 5 H W
        x = self.fuse(self.maps(seen)[-1], features)
        return self.refine(x + self.attention(x))


class Decoder(nn.Module):
    """What was read of an object's memory, with the maps of the frame, to logits."""

    def __init__(self, shape: StcnShape) -> None:
        """Build the parts."""
        super().__init__()
        fine, middle, _ = shape.key_widths
        self.factor = shape.strides[0]
        self.compress = ResBlock(shape.value, shape.value, shared=shape.value)
        self.skip8 = nn.Conv2d(middle, shape.value, 3, padding=1)
        self.join8 = ResBlock(shape.value, shape.joined)
        self.skip4 = nn.Conv2d(fine, shape.joined, 3, padding=1)
        self.join4 = ResBlock(shape.joined, shape.joined)
        self.score = nn.Conv2d(shape.joined, 1, 3, padding=1)
        if not shape.has_frozen_norms:
            # Where nothing is learned yet, no answer is sure: beyond 16 a logit has no gradient.
            for value in self.score.parameters():
                nn.init.zeros_(value)

    def forward(self, readout: Float[Tensor, "n _d h w"], key: FrameKey) -> Float[Tensor, "n 1 H W"]:
        """Return the logits of every pixel."""
        x = self.compress(readout, key.thin)
        x = self.join8(serve(self.skip8(key.maps[1]), len(x)) + _upsample(x, 2))
        x = self.join4(serve(self.skip4(key.maps[0]), len(x)) + _upsample(x, 2))
        return _upsample(self.score(F.relu(x, inplace=True)), self.factor)


def aggregate(probabilities: Float[Tensor, "k 1 H W"]) -> Float[Tensor, "n 1 H W"]:
    """Let objects compete, each pixel by its odds; the background is there where none of them is.

    Returns:
        Probabilities of the background and the objects, of sum 1.
    """
    return log_odds(probabilities[None, :, 0])[0].softmax(dim=0)[:, None]


def log_odds(probabilities: Float[Tensor, "b k H W"]) -> Float[Tensor, "b n H W"]:
    """Return the logarithms of the odds of background and objects; :func:`aggregate` is their softmax."""
    background = (1 - probabilities).prod(dim=1, keepdim=True)
    each = torch.cat((background, probabilities), dim=1).clamp(_CERTAINTY, 1 - _CERTAINTY)
    return torch.log(each / (1 - each))


def _with_others(masks: Float[Tensor, "b k H W"]) -> Float[Tensor, "n 2 H W"]:
    """Return each object's mask and the sum of those of the others in its frame."""
    others = masks.sum(dim=1, keepdim=True) - masks if masks.shape[1] > 1 else torch.zeros_like(masks)
    return torch.stack((masks, others), dim=2).flatten(0, 1)


def _upsample(x: Float[Tensor, "n c h w"], factor: int) -> Float[Tensor, "n c _h _w"]:
    return F.interpolate(x, scale_factor=factor, mode="bilinear", align_corners=False)
