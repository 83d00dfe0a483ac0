"""Goldens of CFBI: our network, matching, propagation and loss run as the published ones were recorded.

Axes: n objects with the background first, c channels, t frames, h w cells, H W pixels of the video.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from deixis.models.golden import GoldenRun
from deixis.models.recorder import Recorder
from deixis.propagators.base import ObjectMasks
from deixis.propagators.golden_runs import ChosenMasks, follow_run

from .convert import to_ours
from .criterion import hard_pixel_loss, share_at
from .matching import attention_vectors, global_distances, local_distances, of_the_others, one_hot
from .network import CfbiNetwork, KnownFrame
from .plus import CfbiPlusNetwork
from .propagator import CfbiPropagator, CfbiState, build_network, put_given

_NAMES = {"resnet101_cfbi": "cfbi", "mobilenet_cfbi": "cfbi-mobilenet", "resnet101_cfbip": "cfbi-plus"}
"""Variant of a golden -> ours."""


def run(golden: GoldenRun) -> dict[str, np.ndarray]:
    """Return our arrays under the golden's names, whole, in the order of the forward pass.

    Raises:
        ValueError: the kind of golden or its variant is none that CFBI has here.
    """
    runs = {"network": run_network, "propagation": run_propagation, "ops": run_matching, "loss": run_loss}
    if golden.kind not in runs:
        raise ValueError(f"CFBI has no goldens of kind {golden.kind!r}; it has {', '.join(runs)}")
    with torch.inference_mode():
        arrays = runs[golden.kind](golden)
    return {name: np.asarray(value) for name, value in arrays.items()}


def build(golden: GoldenRun) -> CfbiNetwork | CfbiPlusNetwork:
    """Build the variant of the golden with its parameters, in evaluation mode."""
    if golden.variant not in _NAMES:
        raise ValueError(f"the variant {golden.variant!r} of CFBI is not here; {', '.join(_NAMES)} are")
    network = build_network(_NAMES[golden.variant])
    tensors, unknown = to_ours({name: torch.from_numpy(value) for name, value in golden.parameters.items()})
    if unknown:
        raise ValueError(f"the layout has names that CFBI has not, such as {unknown[0]!r}")
    network.load_state_dict(tensors, strict=True)
    return network.eval()


def run_network(golden: GoldenRun) -> dict[str, Tensor]:
    """Record the features of frame 0 and, where a frame is asked for, all stages of its prediction."""
    network = build(golden)
    frames = torch.from_numpy(golden.inputs["frames"])
    recorder = Recorder(_stages(network))
    first = network.encode(frames[:1])
    arrays = {
        "net.layer4": recorder.first("backbone")[-1][:, 0],
        "net.low_level": first.low_level[None],
        "net.aspp": recorder.first("aspp"),
        "net.decoder": recorder.first("decoder"),
        "net.embedding": first.embeddings[0][None],
        **{f"net.emb{4 << level}": one[None] for level, one in enumerate(first.embeddings)},
    }
    if "query_frame" not in golden.options:
        return arrays
    if not isinstance(network, CfbiNetwork):
        raise ValueError("of CFBI+ there are no stages of a prediction to compare")
    return arrays | _run_step(network, golden, frames, recorder)


def _stages(network: nn.Module) -> dict[str, nn.Module]:
    names = {"backbone": "features.backbone", "aspp": "features.aspp", "decoder": "features.smooth"}
    names |= {"stage1": "head.layers.1", "stage2": "head.layers.4", "stage3": "head.layers.7"}
    names |= {"head_aspp": "head.aspp", "head": "head"}
    return {name: network.get_submodule(path) for name, path in names.items()}


def _run_step(
    network: CfbiNetwork, golden: GoldenRun, frames: Tensor, recorder: Recorder
) -> dict[str, Tensor]:
    options, objects = golden.options, golden.inputs["objects"]
    labels = torch.from_numpy(golden.stored[golden.inputs["labels"]])
    count = len(objects) + 1
    known = {}
    for place in {*options["reference_frames"], options["previous_frame"]}:
        embeddings = network.encode(frames[place][None]).embeddings
        known[place] = KnownFrame(embeddings, _slots(labels[place], objects))
    references = [known[place] for place in options["reference_frames"]]
    previous = known[options["previous_frame"]]
    query = network.encode(frames[options["query_frame"]][None])
    placed, last = [one.placed(count) for one in references], previous.placed(count)
    own = query.embeddings[0]
    biases = network.biases(count)
    logits = network.score(query, references, previous, count)
    sized = F.interpolate(logits[None], labels.shape[1:], mode="bilinear", align_corners=True)
    foreground, background = recorder.first("head")
    return {
        "step.global": _last_axis(global_distances(own, placed, biases)[:, None]),
        "step.local": _last_axis(local_distances(own, *last, biases, network.config.windows)),
        "step.attention_head": attention_vectors(placed, last),
        "step.prehead": network.compare(query, placed, last),
        "step.stage1": recorder.first("stage1"),
        "step.stage2": recorder.first("stage2"),
        "step.stage3": recorder.first("stage3"),
        "step.aspp": recorder.first("head_aspp"),
        "step.fg": foreground,
        "step.bg": background,
        "step.logits": logits[None],
        "step.prob": sized.softmax(dim=1),
    }


def _slots(labels: Tensor, objects: list[int]) -> Tensor:
    """Count the objects of a label map from 1; others become background."""
    slots = torch.zeros_like(labels, dtype=torch.long)
    for slot, number in enumerate(objects, start=1):
        slots[labels == number] = slot
    return slots


def _last_axis(distances: Tensor) -> Tensor:
    """Turn ``n v h w`` into the published ``1 h w n v``."""
    return distances.permute(2, 3, 0, 1)[None]


def run_matching(golden: GoldenRun) -> dict[str, Tensor]:
    """Compare drawn embeddings, call by call."""
    inputs = golden.inputs
    query = _channels_first(inputs["query"])
    references = [_channels_first(one) for one in inputs["references"]]
    labels = torch.from_numpy(golden.stored[inputs["labels"]]).long()
    count, biases = inputs["objects"] + 1, torch.tensor(inputs["biases"])
    arrays = {}
    for name, call in inputs["calls"].items():
        kept = labels.masked_fill(torch.isin(labels, torch.tensor(call.get("absent", []))), 0)
        known = [(one, one_hot(own, count)) for one, own in zip(references, kept, strict=True)]
        chosen = [known[place] for place in call.get("references", [])]
        if call["function"] == "global":
            settings = {"atrous": call["atrous"], "min_pixels": call.get("min_matching_pixels", 0)}
            arrays[name] = _last_axis(global_distances(query, chosen, biases, **settings)[:, None])
        elif call["function"] == "attention_head":
            arrays[name] = attention_vectors(chosen, known[call["previous"]])
        else:
            settings = {"is_half_size": call["half_size"], "atrous": call["atrous"]}
            last = known[call["previous"]]
            near = local_distances(query, *last, biases, call["windows"], **settings)
            arrays[name] = _last_axis(near) if call["function"] == "local" else of_the_others(near)
    return arrays


def _channels_first(embedding: np.ndarray) -> Tensor:
    return torch.from_numpy(embedding).permute(2, 0, 1).contiguous()


def run_propagation(golden: GoldenRun) -> dict[str, Tensor]:
    """Follow the objects of every run; frames are recorded before given masks are put over them."""
    network = build(golden)
    arrays: dict[str, Tensor] = {}
    for name, inputs in golden.inputs["runs"].items():
        labels = torch.from_numpy(golden.stored[inputs["labels"]])
        found: dict[int, Tensor] = {}
        fed = labels if inputs["previous"] == "labels" else None
        walk = partial(_Walk, CfbiPropagator(network), labels, fed, found)
        followed = follow_run(inputs, golden.stored, walk)
        numbers = [torch.tensor([0, *ids], dtype=torch.uint8) for ids in followed.ids]
        slots = zip(followed.found, numbers, strict=True)
        arrays[f"{name}.labels"] = torch.stack([own[one] for one, own in slots])
        arrays |= {f"{name}.prob{place}": one[None] for place, one in found.items()}
    return arrays


class _Walk:
    """A propagator on its way through prepared frames.

    Where ``fed`` is not None, it is told after each frame where the objects known so far truly are.
    """

    def __init__(
        self, propagator: CfbiPropagator, labels: Tensor, fed: Tensor | None, found: dict[int, Tensor]
    ) -> None:
        self._propagator = propagator
        self._size = (int(labels.shape[1]), int(labels.shape[2]))
        self._fed = fed
        self._found = found
        self._state = propagator.start()

    def step(
        self, place: int, image: Tensor, given: ChosenMasks, *, is_last: bool
    ) -> tuple[Tensor, tuple[int, ...]]:
        features = self._propagator.network.encode(image[None])
        state = self._state
        labels = torch.zeros(self._size, dtype=torch.long)
        if state.previous is not None:
            self._found[place] = self._propagator.find(features, state, self._size)
            labels = self._found[place].argmax(dim=0)
        ids = state.ids
        if given is not None:
            labels, ids = put_given(labels, ids, given)
        known = labels
        if self._fed is not None:
            masks = torch.stack([self._fed[place] == number for number in ids])
            known, _ = put_given(torch.zeros_like(labels), ids, ObjectMasks(ids, masks))
        told = CfbiState(ids, state.references, state.previous)
        self._state = self._propagator.remember(features, told, known, is_given=given is not None)
        return labels, ids


def run_loss(golden: GoldenRun) -> dict[str, Tensor]:
    """Take the loss of drawn logits at every step."""
    options: Mapping[str, Any] = golden.options
    arrays = {}
    for step in golden.inputs["steps"]:
        share = share_at(step, options["mining_steps"], options["kept"])
        losses = []
        for sample in golden.inputs["samples"]:
            labels = torch.from_numpy(golden.stored[sample["labels"]])
            losses.append(hard_pixel_loss(torch.from_numpy(sample["logits"]), labels, share))
        arrays[f"loss.step{step}"] = torch.cat(losses)
    return arrays
