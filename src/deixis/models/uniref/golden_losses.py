"""Goldens of UniRef's assignment and losses, which need no network.

Axes: i images, q queries, n objects, h w cells, H W pixels.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from deixis.losses.box_supervision import colour_similarity, pairwise_loss, projection_loss
from deixis.losses.regions import competing_logits
from deixis.models.golden import GoldenRun
from deixis.models.uniref.assignment import Pairs, assign_proposals
from deixis.models.uniref.criterion import (
    MaskTeaching,
    Prediction,
    Truth,
    box_losses,
    mask_losses,
    match,
)
from deixis.models.uniref.output import STRIDE
from deixis.ops.masks import aligned_upsample
from deixis.ops.merging import merge_by_product


def loss_arrays(golden: GoldenRun) -> dict[str, Tensor]:
    """Match and score stored predictions; also the losses from boxes and the merging of soft masks."""
    arrays: dict[str, Tensor] = {}
    for prefix, case in golden.inputs["cases"].items():
        arrays |= {f"{prefix}{name}": value for name, value in _case(golden, case).items()}
    if "boxinst" in golden.inputs:
        entry = golden.inputs["boxinst"]
        arrays |= {f"boxinst.{name}": value for name, value in _from_boxes(entry).items()}
    if "agg" in golden.inputs:
        soft = golden.inputs["agg"]
        logits = competing_logits(torch.from_numpy(soft[0]).logit())
        arrays["agg.label"] = torch.from_numpy(merge_by_product(soft)).long()
        arrays["agg.soft1"] = torch.stack((-logits, logits)).sigmoid()
    if "upsample" in golden.inputs:
        height, width = golden.inputs["upsample"]["crop"]
        masks = torch.from_numpy(golden.inputs["cases"][""]["masks"])
        arrays["upsample"] = aligned_upsample(masks[:1, :1, :height, :width], STRIDE)
    return arrays


def _case(golden: GoldenRun, case: Mapping[str, Any]) -> dict[str, Tensor]:
    """Return the pairs of each image, and all losses where there are masks."""
    stored = {name: torch.from_numpy(value) for name, value in golden.stored.items()}
    logits, boxes = stored[case["logits"]], stored[case["boxes"]]
    masks = None if "masks" not in case else torch.from_numpy(case["masks"])
    truths = [
        Truth(
            _rectangles(stored[case["target_rects"][image]], case["mask_size"])
            if masks is not None
            else torch.zeros(len(stored[name]), 1, 1, dtype=torch.bool),
            stored[name],
            torch.zeros(len(stored[name]), dtype=torch.int64),
        )
        for image, name in enumerate(case["target_boxes"])
    ]

    def make_mask_logits(queries: Tensor) -> Tensor:
        assert masks is not None
        return masks.gather(1, queries[..., None, None].expand(-1, -1, *masks.shape[-2:]))

    prediction = Prediction(logits, boxes, make_mask_logits)
    pairs = match(prediction, truths)
    if case.get("single"):
        return {"q": pairs[0][0], "g": pairs[0][1]}
    proposed = [
        assign_proposals(scores[..., 0], found, truth.boxes)
        for scores, found, truth in zip(logits, boxes, truths, strict=True)
    ]
    arrays = {**_indices("ota", pairs), **_indices("hung", proposed)}
    for name, is_fine in (("s4", False), ("s1", True)):
        terms = box_losses(prediction, truths, pairs)
        terms |= mask_losses(prediction, truths, pairs, MaskTeaching(is_fine=is_fine))
        arrays |= {f"{name}.{term}": value for term, value in terms.items()}
    of_proposals = box_losses(prediction, truths, proposed)
    return arrays | {f"enc.{term}": value for term, value in of_proposals.items()}


def _from_boxes(entry: Mapping[str, Any]) -> dict[str, Tensor]:
    logits = torch.from_numpy(entry["logits"])[:, 0]
    height, width = logits.shape[-2:]
    is_valid = torch.ones(1, height, width, dtype=torch.bool)
    is_valid[:, entry["valid_rows"] :] = False
    similarity = colour_similarity(torch.from_numpy(entry["image"])[None], is_valid, STRIDE)
    boxes = _rectangles(torch.tensor(entry["boxes"]), (height, width))
    return {
        "sim": similarity,
        "prj": projection_loss(logits, boxes),
        "pairwise": pairwise_loss(logits, boxes, similarity.expand(len(logits), -1, -1, -1)),
    }


def _indices(name: str, pairs: list[Pairs]) -> dict[str, Tensor]:
    queries = {f"{name}.q{image}": found for image, (found, _) in enumerate(pairs)}
    return queries | {f"{name}.g{image}": found for image, (_, found) in enumerate(pairs)}


def _rectangles(rects: Tensor, size: tuple[int, int]) -> Tensor:
    masks = torch.zeros(len(rects), *size, dtype=torch.bool)
    for mask, (top, bottom, left, right) in zip(masks, rects.tolist(), strict=True):
        mask[top:bottom, left:right] = True
    return masks
