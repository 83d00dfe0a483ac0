"""Batch norms whose state is their statistics alone, over one process or over all.

PyTorch's also count the batches that they have seen, for a kind of average that nobody here uses; published
files have these counters or not, depending on their age. Its norm over processes runs on GPUs alone.

Axes: n items, c channels.
"""

from typing import Any

import torch
from torch import Tensor, distributed, nn
from torch.nn.modules.batchnorm import _BatchNorm


class _SumOverProcesses(torch.autograd.Function):
    """Adds up a tensor over processes; what comes back to one of them goes back to all."""

    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:
        total = values.clone()
        distributed.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        total = gradients[0].clone()
        distributed.all_reduce(total)
        return total


class _Uncounted(_BatchNorm):
    """Loads without a counter: PyTorch's norms would add one, and then refuse it as unexpected.

    Attributes:
        is_synced: in training, take the statistics over the batches of all processes.
    """

    is_synced: bool = False

    def forward(self, input: Tensor) -> Tensor:
        """Normalise ``n c ...`` over all but the channels."""
        if not (self.training and self.is_synced):
            return super().forward(input)
        self._check_input_dim(input)
        axes = [axis for axis in range(input.dim()) if axis != 1]
        shape = [-1 if axis == 1 else 1 for axis in range(input.dim())]
        values = input.float()
        count = values.new_tensor([values.numel() / values.shape[1]])
        sums = _SumOverProcesses.apply(torch.cat((values.sum(axes), count)))  # c + 1
        count = sums[-1].detach()
        mean = sums[:-1] / count  # c
        centred = values - mean.view(shape)
        variance = _SumOverProcesses.apply(centred.square().sum(axes)) / count  # c
        self._follow(mean.detach(), variance.detach() * count / (count - 1))
        scale = self.weight * (variance + self.eps).rsqrt()
        return (centred * scale.view(shape) + self.bias.view(shape)).to(input.dtype)

    @torch.no_grad()
    def _follow(self, mean: Tensor, variance: Tensor) -> None:
        """Move the statistics for evaluation."""
        assert self.running_mean is not None and self.running_var is not None and self.momentum is not None
        self.running_mean.lerp_(mean.to(self.running_mean.dtype), self.momentum)
        self.running_var.lerp_(variance.to(self.running_var.dtype), self.momentum)

    def _load_from_state_dict(
        self,
        state_dict: Any,
        prefix: Any,
        local_metadata: Any,
        strict: Any,
        missing_keys: Any,
        unexpected_keys: Any,
        error_msgs: Any,
    ) -> None:
        nn.Module._load_from_state_dict(
            self, state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs
        )


class BatchNorm2d(_Uncounted, nn.BatchNorm2d):
    """``torch.nn.BatchNorm2d`` without a counter."""

    def __init__(self, channels: int) -> None:
        """Build with scale 1 and shift 0."""
        super().__init__(channels)
        self.register_buffer("num_batches_tracked", None)


class BatchNorm1d(_Uncounted, nn.BatchNorm1d):
    """``torch.nn.BatchNorm1d`` without a counter."""

    def __init__(self, channels: int) -> None:
        """Build with scale 1 and shift 0."""
        super().__init__(channels)
        self.register_buffer("num_batches_tracked", None)


def sync_batch_norms(model: nn.Module) -> None:
    """Let the batch norms of ``model`` take their statistics over all processes of a training."""
    for module in model.modules():
        if isinstance(module, _Uncounted):
            module.is_synced = True
