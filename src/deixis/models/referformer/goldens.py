"""Goldens of ReferFormer: our network, losses and post-processing run as the published ones were recorded.

Axes: b clips (one expression each), t frames, l decoder layers, v levels, q queries, c channels, h w cells.
"""

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from deixis.models.golden import GoldenRun
from deixis.models.recorder import Recorder
from deixis.models.referformer.config import VARIANTS, ReferFormerConfig
from deixis.models.referformer.convert import RENAMING
from deixis.models.referformer.criterion import (
    LayerPrediction,
    losses,
    match,
    matching_costs,
    referents_of,
    total_cost,
)
from deixis.models.referformer.golden_parts import run_operators, run_postprocess
from deixis.models.referformer.model import ReferFormer
from deixis.models.referformer.output import ReferFormerOutput, ReferFormerVideoFeatures
from deixis.ops.padding import pad_to_multiple, resize_padding_mask, stack_clips
from deixis.structures import Clip, Target, Tokens

PAD = 1
"""The padding token of RoBERTa."""


def run(golden: GoldenRun) -> dict[str, np.ndarray]:
    """Return our arrays under the golden's names, whole, in the order of the forward pass.

    Raises:
        ValueError: the kind of golden is none that ReferFormer has.
    """
    runs = {
        "network": run_network,
        "loss": run_losses,
        "postprocess": run_postprocess,
        "ops": run_operators,
    }
    if golden.kind not in runs:
        raise ValueError(f"ReferFormer has no goldens of kind {golden.kind!r}; it has {', '.join(runs)}")
    arrays = runs[golden.kind](golden)
    return {name: value.detach().numpy() for name, value in arrays.items()}


def run_network(golden: GoldenRun) -> dict[str, Tensor]:
    """Run the network with the drawn parameters and record its stages."""
    model = build(golden)
    clip = _clip(golden)
    kept = golden.options.get("annotated_frames")
    ids = torch.tensor(golden.inputs["tokens"])
    tokens = Tokens(ids, ids == PAD)
    recorder = listen_to(model)
    with torch.inference_mode():
        if kept is None:
            video = model.encode_video(clip)
        else:  # each clip has its own annotated frame
            chosen = [
                Clip(clip.frames[i : i + 1], clip.padding_mask[i : i + 1], (frame,))
                for i, frame in enumerate(kept)
            ]
            video = join([model.encode_video(single) for single in chosen])
        text = model.encode_text(tokens)
        output = model(video, text)
        stages = _backbone_stages(recorder, clip, kept)
        stages |= _text_stages(recorder)
        stages |= _transformer_stages(model, recorder, video, output)
        stages |= _mask_stages(recorder, output)
    return stages


def run_losses(golden: GoldenRun) -> dict[str, Tensor]:
    """Match and score stored predictions, and take the gradients of the total."""
    stored = {name.removeprefix("in_"): torch.from_numpy(value) for name, value in golden.stored.items()}
    config = _loss_config(golden.options)
    predictions = [stored[name].requires_grad_() for name in ("logits", "boxes", "masks")]
    layers = [
        LayerPrediction(logits, boxes, lambda queries, masks=masks: _choose(masks, queries))
        for logits, boxes, masks in zip(*predictions, strict=True)
    ]
    t, size = stored["masks"].shape[2], tuple(stored["masks"].shape[-2:])
    targets = [
        Target(masks[None], (0,), boxes=boxes[None], labels=labels[:1])
        for masks, boxes, labels in zip(
            stored["target_masks"], stored["target_boxes"], stored["target_labels"], strict=True
        )
    ]
    frame_sizes = stored["target_sizes"].flip(1).float()
    found = referents_of(targets, frame_sizes, [t] * len(targets), (size[0], size[1]), config)
    referents = [
        replace(referent, is_seen=valid.bool())
        for referent, valid in zip(found, stored["target_valid"], strict=True)
    ]
    arrays: dict[str, list[Tensor]] = {}
    for logits, boxes, masks in zip(*(value.detach() for value in predictions), strict=True):
        for index, referent in enumerate(referents):
            costs = matching_costs(logits[index], boxes[index], masks[index], referent)
            for name, cost in {**costs, "total": total_cost(costs, config)}.items():
                arrays.setdefault(f"cost_{name}", []).append(cost)
    shape = (len(layers), len(referents))
    stacked = {name: torch.stack(costs).unflatten(0, shape) for name, costs in arrays.items()}
    stacked["match"] = torch.stack([match(layer, referents, config) for layer in layers])
    terms = losses(layers, referents, config)
    weights = golden.options["weights"]
    total = sum(weights[_term(name)] * value for name, value in terms.items())
    assert isinstance(total, Tensor)
    gradients = torch.autograd.grad(total, predictions)
    names = ("grad_logits", "grad_boxes", "grad_masks")
    return {**stacked, **terms, "total": total, **dict(zip(names, gradients, strict=True))}


