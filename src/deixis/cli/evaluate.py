"""``deixis evaluate``: score saved masks or a model on a benchmark, compare results, check submissions."""

import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import tyro

from deixis.errors import DatasetError, DeixisError
from deixis.models.registry import DEFAULT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from deixis.data.records import VideoRecord
    from deixis.evaluation.protocols.base import VideoProtocol
    from deixis.evaluation.reports.content import Report
    from deixis.evaluation.segmenting import ModelOnDemand
    from deixis.evaluation.subjects import Subject

RENDERED = ("synthetic", "synthetic-wild")
OF_MODELS = ("num_clips", "permute", "checkpoint", "propagator", "flow_cache", "raft_weights")


@dataclass(frozen=True, kw_only=True)
class Evaluate:
    """Score saved masks (--predictions) or a model on a benchmark, or compare two results (--compare).

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
    model: str = DEFAULT
    """Model, as `deixis models list` names it."""
    checkpoint: Path | None = None
    """Weights, where the name alone does not say: a folder of ours or a published file."""
    num_clips: int | None = None
    """Of a model: score the first clips only."""
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
    """Of a model: follow each referent from its surest frame through the video (see deixis segment)."""
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
        for name, value in (("--num-clips", self.num_clips), ("--workers", self.workers)):
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
        if self.truth is not None and self.root is not None:
            raise ValueError("give --truth or --root, not both")

    def _dispatch(self) -> None:
        """Do what the arguments ask for."""
        self._refuse_idle_options()
        if self.compare is not None:
            self._compare(*self.compare)
        elif not self.benchmark:
            raise ValueError("which benchmark? name one (see `deixis data list`), or give --compare A B")
        elif self.predictions is None:
            self._evaluate_model()
        elif self.submission is not None:
            self._pack(self.predictions, self.submission)
        elif self.check_only:
            self._check(self.predictions)
        else:
            self._score(self.predictions)

    def _compare(self, first: Path, second: Path) -> None:
        from deixis.evaluation.reports.compare import compare, load_result
        from deixis.evaluation.reports.compare_tables import render_comparison, write_comparison

        comparison = compare(load_result(first), load_result(second), seed=self.seed)
        print(render_comparison(comparison))
        if self.out is not None:
            write_comparison(comparison, self.out)
            print(f"written: {self.out / 'comparison.html'}")

    def _score(self, predictions: Path) -> None:
        from deixis.evaluation.protocols.base import SampleProtocol
        from deixis.evaluation.sample_run import evaluate_samples
        from deixis.evaluation.subjects import choose_protocol

        protocol = choose_protocol(self.benchmark, self.protocol)
        subject = self._subject()
        out = self.out or self._default_out(predictions.resolve().stem, protocol.name)
        if isinstance(protocol, SampleProtocol):
            self._print(evaluate_samples(predictions, subject, protocol, out), out)
        else:
            self._score_files(predictions, subject, protocol, out)

    def _score_files(
        self,
        predictions: Path,
        subject: "Subject",
        protocol: "VideoProtocol",
        out: Path,
        about: dict[str, str] | None = None,
    ) -> None:
        from tqdm import tqdm

        from deixis.evaluation.file_run import evaluate_files
        from deixis.evaluation.protocols.base import Options

        with tqdm(total=len(subject.truths), unit="video", disable=None) as bar:
            report = evaluate_files(
                predictions,
                subject,
                protocol,
                out,
                options=Options(missing=self.missing),
                num_workers=self.workers,
                overwrite=self.overwrite,
                about=about,
                on_video=bar.update,
            )
        self._print(report, out)

    def _print(self, report: "Report", out: Path) -> None:
        from deixis.evaluation.reports.tables import render_markdown
        from deixis.evaluation.reports.write import PAGE_FILE

        groups = [kind for kind in report.groups if self.videos or kind != "video"]
        print(render_markdown(report, groups=groups))
        print(f"written: {out / PAGE_FILE}")

    def _check(self, predictions: Path) -> None:
        """Look predictions over; exit with an error where something is wrong."""
        from deixis.evaluation.file_run import check_files
        from deixis.evaluation.files import open_files
        from deixis.evaluation.protocols.base import Options, SampleProtocol
        from deixis.evaluation.subjects import choose_protocol
        from deixis.evaluation.submission import FORMATS, check_submission

        records = self._records()[1] if self.benchmark in FORMATS else ()
        is_hidden = any(record.masks is None for record in records)
        if records and (is_hidden or predictions.is_file()):
            findings = check_submission(open_files(predictions), records, dataset=self.benchmark)
            place = f"the server of {self.benchmark}"
        else:
            protocol = choose_protocol(self.benchmark, self.protocol)
            if isinstance(protocol, SampleProtocol):
                raise DeixisError(f"{protocol.name} takes one JSON file, which is checked as it is scored")
            truths = self._subject().truths
            findings = check_files(predictions, truths, protocol, Options(missing=self.missing))
            place = f"the protocol {protocol.name}"
        for line in findings.note_lines():
            print(f"note: {line}")
        findings.raise_problems(predictions)
        print(f"{predictions} is what {place} takes")

    def _pack(self, predictions: Path, submission: Path) -> None:
        from deixis.evaluation.files import open_files
        from deixis.evaluation.submission import find_format, pack_submission

        find_format(self.benchmark)
        num_images = pack_submission(
            open_files(predictions),
            self._records()[1],
            submission,
            dataset=self.benchmark,
            overwrite=self.overwrite,
        )
        print(f"written: {submission}, {num_images:,} images")

    def _subject(self) -> "Subject":
        from deixis.evaluation.subjects import choose_protocol, find_subject, subject_of_folder

        protocol = choose_protocol(self.benchmark, self.protocol)
        if self.truth is not None:
            return subject_of_folder(self.benchmark, self.truth)
        if self.benchmark in RENDERED:
            raise DeixisError(
                f"the {self.benchmark} benchmark has no masks on disk; "
                "write it by `deixis data export`, give --root"
            )
        if self.root is None:
            raise DatasetError(
                f"where is {self.benchmark}? give its folder with --root, or label maps with --truth"
            )
        return find_subject(self.benchmark, self.root, self.split, protocol)

    def _default_out(self, name: str, protocol: str) -> Path:
        parts = (self.benchmark, self.split, protocol if protocol != self.benchmark else None, name)
        return Path("out") / "evaluate" / "-".join(part for part in parts if part).replace("/", "_")

    def _evaluate_model(self) -> None:
        """Run a model over the benchmark, for scores or for a submission."""
        if self.protocol is not None and self.submission is None:
            self._evaluate_model_by_protocol()
            return
        split, records = self._records()
        from tqdm import tqdm

        from deixis.evaluation.report import render_markdown
        from deixis.evaluation.run import RECORD_FILE, Subject, evaluate
        from deixis.evaluation.segmenting import share_model
        from deixis.evaluation.submission import write_submission
        from deixis.inference.record import weights_hash

        model = self._model()
        segmenter = model.segmenter
        if self.submission is not None:
            num_images = write_submission(
                tqdm(records, unit="video", disable=None),
                model,
                self.submission,
                dataset=self.benchmark,
                overwrite=self.overwrite,
            )
            print(f"written: {self.submission}, {num_images:,} images")
            return
        subject = Subject(
            model=self.model,
            weights_sha256=weights_hash(segmenter.model),
            dataset=self.benchmark,
            split=split,
            device=str(segmenter.engine.device),
            settings=(
                ("dtype", str(segmenter.engine.dtype).removeprefix("torch.")),
                *model.settings().items(),
                *((("root", str(self.root.resolve())),) if self.root is not None else ()),
            ),
        )
        name = f"{self.benchmark}-{split}-{self.model}{'-permuted' if self.permute else ''}"
        out = self.out or Path("out") / "evaluate" / name.replace("/", "_")
        with tqdm(total=len(records), unit="video", disable=None) as bar:
            result = evaluate(
                records,
                share_model(model, self.workers),
                subject,
                out,
                permute_seed=self.seed if self.permute else None,
                overwrite=self.overwrite,
                on_video=bar.update,
            )
        print(render_markdown(result, with_videos=self.videos))
        print(f"written: {out / RECORD_FILE}")

    def _model(self) -> "ModelOnDemand":
        from deixis.evaluation.segmenting import ModelOnDemand

        return ModelOnDemand(
            model=self.model,
            checkpoint=self.checkpoint,
            device=self.device,
            dtype=self.dtype,
            windows=self.windows,
            propagator=self.propagator,
            propagator_checkpoint=self.propagator_checkpoint,
            flow_cache=self.flow_cache,
            raft_weights=self.raft_weights,
        )

    def _evaluate_model_by_protocol(self) -> None:
        """Save the masks of a model and score them as those of any method."""
        from tqdm import tqdm

        from deixis.configuration import to_plain
        from deixis.evaluation.protocols.base import SampleProtocol, VideoProtocol
        from deixis.evaluation.protocols.samples import coco_truth
        from deixis.evaluation.sample_run import evaluate_samples
        from deixis.evaluation.sample_saving import save_samples
        from deixis.evaluation.saving import save_masks
        from deixis.evaluation.segmenting import share_model
        from deixis.evaluation.subjects import choose_protocol
        from deixis.inference.record import weights_hash

        protocol = choose_protocol(self.benchmark, self.protocol)
        subject = self._subject()
        split, records = self._records()
        names = {record.name for record in records}
        subject = replace(subject, truths=tuple(t for t in subject.truths if t.name in names))
        model = self._model()
        segmenter = model.segmenter
        is_merged = isinstance(protocol, VideoProtocol) and protocol.unit == "annotator"
        is_soft = is_merged and segmenter.engine.inputs.merging == "threshold-argmax"
        identity = {
            "model": self.model,
            "weights_sha256": weights_hash(segmenter.model),
            "dataset": self.benchmark,
            "split": split,
            "dtype": str(segmenter.engine.dtype),
            **model.settings(),
            "windows": to_plain(segmenter.rule),
            "propagator": self.propagator,
        }
        out = self.out or self._default_out(self.model, protocol.name)
        about = {"name": self.model, "weights_sha256": identity["weights_sha256"]}
        if isinstance(protocol, SampleProtocol):
            names = {image["id"] for image in coco_truth(subject.truths, self.benchmark)["images"]}
            with tqdm(total=len(records), unit="video", disable=None) as bar:
                path = save_samples(
                    records,
                    [one.engine for one in share_model(model, self.workers)],
                    self.benchmark,
                    names,
                    out,
                    identity,
                    overwrite=self.overwrite,
                    on_video=bar.update,
                )
            self._print(evaluate_samples(path, subject, protocol, out, about), out)
            return
        with tqdm(total=len(records), unit="video", disable=None) as bar:
            masks = save_masks(
                records,
                [one.softly if is_soft else one for one in share_model(model, self.workers)],
                protocol,
                out,
                identity,
                overwrite=self.overwrite,
                on_video=bar.update,
            )
        if is_merged:
            rule = "the highest probability of at least a half" if is_soft else "the higher id"
            about["overlaps"] = f"{rule} is seen"
        self._score_files(masks, subject, protocol, out, about)

    def _records(self) -> "tuple[str, Sequence[VideoRecord]]":
        """Return the split and its records."""
        if self.benchmark in RENDERED:
            from deixis.evaluation.synthetic import find_records

            split = self.split or "test"
            return split, find_records(split, self.num_clips, self.benchmark)
        from deixis.data.catalog import find_dataset, load_records

        entry = find_dataset(self.benchmark, others=RENDERED)
        if self.root is None:
            raise DatasetError(f"where is {self.benchmark}? give its folder with --root")
        split = self.split or entry.evaluated
        return split, load_records(self.benchmark, self.root, split)[: self.num_clips]
