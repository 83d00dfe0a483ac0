"""``deixis segment SOURCE "expression"...``: mask the objects that sentences name or masks show."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from deixis.errors import ExpressionError, SinkError
from deixis.models.registry import DEFAULT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from deixis.inference.folder import Plan
    from deixis.inference.following import Follower
    from deixis.inference.segmenter import Segmenter
    from deixis.inference.windows import WindowRule
    from deixis.video.frames import Source
    from deixis.video.results import FrameResult

OF_SENTENCES = (
    "tokenizer",
    "dtype",
    "windows",
    "window_length",
    "window_overlap",
    "flow_cache",
    "raft_weights",
)
"""Options that masks have no use for."""


@dataclass(frozen=True, kw_only=True)
class Segment:
    """Mask the objects that sentences name in a video, or those that --masks shows in some of its frames.

    Writes the outputs and run.json (settings, weights, versions, summary) to a folder. The same command a
    second time does only what is missing there.
    """

    source: tyro.conf.Positional[str]
    """Video file, folder of frames, pattern ('frames/*.jpg'), picture, camera number, address, named pipe, or
    - for a video that is piped in (the last four with --stream)."""
    expressions: tyro.conf.Positional[tuple[str, ...]]
    """Sentences, each in quotes: "the dog on the left" "the woman"."""
    masks: tuple[str, ...] = ()
    """A PNG of object ids for the first frame, files called after their frames (00007.png) or a folder of
    them, or FRAME=FILE. In place of sentences: the objects are followed by --propagator. Beside sentences,
    for a UniRef: where what they name is; ids are the numbers of the sentences."""
    examples: tuple[str, ...] = ()
    """In place of sentences: IMAGE=MASK, images of a thing with a mask of it each (a PNG, anything but 0).
    The like of it is found in every image or frame by itself, by a UniRef: --model and --checkpoint."""
    min_score: float = 0.0
    """Of --examples: leave out what has a lower score, in [0, 1]; 0 always gives an answer, as published."""
    ways: Literal["both", "forward"] = "both"
    """Of --masks: objects are also looked for before their first masks, or not."""
    model: str = DEFAULT
    """Name (see `deixis models list`), or a folder that `deixis models convert` wrote."""
    checkpoint: str | None = None
    """Weights for the model: a published file, a folder of ours, or an id on the Hugging Face hub."""
    tokenizer: Path | None = None
    """tokenizer.json for published weights; by default the one beside them."""
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"])] = Path("out")
    """Folder to write to."""
    save: str = "overlay,masks,json"
    """Outputs, separated by commas: overlay, masks, binary, json, cutout, cutout-video, arrays."""
    start: str | None = None
    """First moment: seconds (12.5), a time (1:05), or a frame (120f)."""
    end: str | None = None
    """Moment to stop before."""
    stride: int = 1
    """Every how many frames."""
    device: str = "auto"
    """auto (a GPU where there is one), cpu, cuda, cuda:1, mps."""
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    """auto is float32; bfloat16 and float16 are mixed precision."""
    windows: Literal["linked", "clips", "demo", "whole"] = "linked"
    """How a long video is cut: linked follows objects from window to window and chooses once; clips
    chooses anew in windows side by side; demo as in MTTR's published demo; whole takes all frames at once."""
    window_length: int | None = None
    """Frames of a linked window; by default the model's."""
    window_overlap: int | None = None
    """Frames that linked windows share; by default the model's."""
    propagator: Annotated[str | None, tyro.conf.arg(aliases=["--propagate"])] = None
    """Of sentences: follow each object from its surest frame to both ends of the video, and replace the other
    masks. Of --masks: what follows them, stcn-tiny-synthetic-bounded by default, whose weights ship. copy and
    translation need none; stcn, stcn-bounded, cfbi, uniref-plus-resnet50... want a checkpoint."""
    propagator_checkpoint: Path | None = None
    """Weights of a propagator that needs them: its published file."""
    flow_cache: Path | None = None
    """Remember optical flow in this folder, for models that want it; `deixis data flow` fills it ahead."""
    raft_weights: str | None = None
    """Estimate flow by RAFT, not DIS: a file of torchvision's large RAFT, or a name such as C_T_SKHT_V2."""
    stream: bool = False
    """Read the source once and answer as it comes: for cameras and pipes."""
    overwrite: bool = False
    """Write anew what is there already."""
    quiet: bool = False
    """No progress bar."""

    def run(self) -> None:
        """Segment, or say that it is done.

        Raises:
            DeixisError: anything that the user can put right.
        """
        if self.examples:
            from deixis.cli.segment_examples import find_alike

            find_alike(self)
            return
        if self.min_score:
            raise ValueError("--min-score goes with --examples")
        from deixis.inference.folder import plan_outputs, write_outputs
        from deixis.inference.given import read_given
        from deixis.video.sources import open_source

        if self.masks and not self.expressions:
            self._follow()
            return
        if self.ways != "both":
            raise ValueError("--ways goes with --masks alone; beside sentences they are followed forward")
        if not self.expressions:
            raise ExpressionError(
                f'say which object you mean: deixis segment {self.source} "the dog on the left"'
            )
        if self.stream and self.propagator is not None:
            raise ValueError("--propagator goes backward too, which --stream cannot; leave one out")
        outputs = self.outputs()
        masks = read_given(find_masks(self.masks)) if self.masks else None
        source = open_source(self.source, start=self.start, end=self.end, stride=self.stride)
        segmenter = self._segmenter()
        plan = plan_outputs(self.out, outputs, self._describe(segmenter, masks), overwrite=self.overwrite)
        print_done(plan)
        record = dict(plan.record)
        if plan.missing:
            record = write_outputs(plan, self._results(segmenter, source, masks), self.expressions, source)
        print_summary(record, plan)

    def outputs(self) -> list[str]:
        """Return the names of what is to be written, all of which can be."""
        outputs = [name for name in self.save.replace(",", " ").split() if name]
        check_outputs(outputs)
        check_folder(self.out)
        return outputs

    def _follow(self) -> None:
        """Follow the objects of masks, or say that it is done."""
        from deixis.inference.folder import plan_outputs, write_outputs
        from deixis.inference.following import names_of
        from deixis.inference.given import object_ids, read_given
        from deixis.video.sources import open_source

        for name in OF_SENTENCES:
            if getattr(self, name) not in (None, "auto", "linked"):
                raise ValueError(f"--{name.replace('_', '-')} is about sentences; leave it out with --masks")
        outputs = self.outputs()
        ways = "forward" if self.stream else self.ways
        given = read_given(find_masks(self.masks))
        source = open_source(self.source, start=self.start, end=self.end, stride=self.stride)
        follower = self._follower()
        description = {**describe_part(self), **follower.describe(given, ways)}
        plan = plan_outputs(self.out, outputs, description, overwrite=self.overwrite)
        print_done(plan)
        record, ids = dict(plan.record), object_ids(given)
        if plan.missing:
            results = follower.iterate(source, given, ways=ways, progress=not self.quiet)
            record = write_outputs(plan, results, names_of(ids), source, ids)
        print_summary(record, plan)

    def _follower(self) -> "Follower":
        """Build what follows masks: the propagator that is named, or the model that takes masks."""
        from deixis import propagators
        from deixis.inference.following import Follower

        if self.propagator is not None:
            name, checkpoint = self.propagator, self.propagator_checkpoint
        elif self.model == DEFAULT:
            name, checkpoint = propagators.DEFAULT, self.propagator_checkpoint
        else:
            name, checkpoint = self.model, self.checkpoint or self.propagator_checkpoint
            if name not in propagators.PROPAGATORS and not Path(name).is_dir():
                raise ValueError(f"the model {name} follows no masks; name a UniRef, or give --propagator")
        return Follower(name, checkpoint=checkpoint, device=self.device)

    def _segmenter(self) -> "Segmenter":
        from deixis.inference.segmenter import Segmenter
        from deixis.ops.words import clean

        for expression in self.expressions:
            clean(expression)
        flow = None
        if self.raft_weights is not None:
            from deixis.flow.estimator import find_estimator

            flow = find_estimator("raft-large", weights=self.raft_weights, device=self.device)
        segmenter = Segmenter(
            self.model,
            checkpoint=self.checkpoint,
            tokenizer=self.tokenizer,
            device=self.device,
            dtype=self.dtype,
            windows=self.windows,
            propagator=self.propagator,
            propagator_checkpoint=self.propagator_checkpoint,
            flow=flow,
            flow_cache=self.flow_cache,
        )
        segmenter.rule = self._rule(segmenter.rule)
        return segmenter

    def _rule(self, rule: "WindowRule") -> "WindowRule":
        """Return ``rule`` with the length and overlap of the command line."""
        from dataclasses import replace

        if self.window_length is None and self.window_overlap is None:
            return rule
        if self.windows != "linked":
            raise ValueError(
                f"--window-length and --window-overlap go with --windows linked, not {self.windows}"
            )
        length = rule.length if self.window_length is None else self.window_length
        overlap = rule.overlap if self.window_overlap is None else self.window_overlap
        return replace(rule, length=length, overlap=overlap)

    def _describe(self, segmenter: "Segmenter", masks: Any) -> dict[str, Any]:
        return {
            **describe_part(self),
            "stream": self.stream,
            **segmenter.describe(self.expressions, masks),
        }

    def _results(self, segmenter: "Segmenter", source: "Source", masks: Any) -> "Iterator[FrameResult]":
        if not self.stream:
            return segmenter.iterate(source, self.expressions, masks=masks, progress=not self.quiet)
        from tqdm import tqdm

        results = segmenter.stream(source, self.expressions, masks=masks)
        disable = True if self.quiet else None
        return iter(tqdm(results, total=source.num_frames, unit="frames", disable=disable))


