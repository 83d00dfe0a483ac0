"""Goldens of UniRef: our network and its way through videos run as the published ones were recorded.

Axes: b images (one expression or object each), q queries, v levels, c channels, h w cells, H W pixels.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from deixis.models.golden import GoldenRun
from deixis.models.recorder import Recorder
from deixis.models.uniref.config import VARIANTS
from deixis.models.uniref.convert import RENAMING
from deixis.models.uniref.criterion import (
    MaskTeaching,
    losses,
    match,
    predictions,
    truths_of,
    weigh,
)
from deixis.models.uniref.golden_losses import loss_arrays
from deixis.models.uniref.model import UniRef
from deixis.models.uniref.online import take_step
from deixis.models.uniref.output import STRIDE, UniRefOutput, UniRefVideoFeatures
from deixis.models.uniref.reference import MaskReference, concatenate
from deixis.ops.masks import aligned_upsample, smooth_probabilities
from deixis.ops.merging import merge_by_product
from deixis.ops.padding import pad_to_multiple, stack_clips
from deixis.structures import Clip, Target, TextFeatures, Tokens

PAD = 0
"""The padding token of BERT."""

NAMES = {"r50": "resnet50", "swin-l": "swin-l"}
"""Variant of a golden -> backbone in the name of ours."""


def run(golden: GoldenRun) -> dict[str, np.ndarray]:
    """Return our arrays under the golden's names, whole.

    Raises:
        ValueError: the kind of golden is none that UniRef has.
    """
    if golden.kind not in ("network", "loss"):
        raise ValueError(f"UniRef has no goldens of kind {golden.kind!r} here; it has network and loss")
    with torch.inference_mode():
        arrays = loss_arrays(golden) if golden.kind == "loss" else Runs(golden, build(golden)).arrays()
    return {name: value.numpy() for name, value in arrays.items()}


def build(golden: GoldenRun) -> UniRef:
    """Build the variant of the golden with its parameters, in evaluation mode."""
    threshold = golden.options.get("score_threshold", 0.0)
    config = replace(
        VARIANTS[f"uniref-plus-{NAMES[str(golden.variant)]}"],
        num_queries=len(golden.parameters["detr.detr.query_embed.weight"]),
        expression_threshold=threshold,
        mask_threshold=threshold,
    )
    model = UniRef(config)
    tensors, unknown = RENAMING.to_ours({k: torch.from_numpy(v) for k, v in golden.parameters.items()})
    if unknown:
        raise ValueError(f"the layout has names that no UniRef has, such as {unknown[0]!r}")
    model.load_state_dict(tensors, strict=True)
    return model.eval()


@dataclass
class Runs:
    """All runs of a golden, by the sections of its inputs."""

    golden: GoldenRun
    model: UniRef

    def arrays(self) -> dict[str, Tensor]:
        """Return what every run gives."""
        inputs = self.golden.inputs
        arrays: dict[str, Tensor] = {}
        references = {}
        for name, entry in inputs.get("references", {}).items():
            references[name] = self._reference(entry)
            for level, (value, embedding) in enumerate(self._levels(entry, references[name])):
                arrays[f"{name}.value{level}"], arrays[f"{name}.embed{level}"] = value, embedding
        best: dict[str, Tensor] = {}
        for name, entry in inputs.get("runs", {}).items():
            parts = [references[part] for part in _once(entry.get("references", []))]
            masks = concatenate(parts) if parts else None
            if "targets" in entry:
                learned = self._learn(entry, masks)
                arrays |= {f"{name}.{kind}": value for kind, value in learned.items()}
                continue
            stages, found = self._run(entry, masks)
            arrays |= {f"{name}.{stage}": value for stage, value in stages.items()}
            best |= {} if found is None else {name: found}
        for name, entry in inputs.get("labels", {}).items():
            sizes = [self._sizes(inputs["runs"][part]["images"]) for part in entry["runs"]]
            soft = [
                smooth_probabilities(best[part], padded, valid, tuple(entry["size"]))[0]
                for part, (padded, valid) in zip(entry["runs"], sizes, strict=True)
            ]
            arrays[f"{name}.label"] = _labels(torch.stack(soft))
        for name, entry in inputs.get("loops", {}).items():
            loop = {"rvos": self._follow, "rvos_independent": self._each, "vos": self._compete}[entry["loop"]]
            arrays |= {f"{name}.{kind}": value for kind, value in loop(entry).items()}
        return arrays

    def _run(
        self, entry: Mapping[str, Any], masks: MaskReference | None
    ) -> tuple[dict[str, Tensor], Tensor | None]:
        """Return the stages of a run, and the mask logits of its best query."""
        recorder = Recorder(
            {
                "backbone": self.model.backbone,
                "hidden": self.model.text_encoder,
                "fusion": self.model.fusion,
                "controller": self.model.controller,
            }
        )
        stages: dict[str, Tensor] = {}
        text = None
        if "tokens" in entry:
            text = self._text(entry["tokens"])
            assert text.sentence is not None
            stages |= {"hidden": recorder.first("hidden"), "refs": text.words, "embed": text.sentence}
        if masks is not None:
            stages |= {f"embed{level}": value for level, value in enumerate(masks.embeddings)}
        if "images" not in entry:
            return stages, None
        video = self._video(entry["images"])
        output = self.model(video, text, masks=masks)
        stages |= _input_stages(recorder, video) | _decoder_stages(output)
        ranks = output.scores[:, 0].sort(dim=1, descending=True, stable=True).indices  # b q
        logits = output.mask_logits()[:, 0]  # b q h w
        logits = aligned_upsample(logits, STRIDE) if entry["task"] == "vos" else logits
        stages |= {
            "masks_sub": logits,
            "params": recorder.first("controller")[:, 0],
        }
        stages |= {"top": ranks, "masks_top": logits.gather(1, ranks[..., None, None].expand_as(logits))}
        return stages, stages["masks_top"][:, 0]

    def _learn(self, entry: Mapping[str, Any], masks: MaskReference | None) -> dict[str, Tensor]:
        """Return the losses of every layer and the queries that they match, as training has them."""
        video = self._video(entry["images"])
        text = self._text(entry["tokens"]) if "tokens" in entry else None
        output = self.model(video, text, masks=masks)
        padded = (int(video.frames.shape[-2]), int(video.frames.shape[-1]))
        targets = [Target(_rectangle(rect, padded)[None, None], (0,)) for rect in entry["targets"]]
        truths = truths_of(targets, video.frame_sizes)
        arrays = {f"{name}": value for name, value in _decoder_stages(output).items()}
        for layer, prediction in enumerate(predictions(output)):
            pairs = match(prediction, truths)
            arrays |= {f"l{layer}.q{image}": queries for image, (queries, _) in enumerate(pairs)}
            arrays["nmatch"] = torch.tensor([len(queries) for queries, _ in pairs])
        named = losses(output, truths, MaskTeaching(is_fine=entry["task"] == "vos"))
        total = torch.stack([*weigh(named, self.model.config).values()]).sum()
        return {**arrays, **named, "total": total}

    def _follow(self, entry: Mapping[str, Any]) -> dict[str, Tensor]:
        """Return the masks of one expression, frame after frame."""
        state = self.model.start(self._text(entry["tokens"]), size=tuple(entry["size"]))
        found = []
        for image in entry["images"]:
            answer, state = take_step(self.model, self._video([image]), state)
            found.append(answer.masks[0])
        return {"masks": torch.stack(found)}

    def _each(self, entry: Mapping[str, Any]) -> dict[str, Tensor]:
        """Return the label maps of expressions in frames that know nothing of each other."""
        text = self._text(entry["tokens"])
        found = []
        for image in entry["images"]:
            state = self.model.start(text, size=tuple(entry["size"]))
            answer, _ = take_step(self.model, self._video([image]), state)
            found.append(_labels(answer.probabilities))
        return {"label": torch.stack(found)}

    def _compete(self, entry: Mapping[str, Any]) -> dict[str, Tensor]:
        """Return the label maps of objects that are given in some frame and followed from there."""
        size = tuple(entry["size"])
        state = self.model.start(None, torch.zeros(0, *size, dtype=torch.bool), size)
        written = []
        for index, image in enumerate(entry["images"]):
            video = self._video([image])
            shown = entry["given"].get(str(index), {})
            width, height = (int(extent) for extent in video.frame_sizes[0])
            masks = {int(number): _rectangle(rect, (height, width)) for number, rect in shown.items()}
            answer, state = take_step(self.model, video, self.model.give_masks(state, masks))
            if index in entry["written"]:
                numbers = torch.tensor(state["objects"], dtype=torch.uint8)
                painted = answer.masks.to(torch.uint8) * numbers[:, None, None]
                written.append(painted.sum(dim=0, dtype=torch.uint8))
        return {"label": torch.stack(written)}

    def _text(self, names: Sequence[str]) -> TextFeatures:
        rows = [self.golden.inputs["tokens"][name] for name in names]
        longest = max(len(row) for row in rows)
        padded = [[*row, *[PAD] * (longest - len(row))] for row in rows]
        hidden = [[False] * len(row) + [True] * (longest - len(row)) for row in rows]
        return self.model.encode_text(Tokens(torch.tensor(padded), torch.tensor(hidden)))

    def _video(self, names: Sequence[str]) -> UniRefVideoFeatures:
        return self.model.encode_video(self._clip(names))

    def _clip(self, names: Sequence[str]) -> Clip:
        """Normalise images and pad them to multiples of the largest, one clip of one frame each."""
        inputs = self.model.config.inputs
        mean, std = (255 * torch.tensor(value)[:, None, None] for value in (inputs.mean, inputs.std))
        images = [torch.from_numpy(self.golden.inputs["images"][name]) for name in names]
        clips, padding_mask = stack_clips([((image - mean) / std)[None] for image in images])
        return Clip(*pad_to_multiple(clips, padding_mask, inputs.pad_multiple))

    def _reference(self, entry: Mapping[str, Any]) -> MaskReference:
        clip = self._clip(entry["images"])
        padded = (int(clip.frames.shape[-2]), int(clip.frames.shape[-1]))
        masks = torch.stack([_rectangle(rect, padded) for rect in entry["rects"]])
        if entry.get("aggregate"):
            return self.model.learn_examples(clip, masks)
        return self.model.encode_masks(self.model.encode_video(clip), masks)

    def _levels(self, entry: Mapping[str, Any], reference: MaskReference) -> list[tuple[Tensor, Tensor]]:
        """Return values as maps, where they are not pooled, and embeddings of each level."""
        maps = [level for level in reference.values]
        if not entry.get("aggregate"):
            sizes = self._video(entry["images"]).sizes
            maps = [level.transpose(1, 2).unflatten(2, size) for level, size in zip(maps, sizes, strict=True)]
        return list(zip(maps, reference.embeddings, strict=True))

    def _sizes(self, names: Sequence[str]) -> tuple[tuple[int, int], tuple[int, int]]:
        """Return the padded and the own size of the first of the images."""
        height, width = self.golden.inputs["images"][names[0]].shape[-2:]
        video = self._video(names)
        return (int(video.frames.shape[-2]), int(video.frames.shape[-1])), (height, width)


def _input_stages(recorder: Recorder, video: UniRefVideoFeatures) -> dict[str, Tensor]:
    stages = {f"res{index}": maps[:, 0] for index, maps in enumerate(recorder.first("backbone"), start=2)}
    positions = video.positions[0][:, 0].transpose(1, 2).unflatten(2, video.sizes[0])
    stages |= {"pos0": positions, "pos1": positions}  # the recorded "pos1" is of level 0, too
    fused = recorder.first("fusion")
    for level, (size, cells) in enumerate(zip(video.sizes, fused, strict=True)):
        stages[f"proj{level}"] = video.maps[level + 1][:, 0]
        stages[f"mask_l{level}"] = video.padding_masks[level + 1][:, 0]
        stages[f"fused{level}"] = cells.transpose(1, 2).unflatten(2, size)
    return stages


def _decoder_stages(output: UniRefOutput) -> dict[str, Tensor]:
    return {
        "memory": output.memory[:, 0],
        "enc_logits": output.proposals.logits,
        "topk": output.proposals.chosen,
        "init_ref": output.proposals.boxes,
        "ref_l4": output.looked_at[-1, :, 0],
        "hs": output.queries[-1, :, 0],
        "maskfeat": output.mask_features[:, 0],
        "logits": output.class_logits[-1, :, 0, :, 0],
        "boxes": output.boxes[-1, :, 0],
    }


def _once(names: Sequence[str]) -> list[str]:
    """Return each name once: a doubled reference weighs nothing in a softmax."""
    return list(dict.fromkeys(names))


def _rectangle(rect: Sequence[int], size: tuple[int, int]) -> Tensor:
    mask = torch.zeros(size, dtype=torch.bool)
    mask[rect[0] : rect[1], rect[2] : rect[3]] = True
    return mask


def _labels(probabilities: Tensor) -> Tensor:
    return torch.from_numpy(merge_by_product(probabilities.numpy()))
