import torch
from torch.nn import functional as F

from deixis.layers.dynamic_conv import dynamic_masks, dynamic_masks_through, num_parameters, split_kernels

N, Q, C, D, H, W, STRIDE = 2, 3, 6, 4, 5, 7, 4


def drawn():
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(N, C, H, W, generator=generator)
    parameters = torch.randn(N, Q, num_parameters(C, D), generator=generator)
    return features, parameters, 20 * torch.rand(N, Q, 2, generator=generator)


def naive(features, parameters, references):
    """The features and two relative coordinates through three convolutions, query by query."""
    masks = torch.empty(N, Q, H, W)
    y, x = torch.meshgrid(torch.arange(H) * STRIDE + 2, torch.arange(W) * STRIDE + 2, indexing="ij")
    for n in range(N):
        for q in range(Q):
            relative = torch.stack((references[n, q, 0] - x, references[n, q, 1] - y))
            value = torch.cat((features[n], relative))[None]
            numbers = iter(parameters[n, q].split([D * (C + 2), D * D, D, D, D, 1]))
            weights = [next(numbers).view(o, i, 1, 1) for o, i in ((D, C + 2), (D, D), (1, D))]
            for index, (weight, bias) in enumerate(zip(weights, numbers, strict=True)):
                value = F.conv2d(value, weight, bias)
                value = value.relu() if index < 2 else value
            masks[n, q] = value[0, 0]
    return masks


def test_the_published_size():
    assert num_parameters(256, 8) == 2153


def test_equals_three_convolutions():
    features, parameters, references = drawn()
    ours = dynamic_masks(features, split_kernels(parameters, C, D), references, STRIDE)
    torch.testing.assert_close(ours, naive(features, parameters, references), atol=1e-3, rtol=1e-4)


def test_a_convolution_before_them_can_be_folded_in():
    features, parameters, references = drawn()
    weight, bias = torch.randn(C, C, 3, 3), torch.randn(C)
    kernels = split_kernels(parameters, C, D)
    expected = dynamic_masks(F.conv2d(features, weight, bias, padding=1), kernels, references, STRIDE)
    ours = dynamic_masks_through(features, weight, bias, kernels, references, STRIDE)
    torch.testing.assert_close(ours, expected, atol=1e-3, rtol=1e-4)
