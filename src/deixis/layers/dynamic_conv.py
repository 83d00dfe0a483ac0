"""Masks by small 1x1 convolutions whose weights are made from queries (CondInst, Tian et al., ECCV 2020).

Axes: n maps, q queries, m parameters of a query, c channels of the features, d channels of the small layers,
h w cells.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F


@dataclass(frozen=True)
class Kernels:
    """The weights of three 1x1 convolutions, ``c + 2 -> d -> d -> 1``, of every query.

    Attributes:
        features: weights of the first layer on the mask features.
        places: its weights on the relative coordinates x and y.
        bias: of the first layer.
        inner, inner_bias: the second layer.
        out, out_bias: the last layer.
    """

    features: Float[Tensor, "*q d c"]
    places: Float[Tensor, "*q d 2"]
    bias: Float[Tensor, "*q d"]
    inner: Float[Tensor, "*q d d"]
    inner_bias: Float[Tensor, "*q d"]
    out: Float[Tensor, "*q d"]
    out_bias: Float[Tensor, "*q"]


def num_parameters(channels: int, inner: int) -> int:
    """Count the numbers that :func:`split_kernels` takes: 2153 for 256 channels and an inner width of 8."""
    return inner * (channels + 2) + inner * inner + inner + inner + inner + 1


def split_kernels(
    parameters: Float[Tensor, "*q m"], channels: int, inner: int, *, is_place_first: bool = False
) -> Kernels:
    """Cut the numbers of each query into weights and biases: all weights first, each row by row.

    A row of the first layer begins with the features and ends with the two coordinates; ``is_place_first``:
    the other way round (UniRef).
    """
    sizes = [inner * (channels + 2), inner * inner, inner, inner, inner, 1]
    first, second, out, bias, inner_bias, out_bias = parameters.split(sizes, dim=-1)
    first = first.unflatten(-1, (inner, channels + 2))
    if is_place_first:
        places, features = first.split((2, channels), dim=-1)
    else:
        features, places = first.split((channels, 2), dim=-1)
    return Kernels(
        features=features,
        places=places,
        bias=bias,
        inner=second.unflatten(-1, (inner, inner)),
        inner_bias=inner_bias,
        out=out,
        out_bias=out_bias[..., 0],
    )


def apply_kernels(
    mixed: Float[Tensor, "n q d h w"], kernels: Kernels, references: Float[Tensor, "n q 2"], stride: int
) -> Float[Tensor, "n q h w"]:
    """Finish the masks from what the first layer made of the features.

    The two relative coordinates of a cell, ``reference - location`` in pixels of the input, are an affine
    function of its column and row: they enter as one row and one column of numbers a channel.

    Args:
        mixed: the features times ``kernels.features``.
        kernels: of ``n q`` queries.
        references: x, y in pixels of the network's input.
        stride: of the features.
    """
    height, width = mixed.shape[-2:]
    x = (torch.arange(width, device=mixed.device) + 0.5) * stride
    y = (torch.arange(height, device=mixed.device) + 0.5) * stride
    across = kernels.places[..., :1] * (references[..., :1] - x)[..., None, :]  # n q d w
    down = kernels.places[..., 1:] * (references[..., 1:] - y)[..., None, :]  # n q d h
    down = down + kernels.bias[..., None]
    hidden = F.relu(mixed + across[..., None, :] + down[..., None]).flatten(3)  # n q d (h w)
    hidden = F.relu(kernels.inner.to(hidden.dtype) @ hidden + kernels.inner_bias[..., None])
    masks = kernels.out[..., None, :].to(hidden.dtype) @ hidden + kernels.out_bias[..., None, None]
    return masks.squeeze(2).unflatten(-1, (height, width))


def dynamic_masks(
    features: Float[Tensor, "n c h w"],
    kernels: Kernels,
    references: Float[Tensor, "n q 2"],
    stride: int,
) -> Float[Tensor, "n q h w"]:
    """Return the mask logits of every query; the features are neither repeated nor joined by coordinates."""
    matrix = kernels.features.flatten(1, 2).to(features.dtype)  # n (q d) c
    mixed = (matrix @ features.flatten(2)).unflatten(1, kernels.features.shape[1:3])
    return apply_kernels(mixed.unflatten(-1, features.shape[-2:]), kernels, references, stride)


def dynamic_masks_through(
    maps: Float[Tensor, "n b h w"],
    weight: Float[Tensor, "c b 3 3"],
    bias: Float[Tensor, "c"],
    kernels: Kernels,
    references: Float[Tensor, "n q 2"],
    stride: int,
) -> Float[Tensor, "n q h w"]:
    """Return what :func:`dynamic_masks` gives of the features ``conv3x3(maps, weight, bias)``.

    The convolution and the first layer are one linear map: with few queries their product has ``q d`` output
    channels in the place of ``c``, as one convolution of ``n`` groups.
    """
    n, q, d, _ = kernels.features.shape
    matrix = kernels.features.flatten(1, 2).to(maps.dtype)  # n (q d) c
    product = (matrix @ weight.flatten(1)).flatten(0, 1).unflatten(1, weight.shape[1:])  # (n q d) b 3 3
    offsets = (matrix @ bias).flatten()
    mixed = F.conv2d(maps.flatten(0, 1)[None], product, offsets, padding=1, groups=n)
    mixed = mixed[0].unflatten(0, (n, q, d))
    return apply_kernels(mixed, kernels, references, stride)
