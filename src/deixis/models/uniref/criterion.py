"""Losses of UniRef for every decoder layer and for the proposals (UniRef, section 5.3; code).

Each layer is matched by itself. Losses are divided by the pairs of the batch at hand, never averaged over
processes, and are 0, scores too, where nothing in the batch is to be found. Padding counts as background.

Axes: i images (a frame for an expression or object), q queries, s tokens, n objects, m pairs, h w cells,
H W pixels.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional as F

from deixis.losses.box_supervision import pairwise_loss, projection_loss
from deixis.losses.boxes import giou_loss, l1_loss
from deixis.losses.dice import dice_loss
from deixis.losses.focal import focal_terms, sigmoid_focal_loss
from deixis.losses.regions import hardest_pixels_loss, region_iou_loss
from deixis.models.uniref.assignment import Pairs, assign_proposals, assign_queries
from deixis.models.uniref.config import UniRefConfig
from deixis.models.uniref.output import STRIDE, UniRefOutput
from deixis.ops.boxes import boxes_of_masks, to_centres
from deixis.ops.masks import aligned_upsample, masks_at_stride
from deixis.structures import Target

MAX_BOX_PAIRS = 64
"""Pairs that are taught from boxes, at most; beyond it they are drawn."""


@dataclass(frozen=True)
class Truth:
    """What is to be found in one image.

    Attributes:
        masks: ``bool [n, H, W]`` of the padded input.
        boxes: ``float [n, 4]``, cx, cy, w, h in [0, 1] of the frame without padding.
        labels: ``int64 [n]``, classes.
    """

    masks: Bool[Tensor, "n H W"]
    boxes: Float[Tensor, "n 4"]
    labels: Int[Tensor, "n"]


@dataclass(frozen=True)
class Prediction:
    """What one decoder layer says of all images.

    Attributes:
        class_logits: ``float [i, q, classes]``.
        boxes: ``float [i, q, 4]``.
        make_mask_logits: from query indices ``int64 [i, k]`` to ``float [i, k, h, w]``.
    """

    class_logits: Float[Tensor, "i q _classes"]
    boxes: Float[Tensor, "i q 4"]
    make_mask_logits: Callable[[Int[Tensor, "i _k"]], Float[Tensor, "i _k h w"]]


@dataclass(frozen=True)
class MaskTeaching:
    """How masks are taught.

    Attributes:
        is_fine: at the size of the input, as objects that are followed without words.
        has_regions: as regions, too (video stage).
        similarity: of neighbours in each image, ``float [i, 8, h, w]``: by boxes alone; None: by masks.
        pairwise_share: of the loss of neighbours, which grows in the beginning.
    """

    is_fine: bool = False
    has_regions: bool = True
    similarity: Float[Tensor, "i 8 h w"] | None = None
    pairwise_share: float = 1.0


def weigh(named: dict[str, Tensor], config: UniRefConfig) -> dict[str, Tensor]:
    """Return each loss times its weight; their sum is what training minimises."""
    weights = {
        "loss_ce": config.class_weight,
        "loss_bbox": config.box_weight,
        "loss_giou": config.giou_weight,
        "loss_mask": config.mask_weight,
        "loss_dice": config.dice_weight,
    }
    return {
        name: weights.get(name.removesuffix("_enc").rstrip("0123456789").removesuffix("_"), 1.0) * loss
        for name, loss in named.items()
    }


def losses(output: UniRefOutput, truths: Sequence[Truth], teaching: MaskTeaching) -> dict[str, Tensor]:
    """Return all losses, unweighted.

    The last layer's have plain names, those of other layers the suffix ``_<layer>``, those of the proposals
    ``_enc``.

    Args:
        output: of the network.
        truths: one an expression and frame, frames of an expression one after the other.
        teaching: how masks are taught.
    """
    last = len(output.boxes) - 1
    named: dict[str, Tensor] = {}
    for index, prediction in enumerate(predictions(output)):
        suffix = "" if index == last else f"_{index}"
        pairs = match(prediction, truths)
        terms = {**box_losses(prediction, truths, pairs), **mask_losses(prediction, truths, pairs, teaching)}
        named.update({f"{name}{suffix}": loss for name, loss in terms.items()})
    return {**named, **{f"{name}_enc": loss for name, loss in proposal_losses(output, truths).items()}}


def predictions(output: UniRefOutput) -> Iterator[Prediction]:
    """Yield what each decoder layer says, first to last."""
    shape = output.boxes.shape[1:3]  # e t

    def maker(layer: int) -> Callable[[Tensor], Tensor]:
        return lambda queries: output.mask_logits(queries.unflatten(0, shape), layer).flatten(0, 1)

    for layer, (logits, boxes) in enumerate(zip(output.class_logits, output.boxes, strict=True)):
        yield Prediction(logits.flatten(0, 1), boxes.flatten(0, 1), maker(layer))


def match(prediction: Prediction, truths: Sequence[Truth]) -> list[Pairs]:
    """Assign the queries of each image to its objects."""
    found = zip(prediction.class_logits, prediction.boxes, truths, strict=True)
    return [assign_queries(logits, boxes, truth.boxes, truth.labels) for logits, boxes, truth in found]


def box_losses(prediction: Prediction, truths: Sequence[Truth], pairs: Sequence[Pairs]) -> dict[str, Tensor]:
    """Return ``loss_ce``, ``loss_bbox`` and ``loss_giou``."""
    num_pairs = sum(len(queries) for queries, _ in pairs)
    if not num_pairs:
        nothing = prediction.class_logits.sum() * 0 + prediction.boxes.sum() * 0
        return dict.fromkeys(("loss_ce", "loss_bbox", "loss_giou"), nothing)
    classes = torch.zeros_like(prediction.class_logits, dtype=torch.float32)
    for wanted, truth, (queries, objects) in zip(classes, truths, pairs, strict=True):
        wanted[queries, truth.labels[objects]] = 1
    found = torch.cat([prediction.boxes[i, queries] for i, (queries, _) in enumerate(pairs)])
    boxes = torch.cat([truth.boxes[objects] for truth, (_, objects) in zip(truths, pairs, strict=True)])
    return {
        "loss_ce": focal_terms(prediction.class_logits, classes).sum() / num_pairs,
        "loss_bbox": l1_loss(found, boxes, num_pairs),
        "loss_giou": giou_loss(found, boxes, num_pairs),
    }


def mask_losses(
    prediction: Prediction, truths: Sequence[Truth], pairs: Sequence[Pairs], teaching: MaskTeaching
) -> dict[str, Tensor]:
    """Return the losses of masks: from masks, or from boxes (``loss_prj``, ``loss_pairwise``)."""
    images = torch.cat([torch.full_like(queries, i) for i, (queries, _) in enumerate(pairs)])  # m
    num_pairs = len(images)
    logits = _masks_of_pairs(prediction, pairs)  # m h w
    size = (int(logits.shape[-2]), int(logits.shape[-1]))
    masks = torch.cat([truth.masks[objects] for truth, (_, objects) in zip(truths, pairs, strict=True)])
    if teaching.similarity is not None:
        return _losses_from_boxes(logits, masks_at_stride(masks, size, STRIDE), images, teaching)
    if teaching.is_fine and num_pairs:
        logits = aligned_upsample(logits[:, None], STRIDE)[:, 0]
        size = (STRIDE * size[0], STRIDE * size[1])
        masks = F.pad(masks, (0, size[1] - masks.shape[-1], 0, size[0] - masks.shape[-2]))
    else:
        masks = masks_at_stride(masks, size, STRIDE)
    flat, wanted = logits.flatten(1), masks.flatten(1)
    divisor = max(num_pairs, 1)
    terms = {
        "loss_mask": sigmoid_focal_loss(flat, wanted, divisor),
        "loss_dice": dice_loss(flat, wanted, divisor),
    }
    if teaching.has_regions:
        terms["loss_mask_cls"] = hardest_pixels_loss(flat, wanted)
        terms["loss_mask_iou"] = region_iou_loss(flat, wanted, divisor) if num_pairs else flat.sum() * 0
    return terms


def proposal_losses(output: UniRefOutput, truths: Sequence[Truth]) -> dict[str, Tensor]:
    """Return the losses of all tokens as proposals, matched one to one; classes are one."""
    logits, boxes = output.proposals.logits, output.proposals.make_boxes()  # i s, i s 4
    found = zip(logits, boxes, truths, strict=True)
    pairs = [assign_proposals(scores, places, truth.boxes) for scores, places, truth in found]
    plain = [Truth(truth.masks, truth.boxes, torch.zeros_like(truth.labels)) for truth in truths]
    prediction = Prediction(logits[..., None], boxes, lambda queries: logits.new_zeros(0))
    return box_losses(prediction, plain, pairs)


def truths_of(
    targets: Sequence[Target],
    frame_sizes: Float[Tensor, "e 2"],
    frames: Sequence[int] | None = None,
    *,
    is_each: bool = False,
) -> list[Truth]:
    """Turn targets into what is to be found; several referents of an expression become one.

    Args:
        targets: one an expression, masks at the size of the network's input.
        frame_sizes: width and height of the frames without padding.
        frames: which frames of the targets; None: all.
        is_each: several referents are as many objects.
    """
    truths = []
    for target, frame_size in zip(targets, frame_sizes, strict=True):
        masks = target.masks[list(target.referents)]  # n t H W
        masks = masks if is_each else masks.any(dim=0, keepdim=True)
        for objects in (masks if frames is None else masks[:, list(frames)]).unbind(1):
            seen = objects[objects.flatten(1).any(dim=1)]
            boxes = to_centres(boxes_of_masks(seen) / frame_size.repeat(2))
            truths.append(Truth(seen, boxes, torch.zeros(len(seen), dtype=torch.int64, device=seen.device)))
    return truths


def _losses_from_boxes(
    logits: Float[Tensor, "m h w"],
    boxes: Bool[Tensor, "m h w"],
    images: Int[Tensor, "m"],
    teaching: MaskTeaching,
) -> dict[str, Tensor]:
    assert teaching.similarity is not None
    if not len(logits):
        return dict.fromkeys(("loss_prj", "loss_pairwise"), logits.sum() * 0)
    if len(logits) > MAX_BOX_PAIRS:
        kept = torch.randperm(len(logits), device=logits.device)[:MAX_BOX_PAIRS]
        logits, boxes, images = logits[kept], boxes[kept], images[kept]
    pairwise = pairwise_loss(logits, boxes, teaching.similarity[images])
    return {
        "loss_prj": projection_loss(logits, boxes),
        "loss_pairwise": teaching.pairwise_share * pairwise,
    }


def _masks_of_pairs(prediction: Prediction, pairs: Sequence[Pairs]) -> Float[Tensor, "m h w"]:
    """Make the masks of all matched queries at once: rows of images with fewer are filled up."""
    longest = max((len(queries) for queries, _ in pairs), default=0)
    rows = torch.stack([F.pad(queries, (0, longest - len(queries))) for queries, _ in pairs])  # i k
    is_pair = torch.stack([torch.arange(longest, device=rows.device) < len(queries) for queries, _ in pairs])
    return prediction.make_mask_logits(rows)[is_pair]
