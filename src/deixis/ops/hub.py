"""Weights of others that the Hugging Face hub has: fetched when somebody names them, never otherwise."""

import json
import re
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from deixis.errors import CheckpointError

CONFIG = "config.json"
_PRETRAINED = ("*.json", "*.txt", "*.safetensors")


def is_hub_id(text: str) -> bool:
    """Tell whether ``text`` has the form ``owner/name``."""
    return re.fullmatch(r"[\w.-]+/[\w.-]+", text) is not None


def fetch(hub_id: str, patterns: Sequence[str]) -> Path:
    """Return the local copy of a repository's files, downloaded where they are not here or are out of date.

    Args:
        hub_id: ``owner/name``.
        patterns: of the files that are wanted.

    Raises:
        CheckpointError: there is no such repository, it may not be read, or the hub cannot be reached.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    try:
        return Path(snapshot_download(hub_id, allow_patterns=list(patterns)))
    except (HfHubHTTPError, HFValidationError, OSError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise CheckpointError(
            f"there is no file {hub_id}, and it cannot be fetched from the hub ({reason[:160]})"
        ) from error


def find_pretrained(name: str, hub_id: str, checkpoint: str | Path | None) -> Path:
    """Return the folder of weights that ``checkpoint`` means.

    Args:
        name: of the model that wants them.
        hub_id: under which its authors publish them.
        checkpoint: a folder, or an id on the hub, which is fetched. None: the local copy of ``hub_id``,
            without asking the network.

    Raises:
        CheckpointError: there is no such folder, or the hub cannot be reached.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    if checkpoint is None:
        try:
            return Path(snapshot_download(hub_id, allow_patterns=list(_PRETRAINED), local_files_only=True))
        except LocalEntryNotFoundError as error:
            raise CheckpointError(
                f"the weights of {name} are not on this machine; "
                f"give {hub_id} as its checkpoint to fetch them from the hub, or a folder that has them"
            ) from error
    folder = Path(checkpoint)
    if not folder.exists() and is_hub_id(str(checkpoint)):
        folder = fetch(str(checkpoint), _PRETRAINED)
    if not (folder / CONFIG).is_file():
        raise CheckpointError(f"{folder} is no folder of weights of {name}: it has no {CONFIG}")
    return folder


def load_pretrained(folder: Path, network: str, model_types: Sequence[str]) -> Any:
    """Build a network of ``transformers`` from a folder, every weight of it filled.

    Args:
        folder: as ``save_pretrained`` writes it: ``config.json``, and weights in safetensors.
        network: name of its class.
        model_types: what ``config.json`` may say it is.

    Raises:
        CheckpointError: weights that are missing, broken or of another network, or a package that it needs.
    """
    import transformers

    try:
        found = json.loads((folder / CONFIG).read_text(encoding="utf-8")).get("model_type")
    except (OSError, ValueError, AttributeError) as error:
        raise CheckpointError(f"{folder / CONFIG} cannot be read: {error}") from error
    if found not in model_types:
        raise CheckpointError(f"{folder} holds a model of the type {found!r}, not {' or '.join(model_types)}")
    with _failures_said(folder):
        model, report = getattr(transformers, network).from_pretrained(
            folder, use_safetensors=True, local_files_only=True, output_loading_info=True
        )
    missing = sorted(report["missing_keys"])
    if missing:
        raise CheckpointError(f"{folder} lacks {len(missing)} weights, such as {missing[0]}")
    return model


def load_processor(folder: Path, processor: str) -> Any:
    """Build a processor of ``transformers`` from a folder.

    Args:
        folder: as ``save_pretrained`` writes it.
        processor: name of its class.

    Raises:
        CheckpointError: files that are missing or broken, or a package that it needs.
    """
    import transformers

    with _failures_said(folder):
        return getattr(transformers, processor).from_pretrained(folder, local_files_only=True)


@contextmanager
def _failures_said(folder: Path) -> Generator[None]:
    """Turn what loading from ``folder`` may raise into one line."""
    from safetensors import SafetensorError

    try:
        yield
    except ImportError as error:
        raise CheckpointError(f"{folder} needs a package that is not installed: {_first(error)}") from error
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        raise CheckpointError(f"{folder} cannot be loaded: {_first(error)}") from error


def _first(error: Exception) -> str:
    """Return the first line of a message that says something."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0][:200] if lines else type(error).__name__
