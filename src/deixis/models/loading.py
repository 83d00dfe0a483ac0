"""From a name, and perhaps a checkpoint, to a model ready for use; and back to a folder.

A folder of ours has ``config.json`` (the family, the configuration, how tokens are padded),
``weights.safetensors`` and, where the model has one, ``tokenizer.json``.
"""

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from deixis.configuration import from_plain, to_plain
from deixis.errors import CheckpointError, SinkError, UnknownNameError
from deixis.models.base import ReferringModel
from deixis.models.registry import (
    EMBEDDED,
    FAMILIES,
    PRETRAINED,
    SHARED,
    WEIGHT_FREE,
    family_part,
    find_variant,
    is_weight_free,
    list_models,
)
from deixis.ops.atomic import write_atomically
from deixis.ops.device import find_device
from deixis.ops.hub import fetch, find_pretrained, is_hub_id
from deixis.ops.weights import fit_weights, read_weights
from deixis.text.tokenizer import Tokenizer

CONFIG, WEIGHTS, TOKENIZER = "config.json", "weights.safetensors", "tokenizer.json"
ASSETS = Path(__file__).parents[1] / "assets"

_HUB_TOKENIZERS = {
    "roberta-base": ("roberta-base", "FacebookAI/roberta-base"),
    "roberta-large": ("roberta-large", "FacebookAI/roberta-large"),
    "distilroberta-base": ("distilroberta-base", "distilbert/distilroberta-base"),
    "bert-base-uncased": ("bert-base-uncased", "google-bert/bert-base-uncased"),
}
"""Text encoder -> hub names whose local copy may hold its tokenizer."""

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ConversionReport:
    """What became of a published file.

    Attributes:
        folder: where ours is.
        family: of the model.
        num_parameters: numbers in all tensors that were used.
        used: names of the file that went into the model.
        ignored: names that hold no parameter of ours (constant buffers).
    """

    folder: Path
    family: str
    num_parameters: int
    used: tuple[str, ...]
    ignored: tuple[str, ...]


def load(
    name: str | Path,
    checkpoint: str | Path | None = None,
    *,
    device: str | torch.device = "auto",
    dtype: torch.dtype = torch.float32,
    tokenizer: str | Path | None = None,
) -> ReferringModel:
    """Load a model, ready for use: in evaluation mode, on ``device``.

    Args:
        name: a model that ships inside the package, a variant (with ``checkpoint``), or a folder of ours.
        checkpoint: weights for the variant ``name``: a published file, a ``.safetensors`` file, a folder of
            ours (of SAM 3: of ``transformers``), or ``owner/name`` on the Hugging Face hub.
        device: "auto" (a GPU where there is one), "cpu", "cuda", "cuda:1", "mps".
        dtype: of the weights.
        tokenizer: a ``tokenizer.json`` for published weights, which come without; by default the one beside
            the checkpoint, or that of the text encoder in the local cache of the Hugging Face hub.

    Raises:
        UnknownNameError: there is no such model; the closest names are offered.
        CheckpointError: weights that are missing, broken, unsafe, or of another model.
        DeviceError: a device that this machine does not have.

    Example:
        >>> model = load("hinet-tiny", device="cpu")  # doctest: +SKIP
    """
    found_device = find_device(device)
    if is_weight_free(str(name)):
        model = _build_weight_free(str(name), checkpoint)
    elif checkpoint is None and str(name) in SHARED:
        model = start(str(name), _folder_of(SHARED[str(name)]))
    elif checkpoint is None:
        model = _load_folder(_folder_of(name), None)
    else:
        model = _load_checkpoint(str(name), checkpoint)
    if tokenizer is not None:
        model.tokenizer = _read_tokenizer(Path(tokenizer), {})
    return model.to(found_device, dtype).eval()