def build(golden: GoldenRun) -> ReferFormer:
    """Build the variant of the golden with its parameters, in evaluation mode."""
    config = VARIANTS[f"referformer-{golden.variant}"]
    num_classes, num_queries = (
        len(golden.parameters[name]) for name in ("class_embed.0.weight", "query_embed.weight")
    )
    model = ReferFormer(replace(config, num_classes=num_classes, num_queries=num_queries))
    tensors, unknown = RENAMING.to_ours({k: torch.from_numpy(v) for k, v in golden.parameters.items()})
    if unknown:
        raise ValueError(f"the layout has names that no ReferFormer has, such as {unknown[0]!r}")
    model.load_state_dict(tensors, strict=True)
    return model.eval()


def join(features: list[ReferFormerVideoFeatures]) -> ReferFormerVideoFeatures:
    """Join the features of clips of one size, in order."""
    joined: dict[str, Any] = {}
    for field in fields(ReferFormerVideoFeatures):
        values = [getattr(single, field.name) for single in features]
        if isinstance(values[0], tuple):
            joined[field.name] = tuple(torch.cat(maps) for maps in zip(*values, strict=True))
        elif values[0] is not None:
            joined[field.name] = torch.cat(values)
    return ReferFormerVideoFeatures(**joined)


def listen_to(model: ReferFormer) -> Recorder:
    """Record the stages of ``model``."""
    named: dict[str, nn.Module] = {
        "backbone": model.backbone,
        "text_last_hidden": model.text_encoder,
        "text_projection": model.text_projection,
        "fusion": model.fusion,
        "enc0_attn_out": model.encoder[0].get_submodule("attention"),
    }
    if model.text_pooler is not None:
        named["text_pooled"] = model.text_pooler
    named |= {f"input_proj_{index}": layer for index, layer in enumerate(model.projections)}
    named |= {f"encoder_{index}": layer for index, layer in enumerate(model.encoder)}
    named |= {f"hs_{index}": layer for index, layer in enumerate(model.decoder)}
    decoder = model.pixel_decoder
    for name, parts in (
        ("lateral", decoder.adapters),
        ("fpn_cross_attn", decoder.blocks),
        ("fpn_out", decoder.smoothings),
    ):
        named |= {f"{name}_{index}": part for index, part in enumerate(parts, start=1)}
    return Recorder(named)


def _clip(golden: GoldenRun) -> Clip:
    """Stack the videos and pad them to a multiple of the golden's."""
    videos = [torch.from_numpy(video) for video in golden.inputs["videos"]]
    frames, padding_mask = stack_clips(videos)
    return Clip(*pad_to_multiple(frames, padding_mask, golden.options.get("pad_multiple", 1)))


def _backbone_stages(recorder: Recorder, clip: Clip, kept: list[int] | None) -> dict[str, Tensor]:
    calls = recorder.calls["backbone"]
    padding = clip.padding_mask
    if kept is not None:
        padding = torch.stack([mask[[frame]] for mask, frame in zip(padding, kept, strict=True)])
    stages = {}
    for index in range(len(calls[0])):
        maps = torch.cat([call[index] for call in calls])
        stages[f"backbone_{index}"] = maps.flatten(0, 1)
        stages[f"backbone_mask_{index}"] = resize_padding_mask(
            padding, (maps.shape[-2], maps.shape[-1])
        ).flatten(0, 1)
    return stages


