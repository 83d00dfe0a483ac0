"""Goldens of RefVOS: our network, loss and post-processing run as the published ones were recorded.

Axes: b images (one expression each), c channels, h w cells, H W pixels.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from deixis.losses.pixels import mean_of_valid, pixel_losses
from deixis.models.frame_model import FrameModel
from deixis.models.golden import GoldenRun
from deixis.models.recorder import Recorder
from deixis.models.refvos.config import VARIANTS
from deixis.models.refvos.convert import RENAMING
from deixis.models.refvos.model import RefVos
from deixis.models.score_maps import ScoreMaps
from deixis.ops.masks import masks_at_size
from deixis.ops.merging import paint
from deixis.ops.padding import stack_clips
from deixis.structures import Clip, Tokens

PAD = 0
"""The padding token of BERT."""


def run(golden: GoldenRun) -> dict[str, np.ndarray]:
    """Return our arrays under the golden's names, whole, in the order of the forward pass.

    Raises:
        ValueError: the kind of golden is none that RefVOS has.
    """
    runs = {"network": run_network, "loss": run_loss, "postprocess": run_postprocess}
    if golden.kind not in runs:
        raise ValueError(f"RefVOS has no goldens of kind {golden.kind!r}; it has {', '.join(runs)}")
    arrays = runs[golden.kind](golden)
    return {name: value.detach().numpy() for name, value in arrays.items()}


def run_network(golden: GoldenRun) -> dict[str, Tensor]:
    """Run the network with the drawn parameters on the images of each run and record its stages."""
    model = build(golden)
    fusion = model.fusion
    arrays: dict[str, Tensor] = {}
    for prefix, inputs in runs_of(golden).items():
        stages = run_images(model, fusion, inputs["videos"], inputs["tokens"])
        target = golden.stored.get(f"in_{prefix}target")
        if target is not None:
            labels = torch.from_numpy(target)
            stages["loss"] = mean_of_valid(pixel_losses(stages["logits"], labels), labels)
        arrays |= {f"{prefix}{stage}": value for stage, value in stages.items()}
    return arrays


def runs_of(golden: GoldenRun) -> dict[str, Mapping[str, Any]]:
    """Return the inputs of each run by the prefix of its arrays; a single run has none."""
    if "videos" in golden.inputs:
        return {"": golden.inputs}
    return {f"{name}_": inputs for name, inputs in golden.inputs.items() if "videos" in inputs}


def run_loss(golden: GoldenRun) -> dict[str, Tensor]:
    """Take the loss of stored scores and its gradient."""
    scores = torch.from_numpy(golden.stored["in_logits"]).requires_grad_()
    labels = torch.from_numpy(golden.stored["in_target"])
    loss = mean_of_valid(pixel_losses(scores, labels), labels)
    return {"loss": loss, "grad_logits": torch.autograd.grad(loss, scores)[0]}


def run_postprocess(golden: GoldenRun) -> dict[str, Tensor]:
    """Turn stored scores into masks, and masks of objects into a label map."""
    scores = torch.from_numpy(golden.stored["in_logits_low"])
    size = tuple(golden.options["size"])
    output = ScoreMaps(scores[:, None], torch.zeros(1, 1, *size, dtype=torch.bool))
    masks = masks_at_size(output.mask_logits[:, 0], size, size, size)
    objects = golden.stored["in_object_masks"].astype(bool)
    merged = paint(objects, golden.stored["in_object_ids"].tolist())
    return {"masks": masks.to(torch.uint8), "merged": torch.from_numpy(merged)}


def build(golden: GoldenRun) -> RefVos:
    """Build the variant of the golden with its parameters, in evaluation mode."""
    model = RefVos(VARIANTS[f"refvos-{golden.variant}"])
    tensors, unknown = RENAMING.to_ours({k: torch.from_numpy(v) for k, v in golden.parameters.items()})
    if unknown:
        raise ValueError(f"the layout has names that no RefVOS has, such as {unknown[0]!r}")
    model.load_state_dict(tensors, strict=True)
    return model.eval()


def run_images(
    model: FrameModel, fusion: nn.Module, images: list[np.ndarray], tokens: list[list[int]]
) -> dict[str, Tensor]:
    """Run ``model`` on images with one expression each, and return its stages.

    Args:
        model: a RefVOS, or another network with its parts.
        fusion: the module that fuses the coarsest map with the sentences.
        images: ``float [3, H, W]``, or clips of one frame, padded with zeros to the largest.
        tokens: of each expression; 0 is padding.
    """
    frames, _ = stack_clips([torch.from_numpy(image).reshape(1, *image.shape[-3:]) for image in images])
    ids = torch.tensor(tokens)
    bert = model.get_submodule("text_encoder.encoder")
    branches = [f"aspp.branches.{index}" for index in range(4)]
    named: dict[str, nn.Module] = {
        "bert_embeddings": bert.get_submodule("embeddings"),
        "bert_layer0": bert.get_submodule("encoder.layer.0"),
        "bert_layer5": bert.get_submodule("encoder.layer.5"),
        "stem": model.get_submodule("backbone.maxpool"),
        "backbone": model.get_submodule("backbone"),
        **{f"aspp{index}": model.get_submodule(name) for index, name in enumerate(branches)},
        "aspp4": model.get_submodule("aspp.pooling"),
        "visual": model.get_submodule("aspp"),
        "embedding": fusion.get_submodule("embedding_norm"),
        "fused": fusion,
        "head": model.get_submodule("head.smooth"),
    }
    recorder = Recorder(named)
    with torch.inference_mode():
        # No padding mask: what is added to smaller images is pixels like any others.
        video = model.encode_video(Clip(frames, torch.zeros_like(frames[:, :, 0], dtype=torch.bool)))
        text = model.encode_text(Tokens(ids, ids == PAD))
        output = model(video, text)
    stages = {name: calls[-1] for name, calls in recorder.calls.items() if name != "backbone"}
    stages |= {name: _first(value) for name, value in stages.items() if name.startswith("bert_layer")}
    maps = recorder.calls["backbone"][-1]
    stages |= {f"layer{index}": layer[:, 0] for index, layer in enumerate(maps, start=1)}
    stages["aspp4"] = stages["aspp4"].expand_as(stages["aspp0"])
    stages["fused"] = stages["fused"][:, 0]
    logits = output.at_input_size()
    assert text.sentence is not None
    return {
        **stages,
        "bert_last": text.words,
        "bert_cls": text.sentence,
        "logits_low": output.scores[:, 0],
        "logits": logits,
        "mask": logits.argmax(dim=1).to(torch.uint8),
    }


def _first(value: Tensor | tuple[Tensor, ...]) -> Tensor:
    """Return what a layer of BERT gives, which some versions of the library wrap in a tuple."""
    return value[0] if isinstance(value, tuple) else value
