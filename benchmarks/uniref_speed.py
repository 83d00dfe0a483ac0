"""One frame of UniRef++ (R50) on a CPU against the published one: `python benchmarks/uniref_speed.py`.

With `--published FOLDER --detectron2 FOLDER`, checkouts of the authors' repository and of what it builds on
(see `uniref_published.py`), both get the same weights and frames, drawn by name, and remember what ours
found; tokens after the encoder (relative), scores and soft masks are compared. Where two proposals are as
good but for rounding, their ranks and with them scores and masks may differ.

``words`` is a frame with expressions alone. ``first``, ``second`` and ``third`` are frames of a video: found
by words (or given, for objects) and remembered; with one reference, which the published code reads twice;
with two, as all further frames. A frame goes from normalised pixels to masks at the video's size and the
references they become; texts are encoded once, in ``text``.

Ours and theirs take turns. Times are the least of ``--repeats`` runs in CPU seconds of the process. Memory
(``--memory``) is what the process needs at its peak beyond what it holds before the frame, in MiB.
"""

import argparse
import ctypes
import gc
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from mttr_speed import processor_name
from torch import Tensor, nn
from uniref_published import Published

from deixis.inference.record import versions
from deixis.models.uniref.config import VARIANTS
from deixis.models.uniref.convert import RENAMING
from deixis.models.uniref.model import UniRef
from deixis.models.uniref.online import Answer, State, take_step
from deixis.ops.merging import merge_by_product
from deixis.ops.padding import pad_to_multiple
from deixis.parity.draw import fill, generator
from deixis.parity.images import draw_image
from deixis.structures import Clip, Tokens

FRAMES = ("first", "second", "third")


@dataclass
class Meter:
    """What frames cost and what they gave, by side, case and frame."""

    with_memory: bool
    seconds: dict[tuple[str, str, str], float] = field(default_factory=dict)
    memory: dict[tuple[str, str, str], float] = field(default_factory=dict)
    found: dict[tuple[str, str, str], tuple[Tensor, ...]] = field(default_factory=dict)
    tokens: dict[tuple[str, str, str], list[Tensor]] = field(default_factory=dict)
    passing: list[Tensor] = field(default_factory=list)

    def run(self, key: tuple[str, str, str], function: Callable[[], Any]) -> Any:
        """Run what belongs to ``key``."""
        before = _start_peak() if self.with_memory else 0.0
        started = time.process_time()
        result = function()
        seconds = time.process_time() - started
        self.seconds[key] = min(self.seconds.get(key, seconds), seconds)
        self.tokens[key] = self.passing[:]
        self.passing.clear()
        if self.with_memory:
            self.memory[key] = max(self.memory.get(key, 0), _status("VmHWM") - before)
        return result

    def watch(self, layer: nn.Module) -> None:
        """Keep what ``layer`` gives, for the frame that is run."""
        layer.register_forward_hook(lambda module, inputs, tokens: self.passing.append(tokens))

    def rows(self, is_compared: bool) -> list[dict[str, Any]]:
        """Return a row a case and frame."""
        rows = []
        for case, frame in dict.fromkeys(key[1:] for key in self.seconds):
            ours, theirs = ("ours", case, frame), ("published", case, frame)
            row: dict[str, Any] = {"case": case, "frame": frame, "ours": round(self.seconds[ours], 3)}
            if is_compared:
                row["published"] = round(self.seconds[theirs], 3)
                row["ratio"] = round(self.seconds[theirs] / self.seconds[ours], 2)
            if is_compared and ours in self.found:
                row |= self._errors(ours, theirs)
            if self.with_memory:
                row["ours_mib"] = round(self.memory[ours])
                row |= {"published_mib": round(self.memory[theirs])} if is_compared else {}
            rows.append(row)
        return rows

    def _errors(self, ours: tuple[str, str, str], theirs: tuple[str, str, str]) -> dict[str, str]:
        pairs = zip(self.tokens[ours], self.tokens[theirs], strict=True)
        tokens = [float((mine - other).abs().max() / other.abs().max()) for mine, other in pairs]
        errors = {"tokens": max(tokens)} if tokens else {}
        for name, mine, other in zip(("score", "mask"), self.found[ours], self.found[theirs], strict=False):
            errors[name] = float((mine - other).abs().max())
        return {f"{name}_error": f"{error:.1e}" for name, error in errors.items()}


@dataclass
class Video:
    """What both sides get."""

    frames: list[Tensor]
    ids: list[list[int]]
    masks: Tensor

    def clip(self, index: int) -> Clip:
        """Return a frame as ours takes it."""
        frame = self.frames[index][None, None]
        padding_mask = torch.zeros(1, 1, *frame.shape[-2:], dtype=torch.bool)
        return Clip(*pad_to_multiple(frame, padding_mask, 32))


def follow_ours(meter: Meter, case: str, model: UniRef, video: Video, count: int) -> None:
    """Take the frames for ``count`` expressions, or objects that are given in the first frame."""
    size = (video.frames[0].shape[-2], video.frames[0].shape[-1])
    text = None
    if case != "objects":
        rows = torch.tensor(video.ids[:count])
        tokens = Tokens(rows, torch.zeros_like(rows, dtype=torch.bool))
        text = meter.run(("ours", f"{count} {case}", "text"), partial(model.encode_text, tokens))
    state = model.start(text, video.masks[:count] if text is None else None, size)
    for index, name in enumerate(("words",) if case == "words" else FRAMES):
        key, clip = ("ours", f"{count} {case}", name), video.clip(index)
        remembered = [reference["frame"] for reference in state["previous"].values()]
        if index > 0 and remembered != [index - 1] * count:
            raise ValueError(f"not all {count} {case} were found before the {name} frame; take other weights")
        answer, state = meter.run(key, partial(step_ours, model, clip, state))
        meter.found[key] = answer.scores, answer.probabilities, answer.masks


