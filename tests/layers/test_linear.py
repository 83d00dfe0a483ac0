import pytest
import torch
from torch.nn import functional as F

from deixis.layers.linear import Linear, linear


@pytest.mark.parametrize("shape", [(5,), (3, 5), (2, 3, 4, 5), (0, 5)])
@pytest.mark.parametrize("has_bias", [True, False])
def test_results_equal_the_framework_with_and_without_gradients(shape, has_bias):
    generator = torch.Generator().manual_seed(0)
    x, weight = torch.randn(shape, generator=generator), torch.randn(7, 5, generator=generator)
    bias = torch.randn(7, generator=generator) if has_bias else None
    expected = F.linear(x, weight, bias)
    assert torch.equal(linear(x, weight, bias), expected)
    with torch.inference_mode():
        torch.testing.assert_close(linear(x, weight, bias), expected, rtol=1e-5, atol=1e-6)


def test_strided_inputs_and_parts_of_weights_are_taken():
    x, weight = torch.randn(4, 6, 10).transpose(0, 1), torch.randn(9, 20)[:, ::2]
    with torch.inference_mode():
        torch.testing.assert_close(linear(x, weight[3:], None), F.linear(x, weight[3:]), rtol=1e-5, atol=1e-6)
        torch.testing.assert_close(linear(x[..., ::2], weight[:, :5]), F.linear(x[..., ::2], weight[:, :5]))


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_other_types_stay_what_they_are(dtype):
    layer = Linear(5, 7).to(dtype)
    with torch.inference_mode():
        assert layer(torch.ones(2, 5, dtype=dtype)).dtype == dtype


def test_autocast_is_respected():
    with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16):
        assert Linear(5, 7)(torch.ones(2, 5)).dtype == torch.bfloat16


def test_gradients_flow():
    layer = Linear(5, 7)
    layer(torch.ones(2, 5)).sum().backward()
    assert layer.weight.grad is not None and (layer.weight.grad == 2).all()


def test_relu_in_the_same_pass():
    layer = Linear(8, 6)
    x = torch.randn(5, 8)
    expected = layer(x).relu()
    torch.testing.assert_close(linear(x, layer.weight, layer.bias, with_relu=True), expected)
    with torch.no_grad():
        torch.testing.assert_close(linear(x, layer.weight, layer.bias, with_relu=True), expected)
