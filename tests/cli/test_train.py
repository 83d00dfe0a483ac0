import json
import shutil

import pytest

from deixis.cli import main
from deixis.cli.train import Train, find_validation
from deixis.configuration import to_plain
from deixis.errors import RecipeError
from deixis.recipes import RECIPES
from deixis.synthetic.benchmark import records
from deixis.synthetic.write import export
from deixis.training.override import override

TINY = "mttr-tiny-synthetic"


def run(capsys, *arguments):
    """Run the command line and return its exit code and what it says."""
    with pytest.raises(SystemExit) as stopped:
        main(["train", *arguments])
    return stopped.value.code, capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "takes one recipe, by name or as a file; known: hinet-resnet101-a2d-sentences"),
        ([TINY, "more"], "takes one recipe"),
        (["mttr-tiny"], f"unknown recipe 'mttr-tiny'; did you mean {TINY}"),
        ([TINY, "--optim.lrr", "1"], "unknown recipe field 'optim.lrr'; did you mean optim.lr"),
        ([TINY, "--batchsize", "1"], "unknown option or recipe field 'batchsize'; did you mean batch_size"),
        ([TINY, "--optim.lr"], "--optim.lr needs a value"),
        ([TINY, "--optim.lr", "fast"], "optim.lr must be a finite number, got 'fast'"),
        ([TINY, "--steps=-1"], "steps and epochs must be 0 or more"),
        ([TINY, "--clip.length", "0"], "clip.length must be 1 or more, got 0"),
        ([TINY, "--schedule.kind", "cosin"], "unknown schedule.kind 'cosin'; did you mean cosine"),
        ([TINY, "--device", "tpu"], "--device must be auto or cpu, got 'tpu'"),
        ([TINY, "--model", "mttr-tiny-syntetic"], "unknown model 'mttr-tiny-syntetic'; did you mean"),
        (["missing.json"], "there is no recipe file missing.json"),
        (["mttr-a2d-w8", "--precision", "no", "--data.root", "nowhere"], "there is no folder nowhere"),
    ],
)
def test_bad_recipes_get_one_line_and_exit_code_2(capsys, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    code, said = run(capsys, *arguments)
    assert code == 2
    assert message in said
    assert said.count("\n") == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "is not JSON"),
        ("[]", "is not a recipe"),
        (json.dumps(to_plain(RECIPES[TINY]) | {"epoch": 3}), "no field 'epoch'; the closest is 'epochs'"),
        (json.dumps(to_plain(RECIPES[TINY]) | {"seed": "x"}), "seed must be"),
        (json.dumps({"name": "x"}), "the recipe cannot be read"),
    ],
)
def test_bad_recipe_files_get_one_line_and_exit_code_2(capsys, tmp_path, content, message):
    path = tmp_path / "recipe.json"
    path.write_text(content)
    code, said = run(capsys, str(path))
    assert code == 2
    assert message in said
    assert said.count("\n") == 1


def test_fields_and_options_are_read():
    command = Train.parse(
        [TINY, "--optim.lr", "1e-3", "--steps=7", "--out", "there", "--device", "cpu", "--anew", "--quiet"]
    )
    assert command.recipe is not None
    assert (command.recipe.optim.lr, command.recipe.steps) == (1e-3, 7)
    assert (str(command.out), command.device, command.is_anew, command.is_quiet) == (
        "there",
        "cpu",
        True,
        True,
    )
    assert str(Train.parse([TINY]).out) == f"runs/{TINY}"


def test_a_recipe_file_is_a_recipe(tmp_path):
    path = tmp_path / "recipe.json"
    path.write_text(json.dumps(to_plain(RECIPES[TINY])))
    assert Train.parse([str(path), "--seed", "5"]).recipe == Train.parse([TINY, "--seed", "5"]).recipe


def test_help_lists_recipes_and_fields(capsys):
    main(["train", "--help"])
    assert TINY in capsys.readouterr().out
    main(["train", TINY, "--help"])
    assert "--optim.lr " in capsys.readouterr().out


def test_validation_needs_a_held_out_split_with_truth(tmp_path):
    recipe = override(RECIPES["mttr-ref-youtube-vos-w8"], {"data.root": str(tmp_path), "validate_every": 5})
    export(records("val", 1), tmp_path, "ref-youtube-vos", "val")
    assert find_validation(override(recipe, {"validate_every": 0})) is None
    assert find_validation(override(RECIPES[TINY], {"validate_every": 5})) is not None
    assert find_validation(recipe) is not None
    shutil.rmtree(next(tmp_path.rglob("Annotations")))
    with pytest.raises(RecipeError, match="holds back the truth"):
        find_validation(recipe)
