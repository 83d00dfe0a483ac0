"""Matching and losses of MTTR (section 3.5), for every decoder layer.

A query is matched to an object over all frames at once; the losses of the pair are then taken frame by frame.
Frames that are padding carry no loss (the published code trains on clips of one length only).

Axes: e expressions, t frames, q queries, n objects, m matched pairs, p pixels, h w cells, H W pixels.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional as F

from deixis.losses.alignment import alignment_loss
from deixis.losses.cross_entropy import weighted_cross_entropy
from deixis.losses.dice import dice_loss, pairwise_dice
from deixis.losses.focal import sigmoid_focal_loss
from deixis.losses.matching import assign
from deixis.models.mttr.config import MttrConfig
from deixis.models.mttr.output import MttrOutput
from deixis.models.mttr.postprocess import REFERRED
from deixis.structures import Target

NOT_REFERRED = 1 - REFERRED


@dataclass(frozen=True)
class Objects:
    """What the queries of one expression are matched to.

    Attributes:
        masks: ``bool [n, t, H, W]``, zero-padded to the size of the batch.
        is_referred: ``bool [n]``: the object is a referent.
        is_visible: ``bool [n, t]``: it is seen in the frame, as far as the data set tells.
    """

    masks: Bool[Tensor, "n t H W"]
    is_referred: Bool[Tensor, "n"]
    is_visible: Bool[Tensor, "n t"]

    def first(self, num_frames: int) -> "Objects":
        """Return the same of the first ``num_frames`` frames."""
        return Objects(self.masks[:, :num_frames], self.is_referred, self.is_visible[:, :num_frames])


def weighted_losses(
    output: MttrOutput, targets: Sequence[Target], config: MttrConfig, num_masks: float | None = None
) -> dict[str, Tensor]:
    """Return the losses of :func:`losses`, each times its weight; their sum is what training minimises."""
    weights = {
        "loss_is_referred": config.referring_weight,
        "loss_dice": config.dice_weight,
        "loss_sigmoid_focal": config.focal_weight,
        "loss_alignment": config.alignment_weight,
    }
    named = losses(output, targets, config, num_masks)
    return {name: weights[name.rstrip("0123456789").removesuffix("_")] * loss for name, loss in named.items()}


def losses(
    output: MttrOutput, targets: Sequence[Target], config: MttrConfig, num_masks: float | None = None
) -> dict[str, Tensor]:
    """Return ``loss_is_referred``, ``loss_dice`` and ``loss_sigmoid_focal``, unweighted.

    The last layer's have plain names; auxiliary layers are matched anew and have the suffix ``_<layer>``.

    Args:
        output: of the network.
        targets: one an expression, masks of the predicted frames at the size of the network's input.
        config: weights and costs.
        num_masks: what the mask losses are divided by; None: this batch's object masks over all frames, at
            least 1.
    """
    lengths = (~output.frame_padding).sum(dim=1).tolist()
    objects = [item.first(length) for item, length in zip(objects_of(targets, config), lengths, strict=True)]
    if num_masks is None:
        num_masks = count_masks(objects)
    num_layers = len(output.kernels)
    layers = range(num_layers) if config.has_auxiliary_losses else [num_layers - 1]
    named = {}
    for layer in layers:
        suffix = "" if layer == num_layers - 1 else f"_{layer}"
        logits = output.mask_logits(layer)
        terms = _layer_losses(logits, output.referring_logits[layer], objects, config, max(num_masks, 1.0))
        named.update({f"{name}{suffix}": loss for name, loss in terms.items()})
    if config.alignment_weight:
        assert output.video_tokens is not None and output.sentences is not None
        named["loss_alignment"] = alignment_loss(output.video_tokens, output.sentences, targets)
    return named


def objects_of(targets: Sequence[Target], config: MttrConfig) -> list[Objects]:
    """Turn targets into what the queries are matched to, by ``config.matched_objects``."""
    height = max(target.masks.shape[-2] for target in targets)
    width = max(target.masks.shape[-1] for target in targets)
    result = []
    for target in targets:
        masks = target.masks.bool()
        is_referred = torch.zeros(len(masks), dtype=torch.bool, device=masks.device)
        is_referred[list(target.referents)] = True
        if config.matched_objects == "referent":
            masks = masks[is_referred].any(dim=0, keepdim=True)[: len(target.referents)]  # 1 or 0 objects
            is_referred = is_referred[is_referred][: len(masks)]
        visible = masks.flatten(2).any(dim=-1) if target.has_visibility else torch.ones_like(masks[..., 0, 0])
        padded = F.pad(masks, (0, width - masks.shape[-1], 0, height - masks.shape[-2]))
        if config.loss_stride > 1:
            padded = F.avg_pool2d(padded.float(), config.loss_stride, ceil_mode=True) >= 0.5
        result.append(Objects(padded, is_referred, visible))
    return result


def count_masks(objects: Sequence[Objects]) -> float:
    """Count the masks of all objects in all frames, empty ones too."""
    return float(sum(item.masks.shape[0] * item.masks.shape[1] for item in objects))


def matching_costs(
    mask_logits: Float[Tensor, "t q H W"], referring_logits: Float[Tensor, "t q 2"], objects: Objects
) -> tuple[Float[Tensor, "q n"], Float[Tensor, "q n"]]:
    """Return the two terms of the cost, unweighted: minus the dice coefficient, minus the probability.

    Args:
        mask_logits: at the size of the objects' masks.
        referring_logits: of the same frames.
        objects: of the expression.
    """
    masks = objects.masks.transpose(0, 1).flatten(2)  # t n p
    dice = pairwise_dice(mask_logits.flatten(2), masks).mean(dim=0)  # q n
    probabilities = referring_logits.float().softmax(dim=-1)  # t q 2
    is_answer = (objects.is_referred[:, None] & objects.is_visible).T[:, None]  # t 1 n
    referred, not_referred = probabilities[..., REFERRED, None], probabilities[..., NOT_REFERRED, None]
    referring = torch.where(is_answer, referred, not_referred).mean(dim=0)  # q n
    return -dice, -referring


@torch.no_grad()
def match(
    mask_logits: Float[Tensor, "t q h w"],
    referring_logits: Float[Tensor, "t q 2"],
    objects: Objects,
    config: MttrConfig,
) -> tuple[Int[Tensor, "m"], Int[Tensor, "m"]]:
    """Assign queries to the objects of one expression: indices of queries and of objects."""
    if mask_logits.shape[1] == len(objects.masks) == 1:  # nothing to choose
        only = torch.zeros(1, dtype=torch.int64, device=mask_logits.device)
        return only, only
    full = F.interpolate(mask_logits.float(), size=objects.masks.shape[-2:], mode="bilinear")
    dice, referring = matching_costs(full, referring_logits, objects)
    return assign(config.dice_cost * dice + config.referring_cost * referring)


def _layer_losses(
    mask_logits: Float[Tensor, "e t q h w"],
    referring_logits: Float[Tensor, "e t q 2"],
    objects: Sequence[Objects],
    config: MttrConfig,
    num_masks: float,
) -> dict[str, Tensor]:
    """Match one decoder layer and return its three losses."""
    size = objects[0].masks.shape[-2:]
    predicted, wanted = [], []
    classes = torch.full(referring_logits.shape[:3], NOT_REFERRED, device=referring_logits.device)  # e t q
    weights = torch.full(classes.shape, config.no_object_weight, device=classes.device)
    for index, item in enumerate(objects):
        t = item.masks.shape[1]
        weights[index, t:] = 0
        if not len(item.masks):
            continue
        queries, matched = match(mask_logits[index, :t], referring_logits[index, :t], item, config)
        predicted.append(mask_logits[index][:t, queries].flatten(0, 1))  # (t m) h w
        wanted.append(item.masks[matched].transpose(0, 1).flatten(0, 1))  # (t m) H W
        is_referred = item.is_referred[matched]
        answers = torch.where(item.is_visible[matched][is_referred], REFERRED, NOT_REFERRED)  # m' t
        classes[index][:t, queries[is_referred]] = answers.T
        weights[index][:t, queries[is_referred]] = 1.0
    # The published code divides by frames and expressions alone: not by the weights, nor by the number of
    # queries.
    num_frames = float(sum(item.masks.shape[1] for item in objects))
    is_referred_loss = weighted_cross_entropy(referring_logits, classes, weights, num_frames)
    logits = torch.cat(predicted) if predicted else mask_logits[0, :0].flatten(0, 1)
    masks = torch.cat(wanted) if wanted else objects[0].masks.new_zeros(0, *size)
    full = F.interpolate(logits.float()[:, None], size=size, mode="bilinear").flatten(1)  # m p
    masks = masks.flatten(1).to(full.dtype)
    return {
        "loss_is_referred": is_referred_loss,
        "loss_dice": dice_loss(full, masks, num_masks),
        "loss_sigmoid_focal": sigmoid_focal_loss(full, masks, num_masks),
    }
