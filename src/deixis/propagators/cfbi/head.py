"""The collaborative ensembler of CFBI: one map for each object, steered by its attention vector (2.7).

Axes: n objects with the background first, c channels, h w cells of 4 pixels, _h _w those of another stride.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

VECTOR = 400
"""Length of an attention vector."""
INPUT = 364
_LAYERS = (
    (INPUT, 256, 1, 1),
    (256, 256, 1, 2),
    (256, 512, 2, 1),
    (512, 512, 1, 2),
    (512, 512, 1, 4),
    (512, 512, 2, 1),
    (512, 512, 1, 2),
    (512, 512, 1, 4),
)
"""Inputs, outputs, stride and dilation of each layer."""
_GATED = (*(inputs for inputs, *_ in _LAYERS), 512, 320, 128)
"""Channels of each gate."""


class Gct(nn.Module):
    """Gated channel transformation (Yang et al., CVPR 2020): channels compete by their energy."""

    def __init__(self, channels: int) -> None:
        """Build the gate, open."""
        super().__init__()
        self.alpha = nn.Parameter(torch.ones(1, channels, 1, 1))
        self.gamma = nn.Parameter(torch.zeros(1, channels, 1, 1))
        self.beta = nn.Parameter(torch.zeros(1, channels, 1, 1))

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
        """Return the gated map."""
        energy = (x.square().sum((2, 3), keepdim=True) + 1e-5).sqrt() * self.alpha
        scale = self.gamma / (energy.square().mean(dim=1, keepdim=True) + 1e-5).sqrt()
        return x * (1 + torch.tanh(energy * scale + self.beta))


class Bottleneck(nn.Module):
    """A residual block behind a gate, with group norms."""

    def __init__(self, inputs: int, outputs: int, stride: int, dilation: int) -> None:
        """Build a block."""
        super().__init__()
        width = outputs // 4
        self.gate = Gct(inputs)
        self.first = _NormedConvolution(inputs, width)
        self.second = _NormedConvolution(width, width, 3, stride=stride, dilation=dilation)
        self.third = _NormedConvolution(width, outputs)
        is_same = stride == 1 and inputs == outputs
        self.shortcut = None if is_same else _NormedConvolution(inputs, outputs, stride=stride)

    def forward(self, x: Float[Tensor, "n i h w"]) -> Float[Tensor, "n o _h _w"]:
        """Return the map."""
        y = self.first(self.gate(x)).relu_()
        y = self.third(self.second(y).relu_())
        return F.relu(y + (x if self.shortcut is None else self.shortcut(x)))


class HeadAspp(nn.Module):
    """Pyramid pooling behind gates; the mean of the map goes without a norm."""

    def __init__(self) -> None:
        """Build the parts."""
        super().__init__()
        rates = (1, 6, 12, 18)
        self.gates = nn.ModuleList(Gct(512) for _ in rates)
        self.branches = nn.ModuleList(
            _NormedConvolution(512, 128, 1 if rate == 1 else 3, dilation=rate) for rate in rates
        )
        self.pooling = nn.Conv2d(512, 128, 1, bias=False)
        self.gate = Gct(640)
        self.project = _NormedConvolution(640, 256)

    def forward(self, x: Float[Tensor, "n 512 h w"]) -> Float[Tensor, "n 256 h w"]:
        """Return the map of all branches together."""
        pairs = zip(self.gates, self.branches, strict=True)
        seen = [branch(gate(x)).relu_() for gate, branch in pairs]
        pooled = F.relu(self.pooling(x.mean((2, 3), keepdim=True))).expand_as(seen[0])
        return F.relu(self.project(self.gate(torch.cat([*seen, pooled], dim=1))))


class Head(nn.Module):
    """What is known of each object to its logits, and to those of its background."""

    def __init__(self, low_channels: int) -> None:
        """Build the parts; ``low_channels`` are those of the backbone's map of stride 4."""
        super().__init__()
        self.gates = nn.ModuleList(nn.Linear(VECTOR, channels) for channels in _GATED)
        self.layers = nn.ModuleList(Bottleneck(*numbers) for numbers in _LAYERS)
        self.aspp = HeadAspp()
        self.skip_gate = Gct(low_channels + 256)
        self.skip = _NormedConvolution(low_channels + 256, 64, groups=16)
        self.join = _NormedConvolution(256 + 64, 128, 3)
        self.smooth = _NormedConvolution(128, 128, 3)
        self.foreground = nn.Linear(VECTOR, 129)
        self.background = nn.Linear(VECTOR, 129)

    def forward(
        self,
        x: Float[Tensor, "n 364 h w"],
        vectors: Float[Tensor, "n 400"],
        low_level: Float[Tensor, "_c h w"],
    ) -> tuple[Float[Tensor, "n 1 h w"], Float[Tensor, "n 1 h w"]]:
        """Return the logits of each object and of what is not it."""
        size = x.shape[-2:]
        skipped = x
        for place, layer in enumerate(self.layers):
            x = layer(self._gated(x, vectors, place))
            skipped = x if place == 1 else skipped
        x = self.aspp(self._gated(x, vectors, 8))
        x = F.interpolate(x, size, mode="bicubic", align_corners=True)
        low = low_level[None].expand(len(x), -1, -1, -1)
        skipped = F.relu(self.skip(self.skip_gate(torch.cat((low, skipped), dim=1))))
        x = self.join(self._gated(torch.cat((x, skipped), dim=1), vectors, 9)).relu_()
        x = self.smooth(self._gated(x, vectors, 10)).relu_()
        return _score(x, self.foreground(vectors)), _score(x, self.background(vectors))

    def _gated(
        self, x: Float[Tensor, "n c h w"], vectors: Float[Tensor, "n 400"], place: int
    ) -> Float[Tensor, "n c h w"]:
        return x * (1 + torch.tanh(self.gates[place](vectors)))[:, :, None, None]


class _NormedConvolution(nn.Module):
    """A convolution without bias and a group norm."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int = 1,
        *,
        stride: int = 1,
        dilation: int = 1,
        groups: int = 32,
    ) -> None:
        """Build the two; ``groups`` are those of the norm."""
        super().__init__()
        padding = dilation * (kernel // 2)
        self.convolution = nn.Conv2d(inputs, outputs, kernel, stride, padding, dilation, bias=False)
        self.norm = nn.GroupNorm(groups, outputs)

    def forward(self, x: Float[Tensor, "n i h w"]) -> Float[Tensor, "n o _h _w"]:
        """Return the map."""
        return self.norm(self.convolution(x))


def _score(x: Float[Tensor, "n c h w"], kernels: Float[Tensor, "n _d"]) -> Float[Tensor, "n 1 h w"]:
    """Map each object by its own weights and bias."""
    weights, biases = kernels[:, :-1], kernels[:, -1:]
    return (weights[:, None] @ x.flatten(2) + biases[:, None]).unflatten(2, x.shape[-2:])
