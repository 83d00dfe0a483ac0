import json
from dataclasses import replace
from importlib import resources
from pathlib import Path

import pytest
import torch

from deixis.errors import RecipeError
from deixis.recipes import RECIPES
from deixis.recipes.mttr import TINY_SYNTHETIC_LOOKS
from deixis.structures import Tokens
from deixis.training.build import build_model
from deixis.training.concepts import ConceptDataset, check_concepts, concept_batches, concept_loss
from deixis.training.loop import train
from deixis.training.sources import open_sources


def tokenize(texts: list[str]) -> Tokens:
    ids = torch.tensor([[len(text)] for text in texts])
    return Tokens(ids, torch.zeros_like(ids, dtype=torch.bool))


def small(**changes: object):
    rule = replace(TINY_SYNTHETIC_LOOKS.clip, length=3, predicted_frames=2)
    settings = {"clip": rule, "concepts": 6, "batch_size": 4, "num_workers": 0} | changes
    return replace(TINY_SYNTHETIC_LOOKS, **settings)  # type: ignore[arg-type]


def test_a_batch_follows_from_its_number() -> None:
    first, second = (ConceptDataset(small(), 2, tokenize)[5] for _ in range(2))
    assert torch.equal(first.frames, second.frames)
    assert torch.equal(first.truths, second.truths)
    assert first.frames.shape == (2, 3, 128, 192, 3)
    assert [masks.shape[1] for masks in first.masks] == [2, 2]
    assert first.truths.shape == (6, sum(len(masks) for masks in first.masks))
    assert not torch.equal(first.frames, ConceptDataset(small(), 2, tokenize)[6].frames)


def test_processes_and_resumed_runs_share_the_batches() -> None:
    recipe = small()
    alone = concept_batches(recipe, tokenize)
    skipped = concept_batches(recipe, tokenize, step=1)
    next(alone)
    assert torch.equal(next(alone).frames, next(skipped).frames)
    ranks = [next(concept_batches(recipe, tokenize, rank=rank, num_processes=2)).frames for rank in (0, 1)]
    assert [len(frames) for frames in ranks] == [2, 2]
    assert not torch.equal(*ranks)


def test_borderline_pairs_and_tokens_without_weight_carry_no_loss() -> None:
    logits = torch.tensor([[2.0, -1.0, 0.5], [0.3, -2.0, 4.0]], requires_grad=True)
    truths = torch.tensor([[1, -1, 0], [0, 1, 1]], dtype=torch.int8)
    weights = torch.tensor([0.5, 1.0, 0.0])
    concept_loss(logits, truths, weights).backward()
    assert logits.grad is not None
    assert (logits.grad != 0).tolist() == [[True, False, False], [True, True, False]]
    first = 0.5 * (4 * torch.log1p(torch.exp(-logits[0, 0])) + torch.log1p(torch.exp(logits[1, 0])))
    wanted = (first + 4 * torch.log1p(torch.exp(-logits[1, 1]))) / (0.5 + 0.5 + 1)
    assert torch.isclose(concept_loss(logits, truths, weights), wanted)


@pytest.mark.parametrize("kinds", [(), ("relation",)])
def test_kinds_that_phrases_cannot_speak_of_are_refused(kinds: tuple[str, ...]) -> None:
    recipe = small()
    with pytest.raises(RecipeError, match=r"clip\.kinds"):
        check_concepts(replace(recipe, clip=replace(recipe.clip, kinds=kinds)))


def test_only_the_rendered_world_has_concepts() -> None:
    recipe = small()
    other = replace(recipe, data=RECIPES["mttr-a2d-w8"].data)
    with pytest.raises(RecipeError, match="synthetic"):
        check_concepts(other)


def test_a_training_on_concepts_moves_the_towers_alone(tmp_path: Path) -> None:
    tokenizer = resources.files("deixis") / "assets" / "mttr-tiny-synthetic" / "tokenizer.json"
    recipe = small(
        tokenizer=str(tokenizer),
        concepts=24,
        batch_size=2,
        steps=2,
        time_limit=0.0,
        log_every=1,
        precision="no",
        ema=0.0,
    )
    model = build_model(recipe, open_sources(recipe), None)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    train(recipe, tmp_path / "run", model=model, device="cpu", show_progress=False)
    moved = {
        name.split(".")[0] for name, value in model.state_dict().items() if not value.equal(before[name])
    }
    assert moved == {"backbone", "video_projection", "text_encoder", "text_projection"}
    lines = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    assert [line["terms"].keys() == {"loss_concepts"} for line in lines if "loss" in line] == [True, True]
