"""Linear layers at the full speed of a CPU.

PyTorch multiplies float32 matrices on a CPU with MKL, which leaves half of the vector width of some
processors idle (one core of an AMD EPYC with AVX-512: 106 GFLOP/s; oneDNN, which PyTorch ships for its
convolutions: 240). There is no public switch for it, so without gradients the operator behind compiled
graphs is called directly.

Axes: e parts of a batch, n rows, i inputs, o outputs.
"""

import functools
import logging
import platform

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

_logger = logging.getLogger(__name__)


def linear(
    x: Float[Tensor, "*n i"],
    weight: Float[Tensor, "o i"],
    bias: Float[Tensor, "o"] | None = None,
    *,
    with_relu: bool = False,
) -> Float[Tensor, "*n o"]:
    """Compute ``x @ weight.T + bias`` as ``torch.nn.functional.linear`` does, to float rounding.

    ``with_relu`` sets what is below 0 to 0, in the same pass where that is possible.
    """
    is_plain = x.device.type == "cpu" and x.dtype == weight.dtype == torch.float32 and x.numel() > 0
    is_plain = is_plain and not torch.is_grad_enabled() and not torch.is_autocast_enabled("cpu")
    is_plain = is_plain and not torch.compiler.is_compiling() and torch.backends.mkldnn.enabled
    if is_plain and _has_onednn():
        activation = "relu" if with_relu else "none"
        return torch.ops.mkldnn._linear_pointwise(x.contiguous(), weight, bias, activation, [], "")
    y = F.linear(x, weight, bias)
    return F.relu(y, inplace=True) if with_relu else y


def batched_linear(
    x: Float[Tensor, "_e n i"], weights: Float[Tensor, "e o i"], biases: Float[Tensor, "e o"]
) -> Float[Tensor, "e n o"]:
    """Map ``x``, or the one part of it that serves all, by a layer of its own for each of ``e`` parts."""
    if x.device.type != "cpu" or torch.is_grad_enabled():
        return torch.baddbmm(biases[:, None], x.expand(len(weights), -1, -1), weights.transpose(1, 2))
    layers = zip(x.expand(len(weights), -1, -1).split(1), weights, biases, strict=True)
    parts = [linear(part, weight.contiguous(), bias) for part, weight, bias in layers]
    return parts[0] if len(parts) == 1 else torch.cat(parts)


class Linear(nn.Linear):
    """``torch.nn.Linear``, computed by :func:`linear`."""

    def forward(self, input: Float[Tensor, "*n i"]) -> Float[Tensor, "*n o"]:
        """Map the last axis."""
        return linear(input, self.weight, self.bias)


@functools.cache
def _has_onednn() -> bool:
    available = (
        platform.machine().lower() in ("x86_64", "amd64")
        and torch.backends.mkldnn.is_available()
        and hasattr(torch.ops.mkldnn, "_linear_pointwise")
    )
    _logger.debug("linear layers on the CPU use %s", "oneDNN" if available else "the default library")
    return available
