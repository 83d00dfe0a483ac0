"""Batch norms whose state is their statistics alone.

PyTorch's also count the batches that they have seen, for a kind of average that nobody here uses; published
files have these counters or not, depending on their age.
"""

from typing import Any

from torch import nn


class BatchNorm2d(nn.BatchNorm2d):
    """``torch.nn.BatchNorm2d`` without a counter."""

    def __init__(self, channels: int) -> None:
        """Build with scale 1 and shift 0."""
        super().__init__(channels)
        self.register_buffer("num_batches_tracked", None)

    def _load_from_state_dict(self, *arguments: Any) -> None:
        # PyTorch's own would put a counter into what is loaded, and then refuse it as unexpected.
        nn.Module._load_from_state_dict(self, *arguments)


class BatchNorm1d(nn.BatchNorm1d):
    """``torch.nn.BatchNorm1d`` without a counter."""

    def __init__(self, channels: int) -> None:
        """Build with scale 1 and shift 0."""
        super().__init__(channels)
        self.register_buffer("num_batches_tracked", None)

    def _load_from_state_dict(self, *arguments: Any) -> None:
        nn.Module._load_from_state_dict(self, *arguments)
