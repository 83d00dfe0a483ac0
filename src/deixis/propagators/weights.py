"""Weights of propagators: from a published file, or from and to a file of ours."""

from collections.abc import Callable, Mapping
from pathlib import Path

from torch import Tensor, nn

from deixis.errors import SinkError
from deixis.ops.atomic import write_atomically
from deixis.ops.weights import fit_weights, read_weights

WEIGHTS = "weights.safetensors"
"""Name of the file in a folder of ours."""

Conversion = Callable[[Mapping[str, Tensor]], tuple[dict[str, Tensor], list[str]]]
"""Published tensors to ours, and the names that have no place in the network."""


def fill_network(network: nn.Module, path: str | Path, to_ours: Conversion) -> None:
    """Fill ``network`` from a file with published names, or from a file or folder with ours.

    Every parameter is filled, and nothing else.

    Raises:
        CheckpointError: the file is missing, broken, unsafe, or of another network.
    """
    path = Path(path) / WEIGHTS if Path(path).is_dir() else Path(path)
    tensors = read_weights(path)
    ours, unknown = to_ours(tensors)
    wanted = network.state_dict().keys()
    if wanted <= tensors.keys():
        ours, unknown = dict(tensors), []
    fit_weights(network, ours, str(path), unknown)


def save_network(network: nn.Module, path: str | Path) -> Path:
    """Write the weights of ``network`` by our names as a ``.safetensors`` file, whole or not at all.

    Raises:
        SinkError: the file cannot be written.
    """
    from safetensors.torch import save

    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        tensors = {name: value.detach().cpu().contiguous() for name, value in network.state_dict().items()}
        write_atomically(path, save(tensors))
    except OSError as error:
        raise SinkError(f"cannot write the weights to {path}: {error.strerror or error}") from error
    return path
