from dataclasses import replace

import pytest
import torch

from deixis.models.referformer.config import ReferFormerConfig
from deixis.models.referformer.criterion import (
    LayerPrediction,
    losses,
    match,
    referents_of,
    weighted_losses,
)
from deixis.structures import Target

CONFIG = ReferFormerConfig()
T, Q, H, W = 3, 4, 4, 6  # masks at stride 4


def prediction(e: int = 1, classes: int = 1, seed: int = 0) -> LayerPrediction:
    generator = torch.Generator().manual_seed(seed)
    masks = torch.randn(e, T, Q, H, W, generator=generator)
    boxes = torch.rand(e, T, Q, 4, generator=generator) * 0.5 + 0.2
    logits = torch.randn(e, T, Q, classes, generator=generator)

    def choose(queries):
        if queries is None:
            return masks
        rows = torch.arange(e)[:, None]
        return masks.transpose(1, 2)[rows, queries].transpose(1, 2)

    return LayerPrediction(logits, boxes, choose)


def target(referents=(0,), **more) -> Target:
    masks = torch.zeros(2, T, 4 * H, 4 * W, dtype=torch.bool)
    masks[0, :2, 4:12, 8:16] = True  # leaves before the last frame
    masks[1, :, :6, :6] = True
    return Target(masks, referents, **more)


def referents(*targets: Target, lengths=None, config=CONFIG):
    sizes = torch.tensor([[4.0 * W, 4.0 * H]] * len(targets))
    return referents_of(targets, sizes, lengths or [T] * len(targets), (H, W), config)


def test_names_and_weights():
    layers = [prediction(seed=seed) for seed in range(3)]
    plain, weighted = losses(layers, referents(target()), CONFIG), None
    weighted = weighted_losses(layers, referents(target()), CONFIG)
    assert set(plain) == {
        f"loss_{term}{suffix}"
        for term in ("ce", "bbox", "giou", "mask", "dice")
        for suffix in ("", "_0", "_1")
    }
    for name, weight in {
        "loss_ce_1": 2,
        "loss_bbox": 5,
        "loss_giou_0": 2,
        "loss_mask": 2,
        "loss_dice": 5,
    }.items():
        torch.testing.assert_close(weighted[name], weight * plain[name])
    last_only = losses(layers, referents(target()), replace(CONFIG, has_auxiliary_losses=False))
    assert set(last_only) == {"loss_ce", "loss_bbox", "loss_giou", "loss_mask", "loss_dice"}


def test_boxes_are_those_of_the_masks():
    (found,) = referents(target())
    assert found.is_seen.tolist() == [True, True, False]
    torch.testing.assert_close(found.boxes[0] * torch.tensor([24, 16, 24, 16]), torch.tensor([12.0, 8, 8, 8]))
    assert found.boxes[2].tolist() == [0, 0, 0, 0]
    (published,) = referents(target(), config=replace(CONFIG, box_edges="published"))
    torch.testing.assert_close(
        published.boxes[0] * torch.tensor([24, 16, 24, 16]), torch.tensor([11.5, 7.5, 7, 7])
    )
    given = torch.rand(2, T, 4)
    (own,) = referents(target((1,), boxes=given))
    assert torch.equal(own.boxes, given[1])


def test_several_referents_are_one_object():
    both, first, second = referents(target((0, 1)), target((0,)), target((1,)))
    assert torch.equal(both.masks, first.masks.maximum(second.masks))
    assert both.is_seen.all()


def test_a_query_that_is_right_is_matched():
    layer = prediction()
    (found,) = referents(target((1,)))
    masks = layer.make_mask_logits(None).clone()
    masks[0, :, 2] = 20 * found.masks - 10
    boxes = layer.boxes.clone()
    boxes[0, :, 2] = found.boxes
    right = LayerPrediction(layer.class_logits, boxes, lambda queries: masks)
    assert match(right, [found], CONFIG).tolist() == [2]


def test_nothing_answers_the_expression():
    layer = prediction(2)
    terms = losses([layer], referents(target(()), target((1,))), CONFIG)
    alone = losses(
        [
            LayerPrediction(
                layer.class_logits[1:],
                layer.boxes[1:],
                lambda q: layer.make_mask_logits(None if q is None else torch.cat((q, q)))[1:],
            )
        ],
        referents(target((1,))),
        CONFIG,
    )
    for name in ("loss_bbox", "loss_giou", "loss_mask", "loss_dice"):
        torch.testing.assert_close(terms[name], alone[name])
    assert terms["loss_ce"] > alone["loss_ce"]
    only = losses([prediction()], referents(target(())), CONFIG)
    assert only["loss_ce"] > 0 and only["loss_mask"] == only["loss_bbox"] == 0


def test_everything_is_divided_by_the_frames_with_a_referent():
    layers = [prediction()]
    own = losses(layers, referents(target()), CONFIG)
    given = losses(layers, referents(target()), CONFIG, num_frames=4.0)
    for name in own:
        torch.testing.assert_close(own[name], 2 * given[name])


def test_padding_frames_carry_no_loss():
    layer = prediction()
    cut = LayerPrediction(
        layer.class_logits[:, :2], layer.boxes[:, :2], lambda queries: layer.make_mask_logits(queries)[:, :2]
    )
    short = Target(target().masks[:, :2], (0,))
    left = losses([layer], referents(target(), lengths=[2]), CONFIG)
    right = losses([cut], referents(short, lengths=[2]), CONFIG)
    for name in left:
        torch.testing.assert_close(left[name], right[name])


def test_classes_need_labels():
    config = replace(CONFIG, num_classes=3)
    with pytest.raises(ValueError, match="labels"):
        referents(target(), config=config)
    (found,) = referents(target((1,), labels=torch.tensor([0, 2])), config=config)
    assert found.label == 2
    assert losses([prediction(classes=3)], [found], config)["loss_ce"] > 0


def test_predictions_that_are_not_finite_are_refused():
    layer = prediction()
    broken = LayerPrediction(layer.class_logits * float("nan"), layer.boxes, layer.make_mask_logits)
    with pytest.raises(ValueError, match="not finite"):
        losses([broken], referents(target()), CONFIG)
