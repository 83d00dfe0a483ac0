"""``deixis evaluate``: score a model on the synthetic benchmark or on a data set on disk."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import tyro

from deixis.errors import DatasetError
from deixis.models.registry import DEFAULT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from deixis.data.records import VideoRecord

SYNTHETIC = "synthetic"


@dataclass(frozen=True, kw_only=True)
class Evaluate:
    """Score a model on a benchmark: J, F, J&F, P@K, oIoU, mIoU, absent accuracy; also by kind of expression.

    Writes result.json, report.md and rows.jsonl. A run that was stopped goes on with the videos that are not
    done.
    """

    benchmark: tyro.conf.Positional[str]
    """synthetic, or a data set that `deixis data list` names."""
    model: str = DEFAULT
    """Model, as `deixis models list` names it."""
    checkpoint: Path | None = None
    """Weights, where the name alone does not say: a folder of ours or a published file."""
    root: Path | None = None
    """Folder of the data set."""
    split: str | None = None
    """Split of the data set; by default the one that results are reported on."""
    num_clips: int | None = None
    """Score the first clips only."""
    permute: bool = False
    """Language control: score each object against the answer to an expression of another object."""
    seed: int = 0
    """Of the permutation."""
    out: Path | None = None
    """Folder of the results; by default out/evaluate/BENCHMARK-SPLIT-MODEL."""
    submission: Path | None = None
    """Write the zip that the server of ref-youtube-vos takes, and score nothing."""
    overwrite: bool = False
    """Throw away what the folder holds and begin anew."""
    device: str = "auto"
    """cpu, cuda, cuda:1, mps, or auto."""
    dtype: str = "auto"
    """float32, bfloat16, or auto."""
    videos: bool = False
    """Print the figures of every video too; report.md has them in any case."""

    def run(self) -> None:
        """Score, write and print."""
        if self.num_clips is not None and self.num_clips < 1:
            raise ValueError(f"--num-clips must be at least 1, got {self.num_clips}")
        split, records = self._records()
        from tqdm import tqdm

        from deixis.evaluation.report import render_markdown
        from deixis.evaluation.run import RECORD_FILE, Subject, evaluate
        from deixis.evaluation.segmenting import predict_with
        from deixis.evaluation.submission import write_submission
        from deixis.inference.record import weights_hash
        from deixis.inference.segmenter import Segmenter

        segmenter = Segmenter(self.model, checkpoint=self.checkpoint, device=self.device, dtype=self.dtype)
        if self.submission is not None:
            num_images = write_submission(
                tqdm(records, unit="video", disable=None),
                predict_with(segmenter),
                self.submission,
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
                *((("root", str(self.root.resolve())),) if self.root is not None else ()),
            ),
        )
        out = self._out(split)
        result = evaluate(
            tqdm(records, unit="video", disable=None),
            predict_with(segmenter),
            subject,
            out,
            permute_seed=self.seed if self.permute else None,
            overwrite=self.overwrite,
        )
        print(render_markdown(result, with_videos=self.videos))
        print(f"written: {out / RECORD_FILE}")

    def _records(self) -> "tuple[str, Sequence[VideoRecord]]":
        """Return the split and its records."""
        if self.benchmark == SYNTHETIC:
            from deixis.evaluation.synthetic import find_records

            split = self.split or "test"
            return split, find_records(split, self.num_clips)
        from deixis.data.catalog import find_dataset, load_records

        entry = find_dataset(self.benchmark, others=(SYNTHETIC,))
        if self.root is None:
            raise DatasetError(f"where is {self.benchmark}? give its folder with --root")
        split = self.split or entry.evaluated
        return split, load_records(self.benchmark, self.root, split)[: self.num_clips]

    def _out(self, split: str) -> Path:
        if self.out is not None:
            return self.out
        name = f"{self.benchmark}-{split}-{self.model}{'-permuted' if self.permute else ''}"
        return Path("out") / "evaluate" / name.replace("/", "_")
