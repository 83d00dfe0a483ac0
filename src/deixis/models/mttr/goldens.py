"""Goldens of MTTR: our network, losses and post-processing run as the published ones were recorded.

Axes: b clips (one expression each), t frames, l decoder layers, q queries, c channels, h w cells, n objects.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from deixis.models.golden import GoldenRun
from deixis.models.mttr.config import VARIANTS, MttrConfig
from deixis.models.mttr.convert import RENAMING
from deixis.models.mttr.criterion import Objects, losses, match, matching_costs, objects_of
from deixis.models.mttr.model import Mttr
from deixis.models.mttr.output import MttrOutput, MttrVideoFeatures
from deixis.models.mttr.postprocess import vote
from deixis.models.recorder import Recorder
from deixis.ops.masks import masks_at_size
from deixis.ops.padding import resize_padding_mask, stack_clips
from deixis.structures import Clip, Target, Tokens

PAD = 1
"""The padding token of RoBERTa."""


def run(golden: GoldenRun) -> dict[str, np.ndarray]:
    """Return our arrays under the golden's names, whole, in the order of the forward pass.

    Raises:
        ValueError: the kind of golden is none that MTTR has.
    """
    runs = {"network": run_network, "loss": run_losses, "postprocess": run_postprocess}
    if golden.kind not in runs:
        raise ValueError(f"MTTR has no goldens of kind {golden.kind!r}; it has {', '.join(runs)}")
    arrays = runs[golden.kind](golden)
    return {name: value.detach().numpy() for name, value in arrays.items()}


def run_network(golden: GoldenRun) -> dict[str, Tensor]:
    """Run the network with the drawn parameters and record its stages."""
    model = build(golden)
    videos = [torch.from_numpy(video) for video in golden.inputs["videos"]]
    frames, padding_mask = stack_clips(videos)
    t = frames.shape[1]
    kept = tuple(golden.options.get("annotated_frames", range(t)))
    clip = Clip(frames, padding_mask, None if kept == tuple(range(t)) else kept)
    ids = torch.tensor(golden.inputs["tokens"])
    recorder = listen_to(model)
    with torch.inference_mode():
        video = model.encode_video(clip)
        output = model(video, model.encode_text(Tokens(ids, ids == PAD)))
        maps = model.backbone(frames) if clip.annotated_frames else recorder.first("backbone")
    stages = {"patch_embed": recorder.first("patch_embed").permute(0, 4, 1, 2, 3)}
    stages |= {f"stage{index}": features.transpose(1, 2) for index, features in enumerate(maps, start=1)}
    stages["pad_mask_stage3"] = resize_padding_mask(padding_mask, maps[-1].shape[-2:]).transpose(0, 1)
    stages |= _transformer_stages(recorder, video)
    stages |= _decoded_stages(recorder, output)
    if "segment_voting" in golden.options:
        stages |= _voting_stages(output, tuple(frames.shape[-2:]), golden.options["segment_voting"])
    return stages


def run_postprocess(golden: GoldenRun) -> dict[str, Tensor]:
    """Turn drawn predictions into masks as for A2D-Sentences (one frame) and Refer-YouTube-VOS (voting)."""
    masks = torch.from_numpy(golden.inputs["pred_masks"])  # t b q h w
    referring = torch.from_numpy(golden.inputs["pred_is_referred"])  # t b q 2
    frame = golden.options["a2d_frame"]
    padded_size = tuple(golden.inputs["padded_size"])
    sizes = list(zip(golden.inputs["resized_sizes"], golden.inputs["original_sizes"], strict=True))
    arrays = {}
    one = output_of([masks[frame : frame + 1]], [referring[frame : frame + 1]])
    trajectories = vote(one)
    every = torch.arange(masks.shape[2]).expand(masks.shape[1], -1)
    logits = trajectories.make_mask_logits(every)  # b 1 q h w
    for index, (resized, original) in enumerate(sizes):
        arrays[f"a2d_masks{index}"] = masks_at_size(
            logits[index, 0], padded_size, tuple(resized), tuple(original)
        )
        arrays[f"a2d_scores{index}"] = trajectories.scores[index]
    voting = {
        "resized_sizes": golden.inputs["resized_sizes"],
        "original_sizes": golden.inputs["original_sizes"],
    }
    voted = _voting_stages(output_of([masks], [referring]), padded_size, voting)
    names = {"traj_scores": "tsvs_scores", "traj_index": "tsvs_index"}
    arrays |= {names.get(name, name.replace("_mask", "_masks")): value for name, value in voted.items()}
    return arrays


def run_losses(golden: GoldenRun) -> dict[str, Tensor]:
    """Match and score drawn predictions in every case of the golden, and take the gradients of the total."""
    arrays = {}
    for case, inputs in golden.inputs.items():
        arrays |= {f"{case}_{name}": value for name, value in _run_case(golden, inputs).items()}
    return arrays


def build(golden: GoldenRun) -> Mttr:
    """Build the variant of the golden with its parameters, in evaluation mode."""
    config = VARIANTS[f"mttr-{golden.variant}"]
    num_queries = len(golden.parameters["obj_queries.weight"])
    model = Mttr(replace(config, num_queries=num_queries))
    tensors, unknown = RENAMING.to_ours({k: torch.from_numpy(v) for k, v in golden.parameters.items()})
    if unknown:
        raise ValueError(f"the layout has names that no MTTR has, such as {unknown[0]!r}")
    model.load_state_dict(tensors, strict=True)
    return model.eval()


def listen_to(model: Mttr) -> Recorder:
    """Record the stages of ``model``."""
    named: dict[str, nn.Module] = {
        "patch_embed": model.backbone.patch_embed,
        "backbone": model.backbone,
        "text_hidden": model.text_encoder,
        "text_proj": model.text_projection,
        "decoder_norm": model.decoder_norm,
    }
    named |= {f"encoder{index}": layer for index, layer in enumerate(model.encoder, start=1)}
    for index, layer in enumerate(model.pixel_decoder.convolutions, start=1):
        named[f"seg_lay{index}"] = layer
    return Recorder(named)


def output_of(masks: Sequence[Tensor], referring_logits: Sequence[Tensor]) -> MttrOutput:
    """Make an output whose mask logits are the given ones, a ``[t, b, q, h, w]`` for each layer.

    The masks of all layers become the mask features, and each kernel picks one of them.
    """
    num_layers, (t, b, q) = len(masks), masks[0].shape[:3]
    features = torch.cat(list(masks), dim=2).transpose(0, 1)  # b t (l q) h w
    kernels = torch.eye(num_layers * q).unflatten(0, (num_layers, 1, 1, q)).expand(-1, b, t, -1, -1)
    referring = torch.stack(list(referring_logits)).transpose(1, 2)  # l b t q 2
    return MttrOutput(referring, kernels, features, torch.zeros(b, t, dtype=torch.bool))


def _transformer_stages(recorder: Recorder, video: MttrVideoFeatures) -> dict[str, Tensor]:
    b, t, _, h, w = video.maps[-1].shape
    stages = {
        "text_hidden": recorder.first("text_hidden"),
        "text_proj": recorder.first("text_proj").transpose(0, 1),
        "vid_embed_proj": _time_first(video.maps[-1]),
        "pos": _time_first(video.positions.unflatten(2, (h, w))),
    }
    for index in range(1, len([name for name in recorder.calls if name.startswith("encoder")]) + 1):
        tokens = recorder.first(f"encoder{index}").unflatten(0, (b, t))
        stages[f"encoder{index}"] = _time_first(tokens).transpose(0, 1)  # token (t b) c
    decoded = torch.stack(recorder.calls["decoder_norm"])  # l (b t) q c
    decoded = decoded.unflatten(1, (b, t)).transpose(1, 2).flatten(1, 2)  # l (t b) q c
    stages["hs"] = decoded.transpose(1, 2)
    return stages


def _decoded_stages(recorder: Recorder, output: MttrOutput) -> dict[str, Tensor]:
    batch = output.frame_padding.shape
    stages = {"kernels": output.kernels.transpose(1, 2)}
    for name in sorted(name for name in recorder.calls if name.startswith("seg_lay")):
        stages[name] = _time_first(recorder.first(name).unflatten(0, batch))
    stages["seg"] = _time_first(output.mask_features)
    stages["pred_is_referred"] = output.referring_logits.transpose(1, 2)
    layers = range(len(output.kernels))
    stages["pred_masks"] = torch.stack([output.mask_logits(layer).transpose(0, 1) for layer in layers])
    return stages


def _voting_stages(
    output: MttrOutput, padded_size: tuple[int, ...], options: Mapping[str, Any]
) -> dict[str, Tensor]:
    trajectories = vote(output, "all")
    logits = trajectories.make_mask_logits(trajectories.best[:, None])[:, :, 0]  # b t h w
    stages = {"traj_scores": trajectories.scores, "traj_index": trajectories.best}
    sizes = zip(options["resized_sizes"], options["original_sizes"], strict=True)
    for index, (resized, original) in enumerate(sizes):
        masks = masks_at_size(logits[index], padded_size, tuple(resized), tuple(original))
        stages[f"tsvs_mask{index}"] = masks
    return stages


def _run_case(golden: GoldenRun, inputs: Mapping[str, Any]) -> dict[str, Tensor]:
    config = _loss_config(golden.options)
    masks = [torch.from_numpy(layer["pred_masks"]).requires_grad_() for layer in inputs["layers"]]
    referring = [torch.from_numpy(layer["pred_is_referred"]).requires_grad_() for layer in inputs["layers"]]
    targets = [
        Target(
            torch.from_numpy(golden.stored[target["masks"]]).transpose(0, 1),
            (target["referred_instance"],),
            has_visibility=inputs["visibility_flags"],
        )
        for target in inputs["targets"]
    ]
    objects = objects_of(targets, config)
    arrays = {}
    for layer, (logits, scores) in enumerate(zip(masks, referring, strict=True)):
        arrays |= {
            f"layer{layer}_{name}": value
            for name, value in _matching(logits, scores, objects, config).items()
        }
    terms = losses(output_of(masks, referring), targets, config)
    weights = golden.options["weights"]
    total = sum(weights[_term(name)] * value for name, value in terms.items())
    gradients = torch.autograd.grad(total, [*masks, *referring])
    arrays |= {**terms, "total": total}
    for layer in range(len(masks)):
        arrays[f"layer{layer}_grad_masks"] = gradients[layer]
        arrays[f"layer{layer}_grad_ref"] = gradients[len(masks) + layer]
    return arrays


def _matching(
    logits: Tensor, scores: Tensor, objects: Sequence[Objects], config: MttrConfig
) -> dict[str, Tensor]:
    """Return the costs of every query of every video with every target, and each video's match."""
    size = objects[0].masks.shape[-2:]
    full = nn.functional.interpolate(logits.detach().flatten(0, 1), size=size, mode="bilinear")
    full = full.unflatten(0, logits.shape[:2])  # t b q H W
    together = Objects(
        *(
            torch.cat([getattr(item, name) for item in objects])
            for name in ("masks", "is_referred", "is_visible")
        )
    )
    b = logits.shape[1]
    costs = [matching_costs(full[:, video], scores.detach()[:, video], together) for video in range(b)]
    arrays = {
        "cost_dice": torch.cat([dice for dice, _ in costs]),
        "cost_ref": torch.cat([referring for _, referring in costs]),
    }
    for video in range(b):
        pairs = match(full[:, video], scores.detach()[:, video], objects[video], config)
        arrays[f"match{video}"] = torch.stack(pairs)
    return arrays


def _loss_config(options: Mapping[str, Any]) -> MttrConfig:
    return MttrConfig(
        dice_cost=options["cost_dice"],
        referring_cost=options["cost_is_referred"],
        no_object_weight=options["no_object_weight"],
        has_auxiliary_losses=options["auxiliary_layers"] > 0,
    )


def _term(name: str) -> str:
    return name.rstrip("0123456789").removesuffix("_")


def _time_first(value: Tensor) -> Tensor:
    """Merge batch and time with time as the slow index: ``[b, t, ...]`` to ``[(t b), ...]``."""
    return value.transpose(0, 1).flatten(0, 1)
