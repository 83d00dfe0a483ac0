"""``deixis train RECIPE [--field value ...]``: train a recipe, or go on with a run."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deixis.configuration import to_plain
from deixis.errors import DeixisError, RecipeError, UnknownNameError
from deixis.recipes import RECIPES, find_recipe
from deixis.training.override import field_names, override
from deixis.training.recipe import Recipe, recipe_from_plain

if TYPE_CHECKING:
    from collections.abc import Callable

    from deixis.models.base import ReferringModel

OPTIONS = {
    "out": "folder of the run (default: runs/RECIPE); where it has a checkpoint, the run goes on from there",
    "device": "auto (a GPU where there is one) or cpu",
    "anew": "start anew: drop the run in the folder",
    "quiet": "no progress bar",
}
SWITCHES = ("anew", "quiet")


class UsageError(DeixisError):
    """Arguments that the command does not have."""


@dataclass(frozen=True)
class Train:
    """Train a recipe, or go on with a run.

    Attributes:
        recipe: with the changes of the command line; None: only the help was asked for.
        out: folder of the run.
        device: "auto" or "cpu".
        is_anew: drop the run in the folder.
        is_quiet: no progress bar.
        help: text to print instead of training.
    """

    recipe: Recipe | None
    out: Path = field(default_factory=Path)
    device: str = "auto"
    is_anew: bool = False
    is_quiet: bool = False
    help: str = ""

    @classmethod
    def parse(cls, arguments: Sequence[str], program: str = "deixis train") -> "Train":
        """Read the command line.

        Raises:
            UsageError: no recipe, or an option without value.
            UnknownNameError: an unknown recipe; the closest names are offered.
            RecipeError: an unknown field, or an impossible value.
        """
        words, options = split_options(arguments)
        if "help" in options:
            recipe = read_recipe(words[0]) if words else None
            return cls(None, help=help_text(program, recipe))
        if len(words) != 1:
            given = f"got {' '.join(words)}" if words else f"known: {', '.join(sorted(RECIPES))}"
            raise UsageError(f"{program} takes one recipe, by name or as a file; {given}")
        base = read_recipe(words[0])
        changes = {name: value for name, value in options.items() if name not in OPTIONS}
        unknown = [name for name in changes if name.split(".")[0].replace("-", "_") not in to_plain(base)]
        if unknown:
            known = [*OPTIONS, *field_names()]
            raise RecipeError(str(UnknownNameError("option or recipe field", unknown[0], known)))
        recipe = override(base, changes)
        device = options.get("device", "auto")
        if device not in ("auto", "cpu"):
            raise UsageError(f"--device must be auto or cpu, got {device!r}")
        out = Path(options.get("out", f"runs/{recipe.name}"))
        return cls(recipe, out, device, "anew" in options, "quiet" in options)

    def run(self) -> None:
        """Train, and say where the result is."""
        if self.recipe is None:
            print(self.help)
            return
        from deixis.errors import require

        require("accelerate", "train")
        from deixis.training.folder import MODEL
        from deixis.training.loop import train

        result = train(
            self.recipe,
            self.out,
            resume=not self.is_anew,
            validate=find_validation(self.recipe),
            device="cpu" if self.device == "cpu" else "auto",
            show_progress=not self.is_quiet,
        )
        if result.name == MODEL:
            print(f"trained: {result}")
        else:
            print(f"stopped: {result}\nThe same command goes on from there.")


def find_validation(recipe: Recipe) -> "Callable[[ReferringModel], dict[str, float]] | None":
    """Return what measures the model on held-out clips of the recipe's first data source.

    Raises:
        RecipeError: the truth of the held-out split is not public.
    """
    if not recipe.validate_every:
        return None
    from deixis.evaluation.segmenting import validate
    from deixis.evaluation.synthetic import find_records

    source = recipe.data[0]
    if source.name.startswith("synthetic"):
        rendered = find_records("val", recipe.validate_clips, source.name)
        return lambda model: validate(model, rendered)
    from deixis.data.catalog import load_records

    records = load_records(source.name, source.root)[: recipe.validate_clips]
    if any(record.masks is None for record in records):
        raise RecipeError(
            f"{source.name} holds back the truth of its held-out split; set validate_every to 0"
        )
    return lambda model: validate(model, records)


def read_recipe(name: str) -> Recipe:
    """Return the recipe of a name, or of a ``recipe.json``.

    Raises:
        UnknownNameError: there is none of that name; the closest are offered.
        RecipeError: the file is missing or not a recipe.
    """
    if not name.endswith(".json"):
        return find_recipe(name)
    try:
        plain = json.loads(Path(name).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise RecipeError(f"there is no recipe file {name}") from error
    except ValueError as error:
        raise RecipeError(f"{name} is not JSON: {error}") from error
    if not isinstance(plain, dict):
        raise RecipeError(f"{name} is not a recipe: it must hold one JSON object")
    return recipe_from_plain(plain)


def split_options(arguments: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """Split a command line into plain words and ``--name value`` or ``--name=value``.

    Raises:
        UsageError: an option without value.
    """
    words: list[str] = []
    options: dict[str, str] = {}
    rest = list(arguments)
    while rest:
        argument = rest.pop(0)
        if argument in ("-h", "--help"):
            options["help"] = ""
        elif argument.startswith("--"):
            name, has_value, value = argument[2:].partition("=")
            if name in SWITCHES and not has_value:
                options[name] = ""
            elif has_value:
                options[name] = value
            elif rest and not rest[0].startswith("--"):
                options[name] = rest.pop(0)
            else:
                raise UsageError(f"--{name} needs a value: --{name} VALUE")
        else:
            words.append(argument)
    return words, options


def help_text(program: str, recipe: Recipe | None) -> str:
    """Describe the command: the recipes, or the fields of one with their values."""
    lines = [
        f"usage: {program} RECIPE [--field value ...]",
        "",
        "Train a recipe, or go on with a run.",
        "",
        "options:",
    ]
    lines += [f"  --{name:<10} {text}" for name, text in OPTIONS.items()]
    if recipe is None:
        lines += ["", "recipes:", *(f"  {name}" for name in RECIPES)]
        lines += ["", f"The fields of a recipe: {program} RECIPE --help"]
        return "\n".join(lines)
    plain = to_plain(recipe)
    lines += ["", f"fields of {recipe.name}:"]
    lines += [f"  --{name:<32} {_value(plain, name)}" for name in field_names()]
    lines += ["", "Items of a tuple are separated by commas; rates of groups: --optim.groups.backbone 1e-5;"]
    lines += ["the sources of a mix: --data.0.root, --data.1.root."]
    return "\n".join(lines)


def _value(plain: dict[str, Any], name: str) -> str:
    value: Any = plain
    for part in name.split("."):
        value = value[0][part] if isinstance(value, list) else value[part]
    return json.dumps(value)
