import torch
from torch.nn import functional as F

from deixis.layers.convolution import CellConvolution


def test_equals_a_convolution_with_and_without_gradients():
    layer = CellConvolution(6, 8)
    x = torch.randn(2, 6, 3, 5)
    expected = F.conv2d(x, layer.weight, layer.bias)
    torch.testing.assert_close(layer(x), expected)
    with torch.no_grad():
        torch.testing.assert_close(layer(x), expected)