def start(
    name: str,
    checkpoint: str | Path,
    *,
    fresh: Sequence[str] = (),
    tokenizer: str | Path | None = None,
) -> ReferringModel:
    """Build the variant ``name`` by its own configuration, with the weights of an earlier stage of training.

    Args:
        name: variant.
        checkpoint: as in :func:`load`, or a model that ships inside the package; a folder of ours gives its
            weights and tokenizer alone. One of another family gives those of its parts that the variant has,
            too; all others must be ``fresh``.
        fresh: parts of names of parameters that keep the model's own initialisation, such as heads whose
            number of classes is another.
        tokenizer: a ``tokenizer.json``; by default that of the checkpoint.

    Raises:
        UnknownNameError: there is no such variant.
        CheckpointError: weights that are missing, broken, unsafe, or of another model; a name in ``fresh``
            that the model does not have.
    """
    family, config = find_variant(name)
    model = family_part(family, "model").MODEL(config)
    wanted = model.state_dict()
    for part in fresh:
        if not any(part in parameter for parameter in wanted):
            raise CheckpointError(f"no parameter of {name} has {part!r} in its name; nothing to start afresh")
    path = _find(checkpoint)
    if path.is_dir():
        earlier = _load_folder(path, None)
        ours, unknown, model.tokenizer = earlier.state_dict(), [], earlier.tokenizer
        if _family_of(earlier) != family:
            ours = {key: value for key, value in ours.items() if key in wanted}
    else:
        ours, unknown = _read_file(path, family, wanted)
    kept = {key: value for key, value in wanted.items() if any(part in key for part in fresh)}
    rest = {key: value for key, value in ours.items() if not any(part in key for part in fresh)}
    fit_weights(model, {**rest, **kept}, str(path), unknown)
    if tokenizer is not None:
        model.tokenizer = _read_tokenizer(Path(tokenizer), {})
    elif model.tokenizer is None:
        _attach_tokenizer(model, path.parent / TOKENIZER)
    return model


def save(model: ReferringModel, folder: str | Path) -> Path:
    """Write ``model`` as a folder that :func:`load` takes; each file appears whole or not at all.

    Raises:
        SinkError: the folder cannot be written.
    """
    from safetensors.torch import save as serialise

    folder = Path(folder)
    description: dict[str, Any] = {"family": _family_of(model), "config": to_plain(model.config)}
    weights = {name: value.detach().cpu().contiguous() for name, value in model.state_dict().items()}
    files = {WEIGHTS: serialise(weights)}
    if model.tokenizer is not None:
        description["tokenizer"] = {
            "pad_token": model.tokenizer.pad_token,
            "max_tokens": model.tokenizer.max_tokens,
        }
        files[TOKENIZER] = model.tokenizer.definition.encode()
    files[CONFIG] = (json.dumps(description, indent=2) + "\n").encode()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            write_atomically(folder / name, content)
    except OSError as error:
        raise SinkError(f"cannot write the model to {folder}: {error.strerror or error}") from error
    return folder


def convert_file(
    published: str | Path, out: str | Path, name: str, *, tokenizer: str | Path | None = None
) -> ConversionReport:
    """Turn the ``published`` file of the variant ``name`` into a folder of ours.

    Args:
        published: as its authors distribute it.
        out: the folder to write.
        name: variant, such as "mttr-video-swin-t".
        tokenizer: a ``tokenizer.json`` to put in the folder, too.

    Raises:
        UnknownNameError: there is no such variant.
        CheckpointError: the file is broken, unsafe, or of another model.
        SinkError: ``out`` cannot be written.
    """
    family, config = find_variant(name)
    model = family_part(family, "model").MODEL(config)
    path = Path(published)
    tensors = read_weights(path)
    ours, unknown = family_part(family, "convert").RENAMING.to_ours(tensors)
    fit_weights(model, ours, str(path), unknown)
    _attach_tokenizer(model, Path(tokenizer) if tokenizer else path.parent / TOKENIZER)
    ignored = tuple(
        name for name in tensors if not family_part(family, "convert").RENAMING.to_ours({name: 0})[0]
    )
    used = tuple(name for name in tensors if name not in ignored)
    return ConversionReport(
        folder=save(model, out),
        family=family,
        num_parameters=sum(tensors[name].numel() for name in used),
        used=used,
        ignored=ignored,
    )


def _folder_of(name: str | Path) -> Path:
    """Return the folder that holds the weights of ``name``."""
    if (Path(name) / CONFIG).is_file():
        return Path(name)
    if str(name) in EMBEDDED:
        folder = ASSETS / str(name)
        if not (folder / CONFIG).is_file():
            raise CheckpointError(f"this installation has no weights of {name}; install the package again")
        return folder
    if str(name) in list_models():
        raise CheckpointError(
            f"{name} comes without weights; pass its published file, a folder of ours or a hub id"
        )
    if Path(name).exists():
        raise CheckpointError(f"{name} is not a model of ours: it has no {CONFIG}")
    raise UnknownNameError("model", str(name), list_models())


