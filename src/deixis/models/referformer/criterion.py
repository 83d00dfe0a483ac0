"""Matching and losses of ReferFormer (section 3.4), for every decoder layer.

One query is matched to the referent over all frames of the clip, by the least sum of five costs; it is the
referent in the frames in which that is seen. Kept of the published code, whose checkpoints were trained so:
boxes of frames without the referent are drawn to zeros, and the mask losses are divided by the number of
frames with the referent though they are one value a clip. An expression that nothing in the clip answers
has the loss of its classes alone (the published loaders draw another sample).

Axes: e expressions, t frames, q queries, k classes, p pixels of all frames, h w cells, H W pixels.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from deixis.losses.boxes import giou_loss, l1_loss
from deixis.losses.dice import dice_loss, pairwise_dice
from deixis.losses.focal import focal_cost, focal_terms, sigmoid_focal_loss
from deixis.models.referformer.config import ReferFormerConfig
from deixis.ops.boxes import boxes_of_masks, generalised_iou, to_centres, to_corners
from deixis.ops.masks import masks_at_stride
from deixis.structures import Target

MASK_STRIDE = 4
"""Of the predicted masks."""


@dataclass(frozen=True)
class LayerPrediction:
    """What one decoder layer says.

    Attributes:
        class_logits: ``float [e, t, q, k]``.
        boxes: ``float [e, t, q, 4]``, cx, cy, w, h in [0, 1].
        make_mask_logits: from query indices ``int64 [e, k]``, or None for all, to ``float [e, t, k, h, w]``.
    """

    class_logits: Float[Tensor, "e t q _classes"]
    boxes: Float[Tensor, "e t q 4"]
    make_mask_logits: Callable[[Int[Tensor, "e _k"] | None], Float[Tensor, "e t _k h w"]]


@dataclass(frozen=True)
class Referent:
    """The truth about one expression, in the frames that are not padding.

    Attributes:
        masks: ``float [t, h, w]`` at the stride of the predictions.
        boxes: ``float [t, 4]``, cx, cy, w, h in [0, 1]; zeros where the referent is not seen.
        is_seen: ``bool [t]``.
        label: its class.
    """

    masks: Float[Tensor, "t h w"]
    boxes: Float[Tensor, "t 4"]
    is_seen: Bool[Tensor, "t"]
    label: int


def weighted_losses(
    layers: Sequence[LayerPrediction],
    referents: Sequence[Referent],
    config: ReferFormerConfig,
    num_frames: float | None = None,
) -> dict[str, Tensor]:
    """Return the losses of :func:`losses`, each times its weight; their sum is what training minimises."""
    weights = {
        "loss_ce": config.class_weight,
        "loss_bbox": config.box_weight,
        "loss_giou": config.giou_weight,
        "loss_mask": config.mask_weight,
        "loss_dice": config.dice_weight,
    }
    named = losses(layers, referents, config, num_frames)
    return {name: weights[name.rstrip("0123456789").removesuffix("_")] * loss for name, loss in named.items()}


def losses(
    layers: Sequence[LayerPrediction],
    referents: Sequence[Referent],
    config: ReferFormerConfig,
    num_frames: float | None = None,
) -> dict[str, Tensor]:
    """Return ``loss_ce``, ``loss_bbox``, ``loss_giou``, ``loss_mask`` and ``loss_dice``, unweighted.

    The last layer's have plain names; auxiliary layers are matched anew and have the suffix ``_<layer>``.

    Args:
        layers: of the decoder, first to last.
        referents: one an expression.
        config: weights and costs.
        num_frames: what all losses are divided by; None: this batch's frames with a referent, at least 1.
    """
    if num_frames is None:
        num_frames = float(sum(int(referent.is_seen.sum()) for referent in referents))
    last = len(layers) - 1
    named = {}
    for index in range(len(layers)) if config.has_auxiliary_losses else [last]:
        terms = _layer_losses(layers[index], referents, config, max(num_frames, 1.0))
        suffix = "" if index == last else f"_{index}"
        named.update({f"{name}{suffix}": loss for name, loss in terms.items()})
    return named


def referents_of(
    targets: Sequence[Target],
    frame_sizes: Float[Tensor, "e 2"],
    lengths: Sequence[int],
    size: tuple[int, int],
    config: ReferFormerConfig,
) -> list[Referent]:
    """Turn targets into what a query is matched to; several referents of an expression become one.

    Args:
        targets: masks of the predicted frames at the size of the network's input.
        frame_sizes: width and height of the frames without padding.
        lengths: frames of each clip that are not padding.
        size: height and width of the predicted masks.
        config: says how boxes are taken from masks, where a target has none.
    """
    referents = []
    for target, frame_size, length in zip(targets, frame_sizes, lengths, strict=True):
        chosen = list(target.referents)
        masks = target.masks[chosen, :length].any(dim=0)  # t H W
        is_seen = masks.flatten(1).any(dim=-1)
        if target.boxes is not None and len(chosen) == 1:
            boxes = target.boxes[chosen[0], :length] * is_seen[:, None]
        else:
            corners = boxes_of_masks(masks, is_inclusive=config.box_edges == "published")
            boxes = to_centres(corners / frame_size.repeat(2))
        label = 0
        if config.num_classes > 1:
            if target.labels is None:
                raise ValueError("class-discriminative heads need the labels of the objects; none were given")
            label = int(target.labels[chosen[0]]) if chosen else 0
        referents.append(Referent(masks_at_stride(masks, size, MASK_STRIDE).float(), boxes, is_seen, label))
    return referents


def matching_costs(
    class_logits: Float[Tensor, "t q k"],
    boxes: Float[Tensor, "t q 4"],
    mask_logits: Float[Tensor, "t q h w"],
    referent: Referent,
) -> dict[str, Float[Tensor, "q"]]:
    """Return the five terms of the cost of every query, unweighted (ReferFormer, equation 6).

    Classes count in the frames in which the referent is seen, boxes in all frames, masks over all pixels of
    all frames together.
    """
    scores = class_logits[referent.is_seen][..., referent.label]  # t' q
    wanted = referent.boxes[:, None]  # t 1 4
    predicted = boxes.float()
    logits = mask_logits.float().transpose(0, 1).flatten(1)  # q p
    masks = referent.masks.flatten()[None]  # 1 p
    return {
        "class": focal_cost(scores).mean(dim=0),
        "bbox": (predicted - wanted).abs().sum(dim=-1).mean(dim=0),
        "giou": -generalised_iou(to_corners(predicted), to_corners(wanted)).mean(dim=0),
        "mask": focal_terms(logits, masks.expand_as(logits)).mean(dim=1),
        "dice": -pairwise_dice(logits, masks)[:, 0],
    }


@torch.no_grad()
def match(
    layer: LayerPrediction, referents: Sequence[Referent], config: ReferFormerConfig
) -> Int[Tensor, "e"]:
    """Return the query of least cost for each expression (the first on ties); 0 where nothing is seen."""
    mask_logits = layer.make_mask_logits(None)
    matched = []
    for index, referent in enumerate(referents):
        t = len(referent.is_seen)
        predictions = (layer.class_logits[index, :t], layer.boxes[index, :t], mask_logits[index, :t])
        if not referent.is_seen.any():
            matched.append(mask_logits.new_zeros((), dtype=torch.int64))
            continue
        cost = total_cost(matching_costs(*predictions, referent), config)
        if not cost.isfinite().all():
            raise ValueError("the matching cost is not finite: the predictions hold NaN or infinity")
        matched.append(cost.argmin())
    return torch.stack(matched)


def total_cost(costs: dict[str, Float[Tensor, "q"]], config: ReferFormerConfig) -> Float[Tensor, "q"]:
    """Weigh and add the terms of :func:`matching_costs`."""
    return (
        config.class_weight * costs["class"]
        + config.box_weight * costs["bbox"]
        + config.giou_weight * costs["giou"]
        + config.mask_weight * costs["mask"]
        + config.dice_weight * costs["dice"]
    )


def _layer_losses(
    layer: LayerPrediction, referents: Sequence[Referent], config: ReferFormerConfig, num_frames: float
) -> dict[str, Tensor]:
    """Match one decoder layer and return its five losses."""
    queries = match(layer, referents, config)
    mask_logits = layer.make_mask_logits(queries[:, None])[:, :, 0]  # e t h w
    classes = torch.zeros_like(layer.class_logits, dtype=torch.float32)
    is_real = torch.zeros(classes.shape[:2], device=classes.device)  # e t
    zero = layer.class_logits.sum() * 0 + layer.boxes.sum() * 0 + mask_logits.sum() * 0
    named = {name: zero for name in ("loss_bbox", "loss_giou", "loss_mask", "loss_dice")}
    for index, (query, referent) in enumerate(zip(queries, referents, strict=True)):
        t = len(referent.is_seen)
        is_real[index, :t] = 1
        if not referent.is_seen.any():
            continue
        classes[index, :t, query, referent.label] = referent.is_seen.float()
        boxes = layer.boxes[index, :t, query]
        logits, masks = mask_logits[index, :t].flatten()[None], referent.masks.flatten()[None]
        terms = {
            "loss_bbox": l1_loss(boxes, referent.boxes, num_frames),
            "loss_giou": giou_loss(boxes, referent.boxes, num_frames),
            "loss_mask": sigmoid_focal_loss(logits, masks, num_frames),
            "loss_dice": dice_loss(logits, masks, num_frames),
        }
        named = {name: named[name] + term for name, term in terms.items()}
    focal = focal_terms(layer.class_logits.float(), classes) * is_real[..., None, None]
    return {"loss_ce": focal.sum() / num_frames, **named}
