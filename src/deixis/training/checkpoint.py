"""All that a run needs to go on as if it had never stopped, in a folder that appears whole or not at all.

``checkpoints/00001200/`` holds ``state.pt`` (weights, optimiser, averaged weights, gradient scaler, step,
time) and ``process_<rank>.pt`` (random states and sums for the log of each process). The sampler's position
follows from the step. Files hold tensors and plain values only and are loaded with ``weights_only=True``.
"""

import pickle
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from deixis.errors import CheckpointError

PARTIAL = ".partial"


def save_checkpoint(
    folder: Path,
    step: int,
    state: dict[str, Any],
    process_state: dict[str, Any],
    *,
    rank: int = 0,
    keep: int = 2,
    wait: Callable[[], None] = lambda: None,
) -> Path:
    """Write a checkpoint; every process calls it, the first one writes what they share.

    Args:
        folder: where the checkpoints of the run are.
        step: steps done.
        state: what all processes share.
        process_state: what each has for itself.
        rank: of this process.
        keep: how many of the newest checkpoints stay.
        wait: returns when all processes have called it.
    """
    final = folder / f"{step:08d}"
    partial = folder / f"{step:08d}{PARTIAL}"
    if final in list_checkpoints(folder):
        return final
    if rank == 0:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
    wait()
    torch.save(process_state | random_state(), partial / f"process_{rank}.pt")
    if rank == 0:
        torch.save(state, partial / "state.pt")
    wait()
    if rank == 0:
        partial.rename(final)
        for old in list_checkpoints(folder)[:-keep]:
            # Renamed first, so that a checkpoint half deleted is never taken for a whole one.
            shutil.rmtree(old.rename(old.with_name(old.name + PARTIAL)))
    wait()
    return final


def remove_partial(folder: Path) -> None:
    """Remove what a killed run left half-written in ``folder``."""
    for path in folder.glob(f"*{PARTIAL}"):
        shutil.rmtree(path)


def list_checkpoints(folder: Path) -> list[Path]:
    """Return the whole checkpoints in ``folder`` from the oldest to the newest."""
    return sorted(path for path in folder.glob("*") if path.name.isdigit() and (path / "state.pt").is_file())


def load_checkpoint(path: Path, rank: int = 0) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """Return the shared state and that of process ``rank``, None where the run had fewer processes.

    Raises:
        CheckpointError: a file is missing, truncated or not ours.
    """
    own = path / f"process_{rank}.pt"
    return _load(path / "state.pt"), _load(own) if own.is_file() else None


def random_state() -> dict[str, Any]:
    """Return the states of the random generators of Python, numpy and torch as tensors and plain values."""
    version, words, gaussian = random.getstate()
    kind, keys, position, has_gaussian, cached = np.random.get_state()
    return {
        "python": {"version": version, "words": list(words), "gaussian": gaussian},
        "numpy": {
            "kind": str(kind),
            "keys": torch.from_numpy(np.asarray(keys).astype(np.int64)),
            "position": int(position),
            "has_gaussian": int(has_gaussian),
            "cached": float(cached),
        },
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
    }


def restore_random_state(state: dict[str, Any]) -> None:
    """Put the random generators back to what :func:`random_state` gave."""
    python, numpy = state["python"], state["numpy"]
    random.setstate((python["version"], tuple(python["words"]), python["gaussian"]))
    keys = numpy["keys"].numpy().astype(np.uint32)
    np.random.set_state((numpy["kind"], keys, numpy["position"], numpy["has_gaussian"], numpy["cached"]))
    torch.set_rng_state(state["torch"])
    if torch.cuda.is_available() and len(state["cuda"]) == torch.cuda.device_count():
        torch.cuda.set_rng_state_all(state["cuda"])


def _load(path: Path) -> dict[str, Any]:
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        line = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise CheckpointError(
            f"{path} cannot be read ({line}); delete its folder to go on from an earlier one"
        ) from error