def step_ours(model: UniRef, clip: Clip, state: State) -> tuple[Answer, State]:
    """Take one frame."""
    return take_step(model, model.encode_video(clip), state)


def follow_published(meter: Meter, case: str, model: Published, video: Video, count: int) -> None:
    """Take the same frames as the published loops do: each expression or object by itself."""
    texts: list[Any] = [None] * count
    if case != "objects":
        key = ("published", f"{count} {case}", "text")
        texts = meter.run(key, lambda: [model.text(ids) for ids in video.ids[:count]])
    first: list[Any] = [None] * count
    previous = first
    for index, name in enumerate(("words",) if case == "words" else FRAMES):
        key, known = ("published", f"{count} {case}", name), (first, previous)
        is_given = index == 0 and case == "objects"
        masks = meter.found["ours", *key[1:]][2]
        work = partial(step_published, case, model, video.frames[index], texts, known, masks, is_given)
        scores, soft, previous = meter.run(key, work)
        first = previous if index == 0 else first
        meter.found[key] = scores, soft


def step_published(
    case: str,
    model: Published,
    frame: Tensor,
    texts: list[Any],
    known: tuple[list[Any], list[Any]],
    masks: Tensor,
    is_given: bool,
) -> tuple[Tensor, Tensor, list[Any]]:
    """Take one frame; return scores, soft masks and the references that ``masks`` become."""
    seen = model.look(frame) if case == "objects" else None
    if is_given:  # their search for what is given, whose result they throw away, is left out
        return torch.ones(len(texts)), masks.float(), [model.remember(frame, seen, mask) for mask in masks]
    pairs = []
    for text, first, previous in zip(texts, *known, strict=True):
        pairs.append(model.find(frame, text, None if first is None else model.join(first, previous)))
    scores, soft = (torch.stack(parts) for parts in zip(*pairs, strict=True))
    if case == "words":
        return scores, soft, known[1]
    if case == "objects":
        merge_by_product(soft.numpy())
    made = [
        model.remember(frame, seen or model.look(frame), mask) if mask.any() else old
        for mask, old in zip(masks, known[1], strict=True)
    ]
    return scores, soft, made


def make_video(size: tuple[int, int], count: int, words: int) -> Video:
    """Draw frames, token ids and masks."""
    config = VARIANTS["uniref-plus-resnet50"].inputs
    mean, std = (255 * torch.tensor(value)[:, None, None] for value in (config.mean, config.std))
    images = [draw_image(generator(f"frame {index}"), (3, *size)) for index in range(len(FRAMES))]
    source = generator("tokens")
    ids = [[101, *source.integers(1000, 20000, words - 2).tolist(), 102] for _ in range(count)]
    masks = torch.zeros(count, *size, dtype=torch.bool)
    for index, mask in enumerate(masks):
        left = index * size[1] // count
        mask[size[0] // 4 : size[0] // 2, left : left + size[1] // (count + 1)] = True
    return Video([(torch.from_numpy(image) - mean) / std for image in images], ids, masks)


def build(arguments: argparse.Namespace) -> tuple[UniRef, Published | None]:
    """Return ours and, if it is there, theirs, with the same weights; every score counts."""
    config = VARIANTS["uniref-plus-resnet50"]
    model = UniRef(replace(config, expression_threshold=0.0, mask_threshold=0.0)).eval()
    names, _ = RENAMING.to_published(model.state_dict())
    drawn = {name: torch.from_numpy(fill(name, value.shape)) for name, value in names.items()}
    model.load_state_dict(RENAMING.to_ours(drawn)[0])
    if arguments.published is None:
        return model, None
    published = Published(arguments.published, arguments.detectron2)
    published.load(RENAMING.to_published(model.state_dict())[0])
    return model, published


def _status(name: str) -> float:
    """Return a figure of this process's memory in MiB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{name}:"))


def _start_peak() -> float:
    """Let the peak count from now on; return what is held now, without what only waits to be used again."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5")
    return _status("VmRSS")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--published", type=Path, help="checkout of FoundationVision/UniRef")
    parser.add_argument("--detectron2", type=Path, help="checkout of facebookresearch/detectron2")
    parser.add_argument("--size", type=int, nargs=2, default=(480, 854), metavar=("HEIGHT", "WIDTH"))
    parser.add_argument("--cases", nargs="+", default=["words", "expressions", "objects"])
    parser.add_argument("--counts", type=int, nargs="+", default=[1, 3], help="of expressions or objects")
    parser.add_argument("--words", type=int, default=12, help="tokens of an expression")
    parser.add_argument("--memory", action="store_true", help="peak memory, too (Linux)")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    if arguments.published and not arguments.detectron2:
        parser.error("the published code needs --detectron2, too")
    return arguments


def main() -> None:
    arguments = parse()
    torch.set_num_threads(arguments.threads)
    model, published = build(arguments)
    video = make_video(tuple(arguments.size), max(arguments.counts), arguments.words)
    meter = Meter(arguments.memory)
    meter.watch(model.encoder[-1])
    if published is not None:
        meter.watch(published.model.detr.detr.transformer.encoder.layers[-1])
    with torch.inference_mode():
        for case in arguments.cases:
            for count in arguments.counts:
                for _ in range(arguments.repeats):
                    follow_ours(meter, case, model, video, count)
                    if published is not None:
                        follow_published(meter, case, published, video, count)
    report = {
        "size": list(arguments.size),
        "device": processor_name(),
        "threads": torch.get_num_threads(),
        "versions": versions(),
        "cpu_seconds": meter.rows(published is not None),
    }
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