def describe_part(command: Segment) -> dict[str, Any]:
    """Return a plain record of what is read."""
    from deixis.inference.record import describe_source

    return {
        "source": describe_source(command.source),
        "start": command.start,
        "end": command.end,
        "stride": command.stride,
    }


def check_outputs(outputs: list[str]) -> None:
    """Raise an error for an unknown output."""
    from deixis.video.outputs import output_path

    if not outputs:
        raise SinkError("--save names no output; use --save overlay,masks,json")
    for name in outputs:
        output_path(name, "")


def check_folder(folder: Path) -> None:
    """Raise an error before any work is done if ``folder`` cannot be written.

    Raises:
        SinkError: it is a file, or it or the folder to make it in is read-only.
    """
    import os

    existing = folder
    while not existing.exists() and existing != existing.parent:
        existing = existing.parent
    if not existing.is_dir():
        raise SinkError(f"{existing} is a file, not a folder; choose another --out")
    if not os.access(existing, os.W_OK | os.X_OK):
        raise SinkError(f"the folder {existing} cannot be written; choose another --out")


def find_masks(arguments: tuple[str, ...]) -> Any:
    """Return what ``--masks`` names: a file, a folder, or files by their frames.

    Raises:
        MaskError: one of several files does not say which frame it is for.
    """
    from deixis.errors import MaskError

    if len(arguments) == 1 and ("=" not in arguments[0] or Path(arguments[0]).exists()):
        return arguments[0]
    found: dict[str, str] = {}
    for argument in arguments:
        frame, is_named, path = argument.rpartition("=")
        frame = frame if is_named else Path(argument).stem
        if not is_named and not frame.isdecimal():
            raise MaskError(f"which frame is {argument} for? write FRAME={argument}")
        if frame in found:
            raise MaskError(f"{found[frame]} and {path} are for one frame")
        found[frame] = path
    return found


