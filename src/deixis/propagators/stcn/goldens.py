"""Goldens of STCN: our network, memory, propagation and loss run as the published ones were recorded.

Axes: k objects, n = k + 1 with the background first, t frames, h w pixels of a frame.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from deixis.models.golden import GoldenRun
from deixis.propagators.golden_runs import ChosenMasks, follow_run

from .config import StcnConfig
from .convert import to_ours
from .criterion import clip_loss, follow, share_at
from .memory import MemoryBank, find_nearest, read, remember
from .network import StcnNetwork, aggregate
from .propagator import StcnPropagator, fit_probabilities, pad_evenly


def run(golden: GoldenRun) -> dict[str, np.ndarray]:
    """Return our arrays under the golden's names, whole, in the order of the forward pass.

    Raises:
        ValueError: the kind of golden is none that STCN has.
    """
    runs = {"network": run_network, "propagation": run_propagation, "loss": run_loss}
    if golden.kind not in runs:
        raise ValueError(f"STCN has no goldens of kind {golden.kind!r}; it has {', '.join(runs)}")
    with torch.inference_mode():
        arrays = runs[golden.kind](golden)
    return {name: np.asarray(value) for name, value in arrays.items()}


def build(golden: GoldenRun) -> StcnNetwork:
    """Build the network with the parameters of the golden, in evaluation mode."""
    network = StcnNetwork()
    tensors, unknown = to_ours({name: torch.from_numpy(value) for name, value in golden.parameters.items()})
    if unknown:
        raise ValueError(f"the layout has names that STCN has not, such as {unknown[0]!r}")
    network.load_state_dict(tensors, strict=True)
    return network.eval()


def run_network(golden: GoldenRun) -> dict[str, Tensor]:
    """Run the modules one by one, or the forward pass of training."""
    network = build(golden)
    if golden.options.get("mode") == "training":
        return _run_training(network, golden)
    frames = pad_evenly(torch.from_numpy(golden.inputs["frames"]), network.stride)  # t 3 _ _
    labels = torch.from_numpy(golden.stored[golden.inputs["labels"]])
    masks = torch.stack([labels[0] == number for number in golden.inputs["objects"]]).float()[:, None]
    first = aggregate(pad_evenly(masks, network.stride))
    if golden.options.get("single_object_encoder"):
        key = network.encode_key(frames[:1])
        return {"stage0.value": network.encode_value(frames[:1], key, first[1:])}
    return _run_modules(network, golden, frames, first)


def _run_modules(network: StcnNetwork, golden: GoldenRun, frames: Tensor, first: Tensor) -> dict[str, Tensor]:
    soft = torch.from_numpy(golden.inputs["soft_masks"])
    query, top_k = golden.options["query_frame"], golden.options["top_k"]
    keys = [network.encode_key(frame[None]) for frame in frames]
    begin, key = keys[0], keys[query]
    bank: MemoryBank | None = None
    for place in golden.options["memory_frames"]:
        value = network.encode_value(frames[place][None], keys[place], first[1:])
        bank = remember(bank, keys[place].key, value, is_given=True)
    assert bank is not None
    weights, places = find_nearest(bank.keys.tensor, key.key, top_k)  # q s
    affinity = torch.zeros(len(weights), len(bank.keys)).scatter_(1, places, weights).T  # m q
    readout = read(bank, key.key, top_k)
    logits = network.decode(readout, key)
    return {
        "key.k16": key.key,
        "key.f16_thin": key.thin,
        "key.f16": key.maps[2],
        "key.f8": key.maps[1],
        "key.f4": key.maps[0],
        "agg.first": first,
        "value.two": network.encode_value(frames[:1], begin, first[1:]),
        "value.one": network.encode_value(frames[:1], begin, first[1:2]),
        "value.three_soft": network.encode_value(frames[:1], begin, soft / soft.sum(dim=0, keepdim=True)),
        "memory.affinity": affinity[None],
        "memory.readout": readout,
        "decoder.logits": logits,
        "segment.prob": logits.sigmoid(),
        "segment.aggregated": aggregate(logits.sigmoid()),
    }


def _run_training(network: StcnNetwork, golden: GoldenRun) -> dict[str, Tensor]:
    """Run all samples together; an object that one has not got is a channel without probability."""
    frames = torch.stack([torch.from_numpy(one) for one in golden.inputs["frames"]])  # b t 3 h w
    labels = torch.from_numpy(golden.stored[golden.inputs["labels"]])
    is_there = torch.from_numpy(golden.stored[golden.inputs["selector"]]).bool()
    numbers = torch.arange(1, is_there.shape[1] + 1)[:, None, None]
    masks = (labels[:, :1] == numbers) & is_there[:, :, None, None]  # b k h w
    logits = follow(network, frames, masks.float(), is_there)
    return {
        "train.logits_1": logits[:, 0],
        "train.logits_2": logits[:, 1],
        "train.mask_2": logits[:, 1].softmax(dim=1)[:, 1:],
    }


def run_propagation(golden: GoldenRun) -> dict[str, Tensor]:
    """Follow the objects of every run; probabilities are those of the padded frames."""
    network = build(golden)
    arrays: dict[str, Tensor] = {}
    for name, inputs in golden.inputs["runs"].items():
        options: Mapping[str, Any] = {**golden.options, **inputs.get("options", {})}
        config = StcnConfig(
            short_side=None,
            memory_every=options["memory_every"],
            include_last=options["include_last"],
            top_k=options["top_k"],
        )
        propagator = StcnPropagator(network, config)
        followed = follow_run(inputs, golden.stored, partial(_Walk, propagator))
        ids, inner = inputs["objects"], followed.size
        known = zip(followed.found, followed.ids, strict=True)
        whole = [_all_channels(found, own, ids) for found, own in known]
        arrays[f"{name}.prob"] = torch.stack(whole, dim=1)  # n t _ _
        numbers = torch.tensor([0, *ids], dtype=torch.uint8)
        sized = [fit_probabilities(one, inner, tuple(inputs["output_size"]), network.stride) for one in whole]
        arrays[f"{name}.labels"] = torch.stack([numbers[one.argmax(dim=0)] for one in sized])
    return arrays


class _Walk:
    """A propagator on its way through prepared frames."""

    def __init__(self, propagator: StcnPropagator) -> None:
        self._propagator = propagator
        self._state = propagator.start()

    def step(
        self, place: int, image: Tensor, given: ChosenMasks, *, is_last: bool
    ) -> tuple[Tensor, tuple[int, ...]]:
        found, self._state = self._propagator.advance(image, self._state, given, is_last=is_last)
        return found, self._state.ids


def _all_channels(found: Tensor, known: tuple[int, ...], ids: list[int]) -> Tensor:
    """Put channels in the order of ``ids``, zero where an object is not known yet."""
    nothing = torch.zeros_like(found[0])
    places = {number: place for place, number in enumerate(known, start=1)}
    objects = [found[places[number]] if number in places else nothing for number in ids]
    return torch.stack([found[0], *objects])


def run_loss(golden: GoldenRun) -> dict[str, Tensor]:
    """Take the loss of stored logits at every iteration, and the overlap of what they say."""
    inputs, options = golden.inputs, golden.options
    stored = {name: torch.from_numpy(value) for name, value in golden.stored.items()}
    frames = [stored[name] for name in inputs["logits"]]  # of each: b n h w
    labels, selector = stored[inputs["labels"]], stored[inputs["selector"]]
    counts = selector.sum(dim=1) + 1
    # What a sample has not chosen is its ground.
    known = labels.where(labels < counts[:, None, None, None], 0)
    arrays = {}
    for step in inputs["iterations"]:
        share = share_at(step, options["start_warm"], options["end_warm"], options["top_p"])
        losses = [
            clip_loss(logits[:, None], known[:, place, None], (counts - 1).tolist(), share)[0]
            for place, logits in enumerate(frames, start=1)
        ]
        arrays[f"loss.it{step}"] = torch.stack([*losses, sum(losses, torch.zeros(())), torch.tensor(share)])
    arrays["loss.iou"] = _overlaps(frames, labels, selector)
    return arrays


def _overlaps(frames: list[Tensor], labels: Tensor, selector: Tensor) -> Tensor:
    """Return intersection and union of the first object, then of the second."""
    figures = []
    for number in (1, 2):
        truth = (labels[:, 1:] == number).transpose(0, 1)  # t b h w
        found = torch.stack([logits.softmax(dim=1)[:, number] > 0.5 for logits in frames])
        present = selector[:, number - 1].bool()[None, :, None, None]
        figures += [(found & truth & present).sum(), ((found | truth) & present).sum()]
    return torch.stack(figures).float()
