"""RAFT (Teed and Deng, ECCV 2020), as torchvision has it: what HINet used; seconds a pair on a CPU.

torchvision's network wants sides that are multiples of 8 and at least 128 pixels (below, its four levels of
correlation shrink to nothing). Here frames of any size are enlarged or padded by their edges, and the flow is
brought back.

Axes: h w pixels of the network's input, H W of the frame.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torchvision
from jaxtyping import Float, UInt8
from torch import Tensor, nn
from torch.nn import functional as F

from deixis.errors import CheckpointError, UnknownNameError
from deixis.ops.device import find_device
from deixis.ops.weights import fit_weights, read_weights

from .estimator import require_pair

SIZES = ("small", "large")
MIN_SIDE = 128
MULTIPLE = 8
NUM_UPDATES = 12
"""torchvision's default; the authors use 20 in their demo, 24 for KITTI, 32 for Sintel."""


@dataclass(frozen=True)
class Raft:
    """The estimator.

    Attributes:
        network: torchvision's ``raft_small`` or ``raft_large`` in evaluation mode.
        name: "small" or "large".
        weights_hash: SHA-256 of the weights.
        num_updates: how often the flow is refined.
    """

    network: nn.Module
    name: str
    weights_hash: str
    num_updates: int = NUM_UPDATES

    def describe(self) -> dict[str, Any]:
        """Return method, size, updates, hash of the weights and the version of torchvision."""
        return {
            "method": "raft",
            "size": self.name,
            "updates": self.num_updates,
            "weights": self.weights_hash,
            "torchvision": torchvision.__version__.partition("+")[0],
        }

    def __call__(
        self, first: UInt8[np.ndarray, "H W 3"], second: UInt8[np.ndarray, "H W 3"]
    ) -> Float[np.ndarray, "H W 2"]:
        """Return the flow of the last update."""
        require_pair(first, second)
        device = next(self.network.parameters()).device
        pair = torch.from_numpy(np.stack((first, second))).to(device).permute(0, 3, 1, 2)
        pair = pair.float().div_(127.5).sub_(1)  # 2 3 H W, in [-1, 1]
        # The correlation volume loses too much in half precision.
        with torch.inference_mode(), torch.autocast(device.type, enabled=False):
            flow = self._estimate(pair)
        return np.ascontiguousarray(flow.permute(1, 2, 0).cpu().numpy(), dtype=np.float32)

    def _estimate(self, pair: Float[Tensor, "2 3 H W"]) -> Float[Tensor, "2 H W"]:
        size = (int(pair.shape[-2]), int(pair.shape[-1]))
        enlarged = (max(size[0], MIN_SIDE), max(size[1], MIN_SIDE))
        if enlarged != size:
            pair = F.interpolate(pair, size=enlarged, mode="bilinear", align_corners=False)
        height, width = (-side % MULTIPLE for side in enlarged)
        top, left = height // 2, width // 2
        # Half on each side, as the authors pad for Sintel.
        padded = F.pad(pair, (left, width - left, top, height - top), mode="replicate")
        flow = self.network(padded[:1], padded[1:], num_flow_updates=self.num_updates)[-1]  # 1 2 h w
        flow = flow[..., top : top + enlarged[0], left : left + enlarged[1]]
        if enlarged != size:
            flow = F.interpolate(flow, size=size, mode="bilinear", align_corners=False)
            scale = torch.tensor((size[1] / enlarged[1], size[0] / enlarged[0]), device=flow.device)
            flow = flow * scale[:, None, None]
        return flow[0]


def load_raft(
    name: str, weights: str | Path | None, *, num_updates: int = NUM_UPDATES, device: str = "cpu"
) -> Raft:
    """Build RAFT with weights.

    Args:
        name: "small" or "large".
        weights: a file of torchvision's weights (``raft_large_C_T_SKHT_V2-ff5fadd5.pth``, or the same as
            safetensors), or a name of torchvision's such as "C_T_SKHT_V2", which is downloaded once.
            "C_T_SKHT_V1" are the authors' own, the nearest to what a paper of 2021 calls RAFT.
        num_updates: how often the flow is refined.
        device: where it runs.

    Raises:
        CheckpointError: no weights are named; they are missing, broken, or do not fit; the download failed.
        DeviceError: there is no such device.
        ValueError: ``num_updates`` is not positive.
    """
    if name not in SIZES:
        raise UnknownNameError("size of RAFT", name, SIZES)
    if num_updates < 1:
        raise ValueError(f"num_updates must be at least 1, got {num_updates}")
    known = _known_weights(name)
    if weights is None:
        raise CheckpointError(
            f"raft-{name} needs weights: a file that torchvision distributes, or one of its names"
            f" ({', '.join(known.__members__)}) where there is a network; DIS needs none"
        )
    network = torchvision.models.optical_flow.__dict__[f"raft_{name}"](weights=None)
    if str(weights) in known.__members__:
        tensors = _download(known[str(weights)])
    else:
        tensors = read_weights(Path(weights))
    if any(key.removeprefix("module.").startswith(("fnet.", "cnet.")) for key in tensors):
        raise CheckpointError(
            f"{weights} has the parameter names of RAFT's authors; take torchvision's copy of the same"
            " weights (raft_large_C_T_SKHT_V1)"
        )
    fit_weights(network, tensors, str(weights), [])
    return Raft(network.to(find_device(device)).eval(), name, _hash(tensors), num_updates)


def _known_weights(name: str) -> Any:
    flows = torchvision.models.optical_flow
    return flows.Raft_Small_Weights if name == "small" else flows.Raft_Large_Weights


def _download(entry: Any) -> dict[str, Tensor]:
    """Fetch weights once, into the cache of ``torch.hub``."""
    try:
        return entry.get_state_dict(progress=False, check_hash=True, weights_only=True)
    except (OSError, RuntimeError) as error:
        reason = str(error).strip().splitlines()[0][:160] if str(error).strip() else type(error).__name__
        raise CheckpointError(
            f"the weights {entry.name} of RAFT cannot be fetched ({reason}); name a file of them instead"
        ) from error


def _hash(tensors: dict[str, Tensor]) -> str:
    digest = hashlib.sha256()
    for name, value in sorted(tensors.items()):
        digest.update(f"{name} {value.dtype} {tuple(value.shape)}\n".encode())
        digest.update(value.detach().cpu().contiguous().view(-1).numpy().tobytes())
    return digest.hexdigest()
