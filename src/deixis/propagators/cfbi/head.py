"""The collaborative ensembler of CFBI: one map for each object, steered by its attention vector (2.7).

9 GMAC an object for a frame of 289x385 (33 for 481x849), almost a third of them in the 3x3 convolution of
the joined map; 10 MB of an object in the map that enters (38). The published code writes every map anew for
each of its two gates, squares it for the second, and convolves single cells by a slow path. Here a gate is
a factor of the weights of the convolution behind it, each object's by itself: no map is written for it; and
the energies of the second gate are those of the map before the first, times its square.

Axes: n objects with the background first, c channels, h w cells of 4 pixels, _h _w those of another stride.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from deixis.layers.convolution import convolve_cells
from deixis.layers.linear import batched_linear

_LAYERS = (
    (0, 256, 1, 1),
    (256, 256, 1, 2),
    (256, 512, 2, 1),
    (512, 512, 1, 2),
    (512, 512, 1, 4),
    (512, 512, 2, 1),
    (512, 512, 1, 2),
    (512, 512, 1, 4),
)
"""Inputs from the layer before, outputs, stride and dilation of each layer."""
_JOINED = (0, 3, 6)
"""Layers before which the inputs of strides 4, 8 and 16 join; CFBI has those of stride 4 alone."""


_CELLS = 128
"""Cells whose squares stay in the cache."""


class Gct(nn.Module):
    """Gated channel transformation (Yang et al., CVPR 2020): channels compete by their energy."""

    def __init__(self, channels: int) -> None:
        """Build the gate, open."""
        super().__init__()
        self.alpha = nn.Parameter(torch.ones(1, channels, 1, 1))
        self.gamma = nn.Parameter(torch.zeros(1, channels, 1, 1))
        self.beta = nn.Parameter(torch.zeros(1, channels, 1, 1))

    def forward(self, sums: Float[Tensor, "n c"]) -> Float[Tensor, "n c"]:
        """Return the gates of a map whose squares add up to ``sums``."""
        alpha, gamma, beta = (value.flatten(1) for value in (self.alpha, self.gamma, self.beta))
        energy = (sums + 1e-5).sqrt() * alpha
        scale = gamma / (energy.square().mean(dim=1, keepdim=True) + 1e-5).sqrt()
        return 1 + torch.tanh(energy * scale + beta)


class Bottleneck(nn.Module):
    """A residual block behind a gate, with group norms."""

    def __init__(self, inputs: int, outputs: int, stride: int, dilation: int) -> None:
        """Build a block."""
        super().__init__()
        width = outputs // 4
        self.gate = Gct(inputs)
        self.first = NormedConvolution(inputs, width)
        self.second = NormedConvolution(width, width, 3, stride=stride, dilation=dilation)
        self.third = NormedConvolution(width, outputs)
        is_same = stride == 1 and inputs == outputs
        self.shortcut = None if is_same else NormedConvolution(inputs, outputs, stride=stride)

    def forward(self, x: Float[Tensor, "n i h w"], gates: Float[Tensor, "n i"]) -> Float[Tensor, "n o _h _w"]:
        """Return the map made of ``x`` behind ``gates``."""
        inner = gates * self.gate(sum_squares(x) * gates.square())
        y = self.third(self.second(self.first(x, inner).relu_()).relu_())
        if self.shortcut is None:
            return torch.addcmul(y, x, gates[:, :, None, None]).relu_()
        return (y + self.shortcut(x, gates)).relu_()


class HeadAspp(nn.Module):
    """Pyramid pooling behind gates; the mean of the map goes without a norm."""

    def __init__(self) -> None:
        """Build the parts."""
        super().__init__()
        rates = (1, 6, 12, 18)
        self.gates = nn.ModuleList(Gct(512) for _ in rates)
        self.branches = nn.ModuleList(
            NormedConvolution(512, 128, 1 if rate == 1 else 3, dilation=rate) for rate in rates
        )
        self.pooling = nn.Conv2d(512, 128, 1, bias=False)
        self.gate = Gct(640)
        self.project = NormedConvolution(640, 256)

    def forward(
        self, x: Float[Tensor, "n 512 h w"], gates: Float[Tensor, "n 512"]
    ) -> Float[Tensor, "n 256 h w"]:
        """Return the map of all branches together, made of ``x`` behind ``gates``."""
        sums = sum_squares(x) * gates.square()
        pairs = zip(self.gates, self.branches, strict=True)
        # These maps are smaller than the weights of their convolutions.
        seen = [branch(x * (gates * gate(sums))[:, :, None, None]).relu_() for gate, branch in pairs]
        means = x.mean((2, 3), keepdim=True) * gates[:, :, None, None]
        pooled = F.relu(self.pooling(means)).expand_as(seen[0])
        joined = torch.cat([*seen, pooled], dim=1)
        return self.project(joined, self.gate(sum_squares(joined))).relu_()


class Head(nn.Module):
    """What is known of each object to its logits, and to those of its background."""

    def __init__(self, low_channels: int, vector: int, inputs: tuple[int, ...]) -> None:
        """Build the parts.

        Args:
            low_channels: of the backbone's map of stride 4.
            vector: length of an attention vector.
            inputs: channels of stride 4, and of 8 and 16 where there are such.
        """
        super().__init__()
        layers = [list(numbers) for numbers in _LAYERS]
        for place, channels in zip(_JOINED, inputs, strict=False):
            layers[place][0] += channels
        gated = (*(numbers[0] for numbers in layers), 512, 320, 128)
        self.gates = nn.ModuleList(nn.Linear(vector, channels) for channels in gated)
        self.layers = nn.ModuleList(Bottleneck(*numbers) for numbers in layers)
        self.aspp = HeadAspp()
        self.skip_gate = Gct(low_channels + 256)
        self.skip = NormedConvolution(low_channels + 256, 64, groups=16)
        self.join = NormedConvolution(256 + 64, 128, 3)
        self.smooth = NormedConvolution(128, 128, 3)
        self.foreground = nn.Linear(vector, 129)
        self.background = nn.Linear(vector, 129)

    def forward(
        self,
        inputs: tuple[Float[Tensor, "n _c _h _w"], ...],
        vectors: Float[Tensor, "n _d"],
        low_level: Float[Tensor, "_c h w"],
    ) -> tuple[Float[Tensor, "n 1 h w"], Float[Tensor, "n 1 h w"]]:
        """Return the logits of each object and of what is not it."""
        size = inputs[0].shape[-2:]
        cells_last = [x.contiguous(memory_format=torch.channels_last) for x in inputs]
        joined = dict(zip(_JOINED, cells_last, strict=False))
        x = skipped = cells_last[0][:, :0]
        for place, layer in enumerate(self.layers):
            if place in joined:
                x = torch.cat((x, joined[place]), dim=1) if place else joined[0]
            x = layer(x, self._gates(vectors, place))
            skipped = x if place == 1 else skipped
        x = self.aspp(x, self._gates(vectors, 8))
        x = F.interpolate(x, size, mode="bicubic", align_corners=True)
        low = low_level[None].contiguous(memory_format=torch.channels_last).expand(len(x), -1, -1, -1)
        skipped = torch.cat((low, skipped), dim=1)
        skipped = self.skip(skipped, self.skip_gate(sum_squares(skipped))).relu_()
        x = self.join(torch.cat((x, skipped), dim=1), self._gates(vectors, 9)).relu_()
        x = self.smooth(x, self._gates(vectors, 10)).relu_()
        return _score(x, self.foreground(vectors)), _score(x, self.background(vectors))

    def score(
        self,
        inputs: tuple[Float[Tensor, "n _c _h _w"], ...],
        vectors: Float[Tensor, "n _d"],
        low_level: Float[Tensor, "_c h w"],
        batch: int,
    ) -> Float[Tensor, "n h w"]:
        """Return the logits of all objects, ``batch`` of them made together.

        The background's is joined by the least of what is not an object.
        """
        places = [slice(start, start + batch) for start in range(0, len(vectors), batch)]
        parts = [self(tuple(x[own] for x in inputs), vectors[own], low_level) for own in places]
        foreground, background = (torch.cat(found)[:, 0] for found in zip(*parts, strict=True))
        if len(vectors) == 1:
            return foreground
        ground = foreground[:1] + background[1:].amin(dim=0, keepdim=True)
        return torch.cat((ground, foreground[1:]))

    def _gates(self, vectors: Float[Tensor, "n _d"], place: int) -> Float[Tensor, "n c"]:
        return 1 + torch.tanh(self.gates[place](vectors))


class NormedConvolution(nn.Module):
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

    def forward(
        self, x: Float[Tensor, "n i h w"], gates: Float[Tensor, "n i"] | None = None
    ) -> Float[Tensor, "n o _h _w"]:
        """Return the map, made of ``x`` behind ``gates``."""
        weight, stride = self.convolution.weight, self.convolution.stride
        if self.convolution.kernel_size == (1, 1):
            x = x[..., :: stride[0], :: stride[1]]
            return self.norm(
                convolve_cells(x, weight) if gates is None else _convolve_gated(x, weight, gates)
            )
        if gates is None:
            return self.norm(self.convolution(x))
        padding, dilation = self.convolution.padding, self.convolution.dilation
        parts = [
            F.conv2d(one, weight * gate[None, :, None, None], None, stride, padding, dilation)
            for one, gate in zip(x.split(1), gates, strict=True)
        ]
        return self.norm(torch.cat(parts))


def sum_squares(x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c"]:
    """Return the sum of the squares of each channel; the squares of a few cells at a time are kept."""
    cells = x.permute(0, 2, 3, 1).flatten(1, 2)  # n q c
    return torch.stack([part.square().sum(dim=1) for part in cells.split(_CELLS, dim=1)]).sum(dim=0)


def _convolve_gated(
    x: Float[Tensor, "n i h w"], weight: Float[Tensor, "o i 1 1"], gates: Float[Tensor, "n i"]
) -> Float[Tensor, "n o h w"]:
    """Map every cell, each object's by weights of its own."""
    weights = weight.flatten(1) * gates[:, None]  # n o i
    cells = x.permute(0, 2, 3, 1).flatten(1, 2)  # n q i
    found = batched_linear(cells, weights, weights.new_zeros(weights.shape[:2]))
    return found.unflatten(1, x.shape[-2:]).permute(0, 3, 1, 2)


def _score(x: Float[Tensor, "n c h w"], kernels: Float[Tensor, "n _d"]) -> Float[Tensor, "n 1 h w"]:
    """Map each object by its own weights and bias."""
    weights, biases = kernels[:, :-1], kernels[:, -1:]
    return (weights[:, None] @ x.flatten(2) + biases[:, None]).unflatten(2, x.shape[-2:])
