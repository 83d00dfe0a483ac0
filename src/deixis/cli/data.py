"""``deixis data``: name, check, render and export data sets."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import tyro

from deixis.errors import DatasetError, MissingSplitError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from deixis.data.catalog import Counts, DatasetEntry
    from deixis.data.records import VideoRecord


@dataclass(frozen=True, kw_only=True)
class List:
    """Name the data sets: splits, where to get them, on what terms, what they look like on disk."""

    layouts: bool = False
    """Print the layouts on disk too."""

    def run(self) -> None:
        """Print the catalog."""
        from deixis.data.catalog import DATASETS

        for world, videos in (("synthetic", 200), ("synthetic-wild", 100)):
            print(world)
            print(f"  splits   train (unbounded), val ({videos} videos), test ({videos} videos)")
            print("  source   rendered here: deixis data render, deixis data export\n")
        for name, entry in DATASETS.items():
            print(name)
            for split in entry.splits:
                counts = "; ".join(_told(one, entry.unit) for one in entry.counts.get(split, ()))
                print(f"  split    {split}" + (f" ({counts})" if counts else ""))
            if entry.needs:
                print(f"  needs    {entry.needs}")
            print(f"  source   {entry.source}")
            print(f"  licence  {entry.licence}\n")
            if self.layouts:
                print("\n".join(f"    {line}".rstrip() for line in entry.layout.splitlines()), end="\n\n")


def _told(counts: "Counts", unit: str) -> str:
    """Put published numbers in words; a question mark follows those that the authors do not publish."""
    words = [
        f"{number:,}{'?' if field in counts.unsure else ''} {unit if field == 'videos' else field}"
        for field, number in counts.numbers().items()
    ]
    return (f"{counts.release}: " if counts.release else "") + ", ".join(words)


@dataclass(frozen=True, kw_only=True)
class Check:
    """Check a data set on disk: one line a finding, a summary.

    Exit code 0: nothing found; 1: findings; 2: not there or not this data set. What is marked (known) is
    published like that and changes nothing.
    """

    name: tyro.conf.Positional[str]
    """Data set, as `deixis data list` names it."""
    root: Path
    """Its folder."""
    split: str | None = None
    """One split only; by default all that are there."""
    thorough: bool = False
    """Read every frame and every mask, not the first annotated frame of each video only."""
    partial: bool = False
    """The folder holds a part of the data set, or an export: do not compare with the published counts."""

    def run(self) -> None:
        """Print the findings and a summary; exit with code 1 where there are any.

        Raises:
            DatasetError: the data set is not there at all, or the split that was asked for cannot be read.
        """
        from deixis.data.catalog import find_dataset, load_records

        entry = find_dataset(self.name)
        num_findings, absent = 0, None
        splits = entry.splits if self.split is None else (self.split,)
        num_checked = 0
        for split in splits:
            try:
                records = load_records(self.name, self.root, split)
            except DatasetError as error:
                if len(splits) == 1:
                    raise
                print(f"{split}: not checked: {error}")
                absent = error
                num_findings += not isinstance(error, MissingSplitError)
                continue
            num_checked += 1
            num_findings += self._check_split(entry, split, records)
        if not num_checked and absent is not None:
            raise absent
        if num_findings:
            print(f"{self.name} needs {entry.needs or 'what its layout says'}; source: {entry.source}")
            raise SystemExit(1)

    def _check_split(self, entry: "DatasetEntry", split: str, records: "Sequence[VideoRecord]") -> int:
        """Print the findings of one split; return how many there are that are not known."""
        from functools import partial

        from tqdm import tqdm

        from deixis.data.check import check_split, count

        num_findings = num_known = 0
        for finding in check_split(
            entry,
            self.root,
            split,
            records,
            is_thorough=self.thorough,
            compare_counts=not self.partial,
            watch=partial(tqdm, desc=split, unit=f" {entry.unit}", disable=None),
        ):
            num_known += finding.is_known
            num_findings += not finding.is_known
            tqdm.write(f"{split}: {finding}")
        numbers = count(
            records, ("videos", "expressions") if entry.has_expressions else ("videos", "objects")
        )
        told = ", ".join(
            f"{number:,} {entry.unit if field == 'videos' else field}" for field, number in numbers.items()
        )
        known = f", {num_known} known" if num_known else ""
        print(f"{split}: {told}, {num_findings} findings{known}")
        return num_findings


@dataclass(frozen=True, kw_only=True)
class Render:
    """Render clips of a synthetic world: NAME.mp4, and NAME.json with expressions, masks and boxes."""

    out: Path
    """Folder to write to; clips that are there already are left alone."""
    split: Literal["train", "val", "test"] = "train"
    """Split of the synthetic benchmark."""
    world: Literal["synthetic", "synthetic-wild"] = "synthetic"
    """Shapes on a plane, or figures in places that look like those of real video."""
    num_clips: int = 8
    """How many clips."""
    first: int = 0
    """Number of the first clip in the split."""
    height: int | None = None
    """Of the frames; by default the benchmark's."""
    width: int | None = None
    """Of the frames; by default the benchmark's."""
    length: int | None = None
    """Frames a clip; by default the benchmark's."""
    overwrite: bool = False
    """Render clips again that are there already."""

    def run(self) -> None:
        """Render and say where the clips are."""
        from deixis.synthetic.write import render_videos

        records = _scenes(self)
        written = render_videos(records, self.out, overwrite=self.overwrite)
        print(f"{len(written)} clips in {self.out}")


