import pytest
import torch
from torch import nn

from deixis.layers.convolution import ConvNorm, convolve_and_normalise
from deixis.layers.norm import BatchNorm1d, BatchNorm2d


@pytest.mark.parametrize(
    "norm, reference", [(BatchNorm1d(4), nn.BatchNorm1d(4)), (BatchNorm2d(4), nn.BatchNorm2d(4))]
)
def test_same_as_pytorchs_without_the_counter(norm, reference):
    assert norm.state_dict().keys() == reference.state_dict().keys() - {"num_batches_tracked"}
    x = torch.randn(5, 4) if isinstance(norm, nn.BatchNorm1d) else torch.randn(5, 4, 2, 3)
    for _ in range(2):
        torch.testing.assert_close(norm(x), reference(x))
    norm.load_state_dict(dict(norm.state_dict()), strict=True)
    torch.testing.assert_close(norm.eval()(x), reference.eval()(x))


@pytest.mark.parametrize("kernel, stride, dilation", [(1, 1, 1), (3, 1, 2), (3, 2, 1)])
@pytest.mark.parametrize("is_training", [True, False])
def test_folded_norms_change_nothing(kernel, stride, dilation, is_training):
    torch.manual_seed(0)
    layer = ConvNorm(3, 4, kernel, stride=stride, dilation=dilation)
    layer(torch.randn(4, 3, 7, 9))  # statistics that are not the initial ones
    layer.train(is_training)
    x = torch.randn(2, 3, 7, 9)
    expected = layer.norm(layer.convolution(x)).relu()
    with torch.no_grad():
        torch.testing.assert_close(layer(x), expected, atol=1e-5, rtol=1e-4)
    assert expected.shape[-2:] == (-(-7 // stride), -(-9 // stride))


@pytest.mark.parametrize("is_training", [True, False])
def test_what_is_added_comes_before_the_norm(is_training):
    torch.manual_seed(0)
    layer = ConvNorm(3, 4, 3)
    layer(torch.randn(4, 3, 7, 9))
    layer.train(is_training)
    x, added = torch.randn(2, 3, 7, 9), torch.randn(2, 4, 7, 9)
    expected = layer.norm(layer.convolution(x) + added)
    given = convolve_and_normalise(x, layer.convolution, layer.norm, added=added)
    torch.testing.assert_close(given, expected, atol=1e-5, rtol=1e-4)
