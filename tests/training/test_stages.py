"""A stage of training starts from the weights of the stage before."""

import json
from dataclasses import replace

import pytest
import torch
from safetensors.torch import save_file

from deixis.errors import CheckpointError
from deixis.models.loading import load, save, start
from deixis.models.mttr.model import Mttr
from deixis.models.referformer.model import ReferFormer
from deixis.models.registry import find_variant
from deixis.recipes import RECIPES
from deixis.structures import Clip
from deixis.text.words import train_tokenizer
from deixis.training.loop import train
from deixis.training.override import override

AGNOSTIC, SHAPES = "referformer-tiny-synthetic", "referformer-tiny-synthetic-shapes"


@pytest.fixture(scope="module")
def earlier(tmp_path_factory):
    torch.manual_seed(0)
    model = ReferFormer(replace(find_variant(AGNOSTIC)[1], is_text_encoder_frozen=True))
    model.tokenizer = train_tokenizer(["the red square", "a ring"])
    return model, save(model, tmp_path_factory.mktemp("stage") / "model")


def test_fresh_heads_for_other_classes_and_everything_else_as_it_was(earlier):
    model, folder = earlier
    later = start(SHAPES, folder, fresh=("class_heads",))
    assert later.config == find_variant(SHAPES)[1]  # its own, not the stage before's
    assert later.tokenizer.definition == model.tokenizer.definition
    before = model.state_dict()
    for name, value in later.state_dict().items():
        if "class_heads" in name:
            assert value.shape[0] == 12
        else:
            torch.testing.assert_close(value, before[name], rtol=0, atol=0)
    with pytest.raises(CheckpointError, match="wrong shapes"):
        start(SHAPES, folder)


def test_heads_are_fresh_even_where_their_number_agrees(earlier):
    model, folder = earlier
    names = [name for name in model.state_dict() if "class_heads" in name and name.endswith("weight")]
    later = start(AGNOSTIC, folder, fresh=("class_heads",)).state_dict()
    kept = start(AGNOSTIC, folder).state_dict()
    assert names
    for name in names:
        assert not torch.equal(later[name], model.state_dict()[name])
        assert torch.equal(kept[name], model.state_dict()[name])


def test_a_file_of_weights_starts_a_stage_too(earlier, tmp_path):
    model, _ = earlier
    path = tmp_path / "weights.safetensors"
    save_file({name: value.contiguous() for name, value in model.state_dict().items()}, path)
    (tmp_path / "tokenizer.json").write_text(model.tokenizer.definition)
    later = start(SHAPES, path, fresh=("class_heads",))
    assert torch.equal(next(later.backbone.parameters()), next(model.backbone.parameters()))
    assert later.tokenizer.definition == model.tokenizer.definition


def test_towers_of_another_family(tmp_path):
    torch.manual_seed(0)
    mttr = Mttr(find_variant("mttr-tiny-synthetic")[1])
    mttr.tokenizer = train_tokenizer(["the red square", "a ring"])
    folder = save(mttr, tmp_path / "model")
    later = start(AGNOSTIC, folder, fresh=RECIPES[AGNOSTIC].init_fresh)
    assert later.tokenizer.definition == mttr.tokenizer.definition
    before, after = mttr.state_dict(), later.state_dict()
    taken = [name for name in after if name in before and torch.equal(before[name], after[name])]
    towers = ("backbone.", "text_encoder.", "text_projection.", "video_projection.")
    assert {name for name in after if name.startswith(towers)} <= set(taken)
    clip = Clip(torch.randn(1, 2, 3, 32, 48), torch.zeros(1, 2, 32, 48, dtype=torch.bool))
    with torch.no_grad():  # so a sentence denotes the same
        ours, theirs = (model.eval().encode_video(clip).placed_map for model in (later, mttr))
        torch.testing.assert_close(ours, theirs)
    with pytest.raises(CheckpointError, match="missing"):
        start(AGNOSTIC, folder)


def test_towers_of_a_model_that_ships_inside_the_package():
    recipe = RECIPES["uniref-tiny-synthetic"]
    shipped = load(recipe.init_from, device="cpu").state_dict()
    later = start(recipe.model, recipe.init_from, fresh=recipe.init_fresh).state_dict()
    towers = [name for name in later if name.startswith(("backbone.", "text_encoder."))]
    assert towers
    assert all(torch.equal(later[name], shipped[name]) for name in towers)


def test_a_name_that_no_parameter_has_is_refused(earlier):
    with pytest.raises(CheckpointError, match=r"no parameter of .* has 'class_embed'"):
        start(SHAPES, earlier[1], fresh=("class_embed",))


def test_class_discriminative_heads_train_on_the_shapes(earlier, tmp_path):
    recipe = override(
        RECIPES[SHAPES],
        {
            "data.num_clips": 2,
            "init_from": str(earlier[1]),
            "init_fresh": "class_heads",
            "clip.length": 2,
            "clip.predicted_frames": 1,
            "clip.expressions_per_clip": 2,
            "batch_size": 2,
            "steps": 2,
            "time_limit": 0,
            "log_every": 1,
            "precision": "no",
            "num_workers": 0,
        },
    )
    out = tmp_path / "run"
    folder = train(recipe, out, device="cpu", show_progress=False)
    lines = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    assert all(line["terms"]["loss_ce"] > 0 for line in lines if "loss" in line)
    assert load(folder, device="cpu").config.num_classes == 12
