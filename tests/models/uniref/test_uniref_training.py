"""What UniRef learns from, beyond the goldens of its losses."""

from dataclasses import replace

import pytest
import torch
from test_uniref_model import HEIGHT, WIDTH, tokens

from deixis.models.uniref.config import UniRefConfig
from deixis.models.uniref.criterion import MaskTeaching, losses, truths_of
from deixis.models.uniref.model import UniRef
from deixis.structures import Batch, Clip, Target
from tiny_uniref import TINY, shaken


def batch(references: str, t: int = 2, hidden: bool = False) -> Batch:
    frames = torch.randn(2, t, 3, HEIGHT, WIDTH, generator=torch.Generator().manual_seed(0))
    clip = Clip(frames, torch.zeros(2, t, HEIGHT, WIDTH, dtype=torch.bool))
    masks = torch.zeros(2, t, HEIGHT, WIDTH, dtype=torch.bool)
    masks[0, :, 8:40, 8:48] = True
    masks[1, :, 30:60, 50:90] = True
    if hidden:
        masks[:, 0] = False
    targets = (Target(masks, (0,)), Target(masks, (1,)), Target(masks, (0, 1)))
    return Batch(clip, tokens(3), torch.tensor([0, 1, 1]), targets, references)


def gradients(model: UniRef, *batches: Batch) -> set[str]:
    model.zero_grad()
    for one in batches:
        sum(model.batch_losses(one).values()).backward()
    return {name for name, p in model.named_parameters() if p.grad is not None and p.grad.any()}


@pytest.mark.parametrize(
    "config", [TINY, replace(TINY, fusion="multiply"), replace(TINY, order="mask-first")]
)
def test_gradients_reach_every_parameter(config: UniRefConfig):
    model = shaken(config).train()
    everything = {name for name, _ in model.named_parameters()}
    assert gradients(model, batch("both")) == everything
    found = gradients(model, batch("words"))
    assert found == {name for name in everything if not name.startswith("mask_encoder")}
    found = gradients(model, batch("masks"))
    assert found == {name for name in everything if not name.startswith("text_")}


def test_a_frozen_text_encoder_gets_no_gradient():
    model = shaken(replace(TINY, is_text_encoder_frozen=True)).train()
    assert not any(name.startswith("text_encoder") for name in gradients(model, batch("words")))


def test_the_first_frame_is_looked_at_only_where_its_masks_are_shown():
    model = shaken()
    one, other = batch("words"), batch("words")
    other.clip.frames[:, 0] = 0
    for references, is_same in (("words", True), ("both", False)):
        totals = [
            sum(model.batch_losses(replace(some, references=references)).values()) for some in (one, other)
        ]
        assert torch.equal(*totals) == is_same


def test_an_object_that_the_first_frame_hides_is_left_out():
    model = shaken()
    shown, hidden = batch("masks"), batch("masks", hidden=True)
    names = set(model.batch_losses(shown))
    losses = model.batch_losses(hidden)
    assert set(losses) == names  # all processes have to log the same
    assert all(loss == 0 for loss in losses.values())
    sum(losses.values()).backward()


def test_without_references_every_object_is_an_answer():
    one = batch("none", t=1)
    sizes = torch.tensor([[WIDTH, HEIGHT]]).float()
    assert [len(truth.boxes) for truth in truths_of(one.targets[2:], sizes, is_each=True)] == [2]
    assert [len(truth.boxes) for truth in truths_of(one.targets[2:], sizes)] == [1]
    model = shaken().train()
    both = replace(one, targets=one.targets[1:], video_index=torch.arange(2), tokens=one.tokens[:2])
    found = gradients(model, both)
    assert not any(name.startswith(("text_", "mask_encoder", "fusion")) for name in found)


def test_masks_without_words_are_learned_at_full_size():
    model = shaken()
    fine, coarse = (model.batch_losses(batch(name))["loss_mask"] for name in ("masks", "both"))
    assert fine != coarse
    assert fine > 0 and coarse > 0


def test_examples_in_images_are_learned_at_the_size_of_other_images():
    """UniRef++, code: few-shot segmentation belongs to the stage on images."""
    images = shaken(replace(TINY, has_region_losses=False))
    one = batch("masks")
    output = images(
        images.encode_video(Clip(one.clip.frames[:, 1:], one.clip.padding_mask[:, 1:])),
        None,
        one.video_index,
        images.encode_masks(
            images.encode_video(Clip(one.clip.frames[[0, 1, 1], :1], one.clip.padding_mask[[0, 1, 1], :1])),
            torch.stack([target.masks[list(target.referents), 0].any(dim=0) for target in one.targets]),
        ),
    )
    truths = truths_of(one.targets, output.frame_sizes, frames=(1,))
    expected = losses(output, truths, MaskTeaching(is_fine=False, has_regions=False))["loss_mask"]
    torch.testing.assert_close(images.batch_losses(one)["loss_mask"], 2 * expected)
    fine = losses(output, truths, MaskTeaching(is_fine=True, has_regions=False))["loss_mask"]
    assert fine != expected


def test_boxes_teach_masks_and_one_of_their_losses_grows():
    model = shaken(replace(TINY, is_taught_by_boxes=True, has_region_losses=False, pairwise_warmup=0.5))
    terms = {}
    for progress in (0.0, 0.25, 0.5, 1.0):
        model.set_progress(progress)
        terms[progress] = model.batch_losses(batch("words", t=1))
    assert "loss_mask" not in terms[0.0] and "loss_dice" not in terms[0.0]
    assert terms[0.0]["loss_prj"] == terms[1.0]["loss_prj"] > 0
    assert terms[0.0]["loss_pairwise"] == 0
    torch.testing.assert_close(2 * terms[0.25]["loss_pairwise"], terms[1.0]["loss_pairwise"])
    assert terms[0.5]["loss_pairwise"] == terms[1.0]["loss_pairwise"] > 0


def test_an_image_without_an_answer_lowers_scores_beside_one_with():
    model = shaken()
    one = batch("words", t=1)
    none = replace(one, targets=tuple(replace(target, referents=()) for target in one.targets))
    assert all(loss == 0 for loss in model.batch_losses(none).values())
    some = replace(one, targets=(one.targets[0], *none.targets[1:]))
    alone = replace(one, targets=one.targets[:1], tokens=one.tokens[:1], video_index=one.video_index[:1])
    assert model.batch_losses(some)["loss_ce"] > model.batch_losses(alone)["loss_ce"]


def test_the_loss_falls():
    torch.manual_seed(0)
    model = UniRef(replace(TINY, num_queries=4)).train()
    optimizer = torch.optim.AdamW(model.parameters(), 2e-3)
    totals = []
    for step in range(12):
        total = sum(model.batch_losses(batch(("words", "masks", "both")[step % 3])).values())
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
        totals.append(float(total.detach()))
    assert sum(totals[-3:]) < 0.6 * sum(totals[:3])