def print_done(plan: "Plan") -> None:
    """Say which outputs are there already."""
    if plan.done:
        done = ", ".join(str(path) for path in output_paths(plan, plan.done))
        print(f"already done: {done} (--overwrite does it again)")


def output_paths(plan: "Plan", names: tuple[str, ...]) -> list[Path]:
    """Return where the outputs lie."""
    from deixis.video.outputs import output_path

    return [output_path(name, plan.folder) for name in names]


def print_summary(record: dict[str, Any], plan: "Plan") -> None:
    """Print one row an expression, what was written and how fast."""
    if "objects" not in record:
        return
    is_asked_in_words = "model" in record["run"] and "examples" not in record["run"]
    title = "expression" if is_asked_in_words else "object"
    width = max(len(row["expression"]) for row in record["objects"])
    width = min(max(width, len(title)), 60)
    print(f"{title:<{width}}  {'present':>13}  {'score':>5}")
    for row in record["objects"]:
        text = row["expression"] if len(row["expression"]) <= width else row["expression"][: width - 1] + "…"
        present = f"{row['num_present']} of {record['num_frames']}"
        print(f"{text:<{width}}  {present:>13}  {row['mean_score']:>5.2f}")
    if plan.missing:
        written = ", ".join(str(path) for path in output_paths(plan, plan.missing))
        speed = record["num_frames"] / max(record["seconds"], 1e-3)
        print(f"{written}: {record['num_frames']} frames in {record['seconds']:.1f} s ({speed:.1f} frames/s)")
