"""``deixis evaluate``: score saved masks, a model or a propagator, compare results, check submissions."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import tyro

from deixis.errors import DatasetError, DeixisError
from deixis.models.registry import DEFAULT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from deixis.data.records import VideoRecord

RENDERED = ("synthetic", "synthetic-wild")
BY_EXAMPLES = ("fss-1000",)
"""Benchmarks that ask for the like of examples."""
NOT_BY_EXAMPLES = (
    "submission",
    "permute",
    "propagator",
    "propagator_checkpoint",
    "flow_cache",
    "raft_weights",
)
OF_SENTENCES = ("permute", "checkpoint", "flow_cache", "raft_weights")
OF_MODELS = ("num_clips", "permute", "checkpoint", "propagator", "flow_cache", "raft_weights")


@dataclass(frozen=True, kw_only=True)
class Evaluate:
    """Score saved masks (--predictions), a model or a propagator on a benchmark, or --compare two results.

    A propagator that is named without a model is scored by itself: it is given every object's first mask.
    Masks are looked over first; whatever is wrong with them is said, and nothing is scored until it is put
    right. Writes report.json, report.csv, report.md and report.html. A run that was stopped goes on with the
    videos that are not done.
    """

    benchmark: tyro.conf.Positional[str] = ""
    """synthetic, synthetic-wild, or a data set that `deixis data list` names. Not needed with --compare."""
    predictions: Path | None = None
    """Folder or zip of masks (for a2d-sentences and jhmdb-sentences a JSON file of run lengths) to score."""
    root: Path | None = None
    """Folder of the data set."""
    truth: Path | None = None
    """Folder of label maps VIDEO/FRAME.png to score against, in place of a data set (DAVIS)."""
    split: str | None = None
    """Split of the data set; by default the one that results are reported on."""
    protocol: str | None = None
    """Way of scoring, by default the benchmark's own; a wrong name lists them. A model is scored by
    expression unless one is named; then its masks are saved and scored."""
    missing: Literal["error", "zero"] = "error"
    """What a missing mask is: an error, or scored as empty, which is noted in the report."""
    workers: int = 1
    """Processes that share the videos, each with a model of its own where one is scored."""
    check_only: bool = False
    """Look the --predictions over and score nothing; a zip as its server would see it."""
    compare: tuple[Path, Path] | None = None
    """Two result folders: print B - A with a bootstrap interval."""
    out: Path | None = None
    """Folder of the results; by default under out/evaluate."""
    submission: Path | None = None
    """Write the zip that the server of the data set takes, and score nothing."""
    overwrite: bool = False
    """Throw away what the folder holds and begin anew."""
    model: str | None = None
    """Model, as `deixis models list` names it; by default the one of deixis segment."""
    checkpoint: Path | None = None
    """Weights, where the name alone does not say: a folder of ours or a published file."""
    shots: int | None = None
    """Of a model on fss-1000: examples of each image, the first of its list; 1 by default."""
    num_clips: int | None = None
    """Of a model: score the first clips (of fss-1000: classes) only."""
    permute: bool = False
    """Of a model: language control, score each object against the answer to another object's expression."""
    seed: int = 0
    """Of the permutation and of the bootstrap."""
    device: str = "auto"
    """cpu, cuda, cuda:1, mps, or auto."""
    dtype: str = "auto"
    """float32, bfloat16, float16, or auto."""
    windows: Literal["linked", "clips", "demo", "whole"] = "linked"
    """Of a model: how a long video is cut. linked chooses the referent once over all windows; clips chooses
    it in each window anew, without overlap, as ReferFormer does on Ref-DAVIS17; whole is one window."""
    propagator: str | None = None
    """Without --model: score this propagator, which follows objects from their first masks. With it: follow
    each referent from its surest frame through the video (see deixis segment)."""
    propagator_checkpoint: Path | None = None
    """Weights of a propagator that needs them."""
    flow_cache: Path | None = None
    """Of a model that wants optical flow: remember it in this folder; `deixis data flow` fills it ahead."""
    raft_weights: str | None = None
    """Of such a model: estimate flow by RAFT, not DIS (see deixis segment)."""
    videos: bool = False
    """Print the figures of every video too; the report has them in any case."""

    def run(self) -> None:
        """Score, write and print."""
        numbers = {"--num-clips": self.num_clips, "--workers": self.workers, "--shots": self.shots}
        for name, value in numbers.items():
            if value is not None and value < 1:
                raise ValueError(f"{name} must be at least 1, got {value}")
        from deixis.evaluation.checks.problems import PredictionError

        try:
            self._dispatch()
        except PredictionError as error:
            if len(error.lines) < 2:
                raise
            for line in error.lines:
                print(f"deixis: {line}", file=sys.stderr)
            raise DeixisError(
                f"{self.predictions} is not scored, for the {len(error.lines)} reasons above"
            ) from error

    @property
    def is_rendered(self) -> bool:
        """Whether the benchmark is drawn, not read from a disk."""
        return self.benchmark in RENDERED

    @property
    def model_name(self) -> str:
        """The model that is named, or the default."""
        return self.model or DEFAULT

    @property
    def is_propagator(self) -> bool:
        """Whether a propagator is to be scored by itself."""
        return self.propagator is not None and self.model is None and self.predictions is None

    def _refuse_idle_options(self) -> None:
        """Raise where an option would be without effect."""
        if self.predictions is None:
            idle = {"--truth": self.truth, "--check-only": self.check_only}
            reason = "needs --predictions"
        else:
            idle = {f"--{name.replace('_', '-')}": getattr(self, name) for name in OF_MODELS}
            idle["--propagator-checkpoint"] = self.propagator_checkpoint
            idle["--windows"] = self.windows != "linked"
            reason = "is about models, not about --predictions"
        for name, value in idle.items():
            if value:
                raise ValueError(f"{name} {reason}")
        if self.permute and self.protocol is not None:
            raise ValueError("--permute is scored by expression; leave --protocol out")
        if self.is_propagator:
            idle = {f"--{name.replace('_', '-')}": getattr(self, name) for name in OF_SENTENCES}
            idle["--windows"] = self.windows != "linked"
            for name in (name for name, value in idle.items() if value):
                raise ValueError(
                    f"{name} is about models, and --propagator alone is none; name a --model too"
                )
        if self.shots is not None and (self.benchmark not in BY_EXAMPLES or self.predictions is not None):
            raise ValueError("--shots is about models on fss-1000, which take examples; leave it out")
        if self.benchmark in BY_EXAMPLES and self.predictions is None:
            for name in NOT_BY_EXAMPLES:
                if getattr(self, name):
                    raise ValueError(
                        f"--{name.replace('_', '-')} is of no use where examples say what to find"
                    )
        if self.truth is not None and self.root is not None:
            raise ValueError("give --truth or --root, not both")

    def _dispatch(self) -> None:
        """Do what the arguments ask for."""
        self._refuse_idle_options()
        from deixis.cli import evaluate_examples, evaluate_method, evaluate_saved

        if self.compare is not None:
            evaluate_saved.compare_results(self, *self.compare)
        elif not self.benchmark:
            raise ValueError("which benchmark? name one (see `deixis data list`), or give --compare A B")
        elif self.benchmark in BY_EXAMPLES and self.predictions is None:
            evaluate_examples.evaluate_finder(self)
        elif self.is_propagator:
            evaluate_method.evaluate_propagator(self)
        elif self.predictions is None:
            evaluate_method.evaluate_model(self)
        elif self.submission is not None:
            evaluate_saved.pack_saved(self, self.predictions, self.submission)
        elif self.check_only:
            evaluate_saved.check_saved(self, self.predictions)
        else:
            evaluate_saved.score_saved(self, self.predictions)

    def default_out(self, name: str, protocol: str) -> Path:
        """Return the folder of the results of what is called ``name``, by a protocol."""
        parts = (self.benchmark, self.split, protocol if protocol != self.benchmark else None, name)
        return Path("out") / "evaluate" / "-".join(part for part in parts if part).replace("/", "_")

    def records(self) -> "tuple[str, Sequence[VideoRecord]]":
        """Return the split and its records."""
        if self.is_rendered:
            from deixis.evaluation.synthetic import find_records

            split = self.split or "test"
            return split, find_records(split, self.num_clips, self.benchmark)
        from deixis.data.catalog import find_dataset, load_records

        entry = find_dataset(self.benchmark, others=RENDERED)
        if self.root is None:
            raise DatasetError(f"where is {self.benchmark}? give its folder with --root")
        split = self.split or entry.evaluated
        return split, load_records(self.benchmark, self.root, split)[: self.num_clips]
