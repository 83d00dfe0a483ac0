import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from deixis.errors import RecipeError
from deixis.propagators import build
from deixis.propagators.base import ObjectMasks
from deixis.propagators.stcn.config import TINY
from deixis.propagators.stcn.criterion import clip_loss, follow, hard_pixel_loss
from deixis.propagators.stcn.network import StcnNetwork
from deixis.recipes import RECIPES
from deixis.structures import Batch, Clip, Target, Tokens
from deixis.training.following import TrainedPropagator, build_propagator, stack_objects
from deixis.training.loop import train
from deixis.training.override import override
from deixis.training.recipe import HardPixels, Recipe


def small(**changes: object) -> Recipe:
    plain = {"data.0.num_clips": 2, "data.1.num_clips": 2, "batch_size": 2, "run_length": 1, "steps": 2,
             "time_limit": 0, "log_every": 1, "num_workers": 0, "transforms.short_side": 48,
             "transforms.long_side": 86}  # fmt: skip
    return override(RECIPES["stcn-tiny-synthetic"], {**plain, **changes})


def squares(t: int = 3) -> torch.Tensor:
    masks = torch.zeros(2, t, 32, 48, dtype=torch.bool)
    masks[0, :, 4:12, 4:16] = True
    masks[1, :, 20:28, 30:40] = True
    return masks


def test_a_recipe_trains_to_a_propagator_and_goes_on_where_it_stopped(tmp_path: Path):
    whole = train(small(), tmp_path / "whole", device="cpu", show_progress=False)
    lines = [json.loads(line) for line in (tmp_path / "whole" / "log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [1, 2]
    assert all(line["terms"]["loss_pixels"] > 0 for line in lines)
    propagator = build("stcn-tiny-synthetic", whole)
    frame = torch.randint(0, 256, (3, 48, 64), generator=torch.Generator().manual_seed(0)).byte()
    mask = torch.zeros(1, 48, 64, dtype=torch.bool)
    mask[0, 8:40, 8:40] = True
    found, state = propagator.step(frame, propagator.start(), ObjectMasks((3,), mask))
    assert found.probabilities.shape == (1, 48, 64) and state.bank.frame_cells == 30 * 40


def test_clips_of_a_batch_do_not_mix():
    torch.manual_seed(0)
    network = StcnNetwork(replace(TINY, has_frozen_norms=True)).train()
    assert not network.key_encoder.bn1.training
    frames = torch.randn(2, 3, 3, 32, 48)
    masks = torch.stack((squares()[:, 0], squares()[:, 0].flip(-1))).float()
    torch.nn.init.normal_(network.decoder.score.weight)
    is_there = torch.tensor([[True, True], [True, False]])
    both = follow(network, frames, masks, is_there)
    for clip in range(2):
        one = follow(network, frames[clip, None], masks[clip, None], is_there[clip, None])
        torch.testing.assert_close(both[clip, None], one, atol=1e-4, rtol=1e-3)
    alone = follow(network, frames[1:], masks[1:, :1], is_there[1:, :1])
    assert alone.shape[2] == 2
    changed = masks.clone()
    changed[1, 1] = 0  # what is not there need not have a mask
    assert follow(network, frames, changed, is_there)[1, :, 2].amax() < -16


def test_the_loss_is_that_of_each_clip_by_itself():
    logits = torch.randn(2, 2, 3, 4, 5, generator=torch.Generator().manual_seed(0))
    labels = torch.randint(0, 2, (2, 2, 4, 5), generator=torch.Generator().manual_seed(1))
    labels[0, 0, 0] = 255
    terms = clip_loss(logits, labels, (2, 1), 0.5)
    first, second = (
        hard_pixel_loss(logits[0], labels[0], 0.5),
        hard_pixel_loss(logits[1, :, :2], labels[1], 0.5),
    )
    assert torch.allclose(terms, (first + second) / 2)


def test_objects_that_are_not_in_the_first_frame_are_not_followed():
    masks = squares()
    masks[0, 0] = False
    found, is_there = stack_objects([Target(masks, (0,)), Target(squares(), (0,))])
    assert is_there.tolist() == [[True, False], [True, True]]
    assert torch.equal(found[0, :, 0], masks[1]) and found.shape == (2, 3, 2, 32, 48)
    nothing, is_there = stack_objects([Target(masks[:1], (0,))])
    assert is_there.tolist() == [[False]] and not nothing.any()


def test_every_parameter_learns_and_padding_does_not_count():
    torch.manual_seed(0)
    propagator = TrainedPropagator(StcnNetwork(TINY), HardPixels(start=0.2, end=0.6, share=0.1)).train()
    with torch.no_grad():
        torch.nn.init.normal_(propagator.network.decoder.score.weight, std=0.1)
    padding = torch.zeros(1, 3, 30, 46, dtype=torch.bool)
    frames = torch.randn(1, 3, 3, 30, 46)
    target = Target(squares()[:, :, :30, :46], (0,))
    tokens = Tokens(torch.zeros(2, 1, dtype=torch.int64), torch.zeros(2, 1, dtype=torch.bool))
    batch = Batch(Clip(frames, padding), tokens, torch.zeros(2, dtype=torch.int64), (target, target))
    propagator(batch)["loss_pixels"].backward()
    without = [name for name, one in propagator.named_parameters() if one.grad is None or not one.grad.any()]
    assert not [name for name in without if not name.endswith("conv1.bias") and "shortcut.bias" not in name
                and not name.endswith("conv2.bias")]  # fmt: skip  # a norm takes off what they add
    nowhere = replace(batch, clip=Clip(frames, ~padding))
    assert propagator(nowhere)["loss_pixels"].item() == 0
    for progress, share in ((0.1, 1.0), (0.4, 0.55), (0.9, 0.1)):
        propagator.set_progress(progress)
        assert propagator.share == pytest.approx(share)


def test_a_propagator_has_no_words_and_no_validation():
    with pytest.raises(RecipeError, match="has_words must be false"):
        build_propagator(small(**{"clip.has_words": True, "clip.objects_per_clip": 1}))
    with pytest.raises(RecipeError, match="validate_every"):
        build_propagator(small(validate_every=5))
