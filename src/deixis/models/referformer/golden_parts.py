"""Goldens of ReferFormer's operators and of its post-processing, which need no network.

Axes: b images, q queries, v levels, o objects, t frames, c channels, h w cells, H W pixels.
"""

import torch
from torch import Tensor

from deixis.layers.deformable import DeformableAttention
from deixis.layers.dynamic_conv import dynamic_masks, split_kernels
from deixis.layers.position import sine_position_1d, sine_position_2d
from deixis.models.golden import GoldenRun
from deixis.models.referformer.output import STRIDE
from deixis.ops.boxes import generalised_iou, pixel_boxes
from deixis.ops.masks import aligned_upsample, masks_at_size, stretched_masks, stretched_probabilities
from deixis.ops.merging import BACKGROUND_SCORE, merge_by_threshold


def run_postprocess(golden: GoldenRun) -> dict[str, Tensor]:
    """Turn stored predictions into what A2D-Sentences, RefCOCO, Ref-YouTube-VOS and Ref-DAVIS17 ask for."""
    stored = _stored(golden)
    threshold, background = golden.options["threshold"], golden.options["background"]
    if background != BACKGROUND_SCORE:
        raise ValueError(f"label maps are merged with a background of {BACKGROUND_SCORE}, not {background}")
    scores = stored["logits"][:, 0].sigmoid().amax(dim=-1)  # b q
    arrays = {}
    for index, (size, original) in enumerate(zip(stored["sizes"], stored["original_sizes"], strict=True)):
        logits = stored["masks"][index, 0]
        padded = tuple(STRIDE * side for side in logits.shape[-2:])
        sizes = (padded, tuple(size.tolist()), tuple(original.tolist()))
        masks = masks_at_size(logits, *sizes)
        arrays[f"a2d_scores_{index}"], arrays[f"a2d_masks_{index}"] = scores[index], masks
        order = scores[index].sort(descending=True, stable=True).indices
        arrays[f"coco_scores_{index}"] = scores[index][order]
        arrays[f"coco_boxes_{index}"] = pixel_boxes(stored["boxes"][index, 0], sizes[2])[order]
        arrays[f"coco_masks_{index}"] = masks_at_size(logits, *sizes, threshold=threshold)[order]
    means = stored["ytvos_logits"].sigmoid().mean(dim=0).amax(dim=-1)  # q
    best = means.argmax()
    size = tuple(stored["ytvos_original_size"].tolist())
    arrays |= {"ytvos_query_scores": means, "ytvos_query": best}
    arrays["ytvos_masks"] = stretched_masks(stored["ytvos_masks"][:, best], size, threshold=threshold)
    queries = stored["davis_logits"].sigmoid().mean(dim=1).amax(dim=-1).argmax(dim=1)  # o
    chosen = stored["davis_masks"][torch.arange(len(queries)), :, queries]  # o t h w
    size = tuple(stored["davis_original_size"].tolist())
    arrays["davis_labels"] = torch.from_numpy(
        merge_by_threshold(stretched_probabilities(chosen, size).numpy())
    )
    return arrays


def run_operators(golden: GoldenRun) -> dict[str, Tensor]:
    """Run position encodings, deformable attention, dynamic masks and generalised IoU on stored inputs."""
    stored = _stored(golden)
    options = golden.options
    positions = sine_position_2d(stored["pos2d_mask"], 2 * options["pos2d"]["features_per_axis"], offset=-0.5)
    words = sine_position_1d(stored["pos1d_mask"], options["pos1d"]["features"])
    arrays = {"pos2d": positions.permute(0, 3, 1, 2), "pos1d": words.transpose(1, 2)}
    arrays |= _deformable(golden, stored)
    shape = options["dynamic_mask"]
    features = stored["dynamic_features"].flatten(0, 1)  # (b t) c h w
    num_frames = stored["dynamic_features"].shape[1]
    parameters, references = (
        stored[f"dynamic_{name}"].unflatten(1, (num_frames, -1)).flatten(0, 1)
        for name in ("parameters", "references")
    )
    sizes = stored["dynamic_sizes"].flip(1).repeat_interleave(num_frames, dim=0)[:, None]
    split = split_kernels(parameters, features.shape[1], shape["channels"])
    masks = dynamic_masks(features, split, references * sizes, shape["stride"])
    arrays["dynamic_mask"] = masks.unflatten(0, (-1, num_frames)).flatten(1, 2)
    arrays["aligned_bilinear_x2"] = aligned_upsample(stored["aligned"], 2)
    left, right = stored["giou_a"], stored["giou_b"]
    arrays["giou"] = generalised_iou(left[:, None], right[None])
    arrays["giou_vs_empty"] = generalised_iou(left[:, None], torch.zeros(1, 1, 4))
    return arrays


def _deformable(golden: GoldenRun, stored: dict[str, Tensor]) -> dict[str, Tensor]:
    shape = golden.options["msda"]
    attention = DeformableAttention(shape["features"], shape["heads"], shape["levels"], shape["points"])
    prefix = "ops.ms_deform_attn."
    names = {
        "sampling_offsets": "offsets",
        "attention_weights": "weights",
        "value_proj": "value_projection",
        "output_proj": "out_projection",
    }
    weights = {}
    for name, value in golden.parameters.items():
        part, leaf = name.removeprefix(prefix).split(".")
        weights[f"{names[part]}.{leaf}"] = torch.from_numpy(value)
    attention.load_state_dict(weights, strict=True)
    sizes = [(int(height), int(width)) for height, width in stored["msda_levels"]]
    points = stored["msda_reference"]
    boxes = torch.cat((points, stored["msda_reference_wh"]), dim=-1)
    arrays = {}
    for name, references in (("point", points), ("box", boxes)):
        locations, shares = attention.locate(stored["msda_query"], references, sizes)
        arrays[f"msda_{name}_locations"] = locations
        arrays["msda_weights"] = shares
        arrays[f"msda_{name}_out"] = attention(
            stored["msda_query"], references, stored["msda_source"], sizes, stored["msda_padding"]
        )
    return arrays


def _stored(golden: GoldenRun) -> dict[str, Tensor]:
    return {name.removeprefix("in_"): torch.from_numpy(value) for name, value in golden.stored.items()}
