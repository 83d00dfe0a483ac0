"""Batch norms whose state is their statistics alone.

PyTorch's also count the batches that they have seen, for a kind of average that nobody here uses; published
files have these counters or not, depending on their age.
"""

from typing import Any

from torch import nn


class _Uncounted(nn.Module):
    """Loads without a counter: PyTorch's norms would add one, and then refuse it as unexpected."""

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
