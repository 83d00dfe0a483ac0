"""Small stacks of linear layers."""

from collections.abc import Sequence
from itertools import pairwise

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from deixis.layers.linear import Linear


class Mlp(nn.Module):
    """Linear layers with ReLU between them, none after the last."""

    def __init__(self, widths: Sequence[int]) -> None:
        """Build from the ``widths`` of the input, of each hidden layer, and of the output."""
        super().__init__()
        self.layers = nn.ModuleList(Linear(inputs, outputs) for inputs, outputs in pairwise(widths))

    def forward(self, x: Float[Tensor, "*n c"]) -> Float[Tensor, "*n d"]:
        """Apply the layers to the last axis."""
        for layer in self.layers[:-1]:
            x = F.relu(layer(x))
        return self.layers[-1](x)


class FeatureResizer(nn.Module):
    """Bring the features of one modality to the width of another: linear, layer norm, dropout."""

    def __init__(self, inputs: int, outputs: int, dropout: float = 0.0, eps: float = 1e-12) -> None:
        """Build from the two widths; the published systems use the tiny ``eps`` of BERT here."""
        super().__init__()
        self.linear = Linear(inputs, outputs)
        self.norm = nn.LayerNorm(outputs, eps=eps)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Float[Tensor, "*n c"]) -> Float[Tensor, "*n d"]:
        """Resize the last axis."""
        return self.dropout(self.norm(self.linear(x)))
