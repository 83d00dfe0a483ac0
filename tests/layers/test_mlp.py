import torch

from deixis.layers.mlp import FeatureResizer, Mlp


def test_mlp_has_no_activation_after_the_last_layer():
    mlp = Mlp((2, 3, 1))
    for layer in mlp.layers:
        torch.nn.init.constant_(layer.weight, -1.0)
        torch.nn.init.zeros_(layer.bias)
    assert mlp(torch.tensor([[-1.0, -1.0]])).item() == -6.0  # 3 hidden values of 2, negated and summed
    assert mlp(torch.tensor([[1.0, 1.0]])).item() == 0.0


def test_feature_resizer_normalises():
    resized = FeatureResizer(5, 8)(torch.randn(3, 4, 5))
    torch.testing.assert_close(resized.mean(-1), torch.zeros(3, 4), atol=1e-6, rtol=0)
    torch.testing.assert_close(resized.var(-1, correction=0), torch.ones(3, 4), atol=1e-4, rtol=0)