@dataclass(frozen=True, kw_only=True)
class Export:
    """Write clips of a synthetic world as a split of a data set, in its own layout on disk."""

    layout: tyro.conf.Positional[str]
    """Whose layout, as `deixis data list` names it."""
    out: Path
    """Root folder of the data set; several splits may go into one."""
    split: Literal["train", "val", "test"] = "train"
    """Split of the synthetic benchmark, and of the data set."""
    world: Literal["synthetic", "synthetic-wild"] = "synthetic"
    """Shapes on a plane, or figures in places that look like those of real video."""
    name_split: str | None = None
    """Split of the data set where it goes by another name, as testA of RefCOCO."""
    num_clips: int = 8
    """How many clips."""
    first: int = 0
    """Number of the first clip in the split."""
    height: int | None = None
    """Of the frames; by default the benchmark's."""
    width: int | None = None
    """Of the frames; by default the benchmark's."""
    length: int | None = None
    """Frames a clip; by default the benchmark's."""
    image: Literal["jpg", "png"] = "jpg"
    """Kind of the frames' files; png is exact."""

    def run(self) -> None:
        """Write and say where the data set is."""
        from deixis.synthetic.write import export

        records = _scenes(self)
        export(records, self.out, self.layout, self.name_split or self.split, image=self.image)
        print(f"{self.num_clips} clips in {self.out}")
        print(f"look them over: deixis data check {self.layout} --root {self.out} --partial")


def _scenes(asked: "Render | Export") -> "Iterable[VideoRecord]":
    """Return consecutive clips of a split, with a bar, in another size or length where asked."""
    from dataclasses import replace

    from tqdm import tqdm

    from deixis.synthetic.worlds import WORLDS

    num_clips, first = asked.num_clips, asked.first
    if num_clips < 1 or first < 0:
        raise ValueError(
            f"need --num-clips of at least 1 and --first of at least 0, not {num_clips} and {first}"
        )
    chosen = WORLDS[asked.world].records(asked.split, first + num_clips)[first:]
    usual = chosen.settings
    settings = replace(
        usual,
        size=(
            usual.size[0] if asked.height is None else asked.height,
            usual.size[1] if asked.width is None else asked.width,
        ),
        length=usual.length if asked.length is None else asked.length,
    )
    return tqdm(replace(chosen, settings=settings), unit="clip", disable=None)