def _load_folder(folder: Path, family: str | None) -> ReferringModel:
    """Build the model that ``folder`` describes; ``family`` is the one that the caller asked for, if any."""
    description = _read_description(folder / CONFIG)
    found = description["family"]
    if family is not None and found != family:
        raise CheckpointError(f"{folder} holds a model of the family {found!r}, not {family!r}")
    if found not in FAMILIES:
        raise UnknownNameError("model family", str(found), FAMILIES)
    try:
        config = from_plain(family_part(found, "config").CONFIG, description["config"])
    except (TypeError, ValueError) as error:
        raise CheckpointError(f"{folder / CONFIG} does not describe a model: {error}") from error
    model = family_part(found, "model").MODEL(config)
    if found not in WEIGHT_FREE:
        fit_weights(model, read_weights(folder / WEIGHTS), str(folder / WEIGHTS), [])
    if (folder / TOKENIZER).is_file():
        model.tokenizer = _read_tokenizer(folder / TOKENIZER, description.get("tokenizer", {}))
    return model


def _build_weight_free(name: str, checkpoint: str | Path | None) -> ReferringModel:
    if checkpoint is not None:
        raise CheckpointError(f"{name} has no weights; leave the checkpoint out")
    family, config = find_variant(name)
    return family_part(family, "model").MODEL(config)


def _load_checkpoint(name: str, checkpoint: str | Path) -> ReferringModel:
    """Build the variant ``name`` with weights from elsewhere."""
    family, config = find_variant(name)
    if family in PRETRAINED and not Path(checkpoint).is_file():
        path = find_pretrained(name, family_part(family, "config").HUB_ID, checkpoint)
        if not (path / WEIGHTS).is_file():
            return family_part(family, "pretrained").load(path, config)
    path = _find(checkpoint)
    if path.is_dir():
        return _load_folder(path, family)
    model = family_part(family, "model").MODEL(config)
    ours, unknown = _read_file(path, family, model.state_dict())
    fit_weights(model, ours, str(path), unknown)
    _attach_tokenizer(model, path.parent / TOKENIZER)
    return model


def _find(checkpoint: str | Path) -> Path:
    """Return a file of weights or a folder of ours: here, inside the package, or fetched from the hub."""
    path = Path(checkpoint)
    if not path.exists() and str(checkpoint) in EMBEDDED:
        return _folder_of(checkpoint)
    if not path.exists() and is_hub_id(str(checkpoint)) and not path.suffix:
        path = fetch(str(checkpoint), [CONFIG, WEIGHTS, TOKENIZER])
    if path.is_dir() and not (path / CONFIG).is_file():
        raise CheckpointError(f"{path} is not a model of ours: it has no {CONFIG}")
    return path


def _read_file(
    path: Path, family: str, wanted: Mapping[str, Any]
) -> tuple[dict[str, torch.Tensor], list[str]]:
    """Return the tensors of a file by our names, and the names that have no place in the family."""
    tensors = read_weights(path)
    ours, unknown = family_part(family, "convert").RENAMING.to_ours(tensors)
    if len(wanted.keys() & tensors.keys()) > len(wanted.keys() & ours.keys()):
        return tensors, []  # the names are ours already
    return ours, unknown


def _attach_tokenizer(model: ReferringModel, path: Path) -> None:
    """Give the model the tokenizer at ``path``, or its text encoder's from the hub's local cache."""
    if not path.is_file():
        from huggingface_hub import try_to_load_from_cache

        encoder = getattr(model.config, "text_encoder", "")
        cached = [try_to_load_from_cache(hub_id, TOKENIZER) for hub_id in _HUB_TOKENIZERS.get(encoder, ())]
        found = [Path(entry) for entry in cached if isinstance(entry, str)]
        if not found:
            _logger.warning(
                "the weights came without a tokenizer: put the tokenizer.json of %s beside them, or name it",
                encoder,
            )
            return
        path = found[0]
    model.tokenizer = _read_tokenizer(path, {})


def _read_tokenizer(path: Path, description: Mapping[str, Any]) -> Tokenizer:
    try:
        return Tokenizer.from_file(
            path,
            pad_token=description.get("pad_token", ""),
            max_tokens=description.get("max_tokens", 512),
        )
    except (OSError, UnicodeDecodeError) as error:
        raise CheckpointError(f"the tokenizer {path} cannot be read: {error}") from error


def _read_description(path: Path) -> dict[str, Any]:
    try:
        description = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path} cannot be read: {error}") from error
    if not isinstance(description, dict) or not {"family", "config"} <= set(description):
        raise CheckpointError(f"{path} does not describe a model of ours: it needs 'family' and 'config'")
    return description


def _family_of(model: ReferringModel) -> str:
    for family in FAMILIES:
        if family_part(family, "config").CONFIG is type(model.config):
            return family
    raise TypeError(f"{type(model).__name__} is of no family in the registry")
