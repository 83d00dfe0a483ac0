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

Axes: k objects, n = k + 1 with the background first, c channels, H W pixels of the padded frame, h w cells of
16 pixels, _h _w those of another stride.
"""

from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.models.resnet import resnet50

from deixis.backbones.resnet import ResNet
from deixis.layers.convolution import convolve_and_normalise
from deixis.layers.mask_blocks import BasicBlock, Cbam, ResBlock
from deixis.layers.norm import BatchNorm2d

STRIDE = 16
KEY_CHANNELS, VALUE_CHANNELS = 64, 512
_CERTAINTY = 1e-7


@dataclass(frozen=True)
class FrameKey:
    """What a frame is without any mask.

    Attributes:
        key: compared with those of the memory bank.
        thin: the stride-16 map, for the decoder.
        maps: of strides 4, 8 and 16.
    """

    key: Float[Tensor, "1 64 h w"]
    thin: Float[Tensor, "1 512 h w"]
    maps: tuple[Float[Tensor, "1 _c _h _w"], ...]


class StcnNetwork(nn.Module):
    """The network of one frame; what is remembered is given and taken."""

    def __init__(self) -> None:
        """Build with PyTorch's initial weights."""
        super().__init__()
        norm: Any = BatchNorm2d
        network = resnet50(weights=None, norm_layer=norm)
        self.key_encoder = ResNet(network, (4, 8, 16))
        self.key_projection = nn.Conv2d(1024, KEY_CHANNELS, 3, padding=1)
        self.thin_projection = nn.Conv2d(1024, VALUE_CHANNELS, 3, padding=1)
        self.value_encoder = ValueEncoder()
        self.decoder = Decoder()

    def encode_key(self, frame: Float[Tensor, "1 3 H W"]) -> FrameKey:
        """Encode a frame, normalised and padded to whole cells."""
        maps = tuple(found[0] for found in self.key_encoder(frame[None]))
        return FrameKey(self.key_projection(maps[-1]), self.thin_projection(maps[-1]), maps)

    def encode_value(
        self, frame: Float[Tensor, "1 3 H W"], key: FrameKey, masks: Float[Tensor, "k 1 H W"], batch: int = 8
    ) -> Float[Tensor, "k 512 h w"]:
        """Encode the masks, or probabilities, of all objects of a frame, ``batch`` of them together."""
        others = masks.sum(dim=0, keepdim=True) - masks if len(masks) > 1 else torch.zeros_like(masks)
        parts = torch.cat((masks, others), dim=1).split(batch)
        return torch.cat([self.value_encoder(frame, key.maps[-1], part) for part in parts])

    def decode(self, readout: Float[Tensor, "k 512 h w"], key: FrameKey) -> Float[Tensor, "k 1 H W"]:
        """Return the logits of each object by itself."""
        return self.decoder(readout, key)


class ValueEncoder(nn.Module):
    """A ResNet-18 of frame, mask and the masks of the others; its map joins the key encoder's."""

    def __init__(self) -> None:
        """Build the parts."""
        super().__init__()
        self.conv1 = nn.Conv2d(5, 64, 7, stride=2, padding=3)
        self.bn1 = BatchNorm2d(64)
        self.layer1 = nn.Sequential(BasicBlock(64, 64, 1), BasicBlock(64, 64, 1))
        self.layer2 = nn.Sequential(BasicBlock(64, 128, 2), BasicBlock(128, 128, 1))
        self.layer3 = nn.Sequential(BasicBlock(128, 256, 2), BasicBlock(256, 256, 1))
        self.fuse = ResBlock(256, VALUE_CHANNELS, shared=1024)
        self.attention = Cbam(VALUE_CHANNELS)
        self.refine = ResBlock(VALUE_CHANNELS, VALUE_CHANNELS)

    def forward(
        self,
        frame: Float[Tensor, "1 3 H W"],
        features: Float[Tensor, "1 1024 h w"],
        masks: Float[Tensor, "k 2 H W"],
    ) -> Float[Tensor, "k 512 h w"]:
        """Return the value of each object.

        Args:
            frame: normalised and padded.
            features: the key encoder's of stride 16.
            masks: of each object, and of all others together.
        """
        seen = torch.cat((frame.expand(len(masks), -1, -1, -1), masks), dim=1)  # k 5 H W
        x = convolve_and_normalise(seen, self.conv1, self.bn1, with_relu=True)
        x = F.max_pool2d(x, 3, stride=2, padding=1)
        x = self.layer3(self.layer2(self.layer1(x)))  # k 256 h w
        x = self.fuse(x, features)
        return self.refine(x + self.attention(x))


class Decoder(nn.Module):
    """What was read of an object's memory, with the maps of the frame, to logits."""

    def __init__(self) -> None:
        """Build the parts."""
        super().__init__()
        self.compress = ResBlock(VALUE_CHANNELS, 512, shared=512)
        self.skip8 = nn.Conv2d(512, 512, 3, padding=1)
        self.join8 = ResBlock(512, 256)
        self.skip4 = nn.Conv2d(256, 256, 3, padding=1)
        self.join4 = ResBlock(256, 256)
        self.score = nn.Conv2d(256, 1, 3, padding=1)

    def forward(self, readout: Float[Tensor, "k 512 h w"], key: FrameKey) -> Float[Tensor, "k 1 H W"]:
        """Return the logits of every pixel."""
        x = self.compress(readout, key.thin)
        x = self.join8(self.skip8(key.maps[1]) + _upsample(x, 2))
        x = self.join4(self.skip4(key.maps[0]) + _upsample(x, 2))
        return _upsample(self.score(F.relu(x, inplace=True)), 4)


def aggregate(probabilities: Float[Tensor, "k 1 H W"]) -> Float[Tensor, "n 1 H W"]:
    """Let objects compete, each pixel by its odds; the background is there where none of them is.

    Returns:
        Probabilities of the background and the objects, of sum 1.
    """
    return log_odds(probabilities).softmax(dim=0)


def log_odds(probabilities: Float[Tensor, "k 1 H W"]) -> Float[Tensor, "n 1 H W"]:
    """Return the logarithms of the odds of background and objects; :func:`aggregate` is their softmax."""
    background = (1 - probabilities).prod(dim=0, keepdim=True)
    each = torch.cat((background, probabilities)).clamp(_CERTAINTY, 1 - _CERTAINTY)
    return torch.log(each / (1 - each))


def _upsample(x: Float[Tensor, "k c h w"], factor: int) -> Float[Tensor, "k c _h _w"]:
    return F.interpolate(x, scale_factor=factor, mode="bilinear", align_corners=False)
