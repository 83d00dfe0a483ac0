"""``deixis models``: name, describe and convert models."""

from dataclasses import dataclass
from pathlib import Path

import tyro


@dataclass(frozen=True, kw_only=True)
class List:
    """Name the models: those that ship with the package, and published variants that take a checkpoint."""

    def run(self) -> None:
        """Print one line a model."""
        from deixis.models.registry import (
            DEFAULT,
            EMBEDDED,
            SHARED,
            find_variant,
            is_weight_free,
            list_models,
        )

        names = list_models()
        width = max(map(len, names))
        for name in names:
            family, config = find_variant(name)
            weights = "ships with the package" if name in (*EMBEDDED, *SHARED) else "needs --checkpoint"
            weights = "has no weights" if is_weight_free(name) else weights
            inputs = config.inputs
            size = "any size" if inputs.resize == "none" else f"short side {inputs.short_side}"
            note = ", the default" if name == DEFAULT else ""
            print(f"{name:<{width}}  {family}, {size}, {weights}{note}")


@dataclass(frozen=True, kw_only=True)
class Show:
    """Describe a model: its configuration, and the parameters of its parts."""

    name: tyro.conf.Positional[str]
    """Name, as `deixis models list` gives it, or a folder that `deixis models convert` wrote."""
    checkpoint: str | None = None
    """Weights to load and to give the hash of."""

    def run(self) -> None:
        """Print the configuration, the parts and, where there are weights, their hash.

        Raises:
            UnknownNameError: there is no such model.
        """
        import json

        from deixis.configuration import to_plain
        from deixis.inference.record import weights_hash
        from deixis.models.loading import load
        from deixis.models.registry import EMBEDDED, family_part, find_variant, is_weight_free

        has_weights = self.checkpoint is not None or self.name in EMBEDDED or Path(self.name).is_dir()
        if has_weights:
            model = load(self.name, self.checkpoint, device="cpu")
        else:
            family, config = find_variant(self.name)
            model = family_part(family, "model").MODEL(config)
        print(json.dumps(to_plain(model.config), indent=2))
        print("\nparameters")
        total = 0
        for part, module in model.named_children():
            count = sum(parameter.numel() for parameter in module.parameters())
            total += count
            print(f"  {part:<20} {count:>13,}")
        print(f"  {'all':<20} {total:>13,}")
        absent = "none, and needs none" if is_weight_free(self.name) else "none: needs --checkpoint"
        print(f"\nweights  {'sha256 ' + weights_hash(model) if has_weights else absent}")


@dataclass(frozen=True, kw_only=True)
class Convert:
    """Turn a published checkpoint into a folder of ours: config.json, weights.safetensors, tokenizer.json."""

    published: tyro.conf.Positional[Path]
    """File as its authors distribute it."""
    out: tyro.conf.Positional[Path]
    """Folder to write."""
    model: str
    """Variant that the file is of, such as mttr-video-swin-t."""
    tokenizer: Path | None = None
    """tokenizer.json to put in the folder; by default the one beside the file."""

    def run(self) -> None:
        """Convert and report what became of every parameter.

        Raises:
            UnknownNameError: there is no such variant.
            CheckpointError: the file is broken, unsafe, or of another model.
            SinkError: the folder cannot be written.
        """
        from deixis.models.loading import convert_file

        report = convert_file(self.published, self.out, self.model, tokenizer=self.tokenizer)
        print(f"{report.folder}: {len(report.used)} tensors, {report.num_parameters:,} numbers")
        if report.ignored:
            shown = ", ".join(report.ignored[:5]) + (", ..." if len(report.ignored) > 5 else "")
            print(f"left out, constants: {len(report.ignored)} ({shown})")