def _text_stages(recorder: Recorder) -> dict[str, Tensor]:
    words, sentence = recorder.calls["text_projection"]
    stages = {"text_last_hidden": recorder.first("text_last_hidden")}
    stages["text_pooled"] = recorder.first("text_pooled")
    return {**stages, "text_words": words, "text_sentence": sentence}


def _transformer_stages(
    model: ReferFormer, recorder: Recorder, video: ReferFormerVideoFeatures, output: ReferFormerOutput
) -> dict[str, Tensor]:
    stages = {
        f"pos_{index}": positions.unflatten(2, mask.shape[-2:]).permute(0, 1, 4, 2, 3).flatten(0, 1)
        for index, (positions, mask) in enumerate(
            zip(video.positions[:-1], video.padding_masks[:-1], strict=True)
        )
    }
    fused = recorder.first("fusion").split([h * w for h, w in video.sizes], dim=2)
    for index, cells in enumerate(fused):
        stages[f"input_proj_{index}"] = torch.cat(recorder.calls[f"input_proj_{index}"])
        stages[f"fused_{index}"] = cells.flatten(1, 2).transpose(0, 1)
    stages["enc0_attn_out"] = torch.cat(recorder.calls["enc0_attn_out"])  # one frame at a time
    for index in range(len(model.encoder)):
        stages[f"encoder_{index}"] = torch.cat(recorder.calls[f"encoder_{index}"])
    num_frames = len(stages["enc0_attn_out"])
    stages["init_reference"] = (
        model.reference_points(model.queries.weight).sigmoid().expand(num_frames, -1, -1)
    )
    stages["hs"] = torch.stack([recorder.first(f"hs_{index}") for index in range(len(model.decoder))])
    stages["inter_references"] = output.boxes.flatten(1, 2)
    for index, (logits, boxes) in enumerate(zip(output.class_logits, output.boxes, strict=True)):
        is_last = index == len(output.boxes) - 1
        stages["pred_logits" if is_last else f"aux{index}_logits"] = logits
        stages["pred_boxes" if is_last else f"aux{index}_boxes"] = boxes
    stages["reference_points"] = output.boxes[-2][..., :2]
    return stages


def _mask_stages(recorder: Recorder, output: ReferFormerOutput) -> dict[str, Tensor]:
    stages = {}
    for level in range(4, 0, -1):
        stages[f"lateral_{level}"] = torch.cat(recorder.calls[f"lateral_{level}"])
        read = recorder.first(f"fpn_cross_attn_{level}")
        stages[f"fpn_cross_attn_{level}"] = read.flatten(1, 2).transpose(0, 1)
        stages[f"fpn_out_{level}"] = torch.cat(recorder.calls[f"fpn_out_{level}"])
    stages["mask_features"] = output.mask_features.flatten(0, 1)
    last = len(output.boxes) - 1
    for index in range(last):
        stages[f"aux{index}_masks"] = output.mask_logits(index)
    stages["controller_last"] = output.kernels[-1].flatten(0, 1)
    stages["pred_masks"] = output.mask_logits(last)
    return stages


def _choose(masks: Tensor, queries: Tensor | None) -> Tensor:
    """Pick queries ``[b, k]`` from ``[b, t, q, h, w]``."""
    if queries is None:
        return masks
    rows = torch.arange(len(queries))[:, None]
    return masks.transpose(1, 2)[rows, queries].transpose(1, 2)


def _loss_config(options: Mapping[str, Any]) -> ReferFormerConfig:
    weights = options["weights"]
    return ReferFormerConfig(
        num_classes=options["classes"],
        class_weight=weights["class"],
        box_weight=weights["bbox"],
        giou_weight=weights["giou"],
        mask_weight=weights["mask"],
        dice_weight=weights["dice"],
    )


def _term(name: str) -> str:
    """Return the name of the weight of a loss."""
    term = name.rstrip("0123456789").removesuffix("_").removeprefix("loss_")
    return "class" if term == "ce" else term
