"""``deixis data``: name, check, render and export data sets."""

from dataclasses import dataclass
from pathlib import Path

import tyro

from deixis.errors import DatasetError


@dataclass(frozen=True, kw_only=True)
class List:
    """Name the data sets: splits, where to get them, on what terms, and with --layouts what they look like on disk."""

    layouts: bool = False
    """Print the layouts on disk too."""

    def run(self) -> None:
        """Print the catalog."""
        from deixis.data.catalog import DATASETS

        print(
            "synthetic\n  splits   train (unbounded), val (200 clips), test (200 clips)\n  source   rendered here\n"
        )
        for name, entry in DATASETS.items():
            counts = (
                f"{split} ({entry.counts[split][0]:,} videos, {entry.counts[split][1]:,} expressions)"
                for split in entry.splits
            )
            print(
                f"{name}\n  splits   {', '.join(counts)}\n  source   {entry.source}\n  licence  {entry.licence}"
            )
            if self.layouts:
                print("\n" + "\n".join(f"    {line}".rstrip() for line in entry.layout.splitlines()))
            print()


@dataclass(frozen=True, kw_only=True)
class Check:
    """Check a data set on disk: one line a finding, a summary, and exit code 2 where anything is wrong."""

    name: tyro.conf.Positional[str]
    """Data set, as `deixis data list` names it."""
    root: Path
    """Its folder."""
    split: str | None = None
    """One split only; by default all that are there."""
    thorough: bool = False
    """Read every frame and every mask, not the first annotated frame of each video only."""

    def run(self) -> None:
        """Print the findings and a summary.

        Raises:
            DatasetError: something is wrong, or the data set is not there at all.
        """
        from deixis.data.catalog import find_dataset, load_records

        entry = find_dataset(self.name)
        num_findings, failures = 0, []
        splits = entry.splits if self.split is None else (self.split,)
        for split in splits:
            try:
                records = load_records(self.name, self.root, split)
            except DatasetError as error:
                failures.append(str(error))
                continue
            num_findings += self._check_split(split, records, entry.counts.get(split))
        if len(failures) == len(splits):
            raise DatasetError(failures[0])
        for failure in failures:
            print(f"skipped: {failure}")
        if num_findings:
            raise DatasetError(f"{num_findings} findings in {self.name} at {self.root}; see the lines above")

    def _check_split(self, split: str, records: list, published: tuple[int, int] | None) -> int:
        """Print the findings of one split; return how many there are."""
        from tqdm import tqdm

        from deixis.data.check import check_record

        num_findings = 0
        for record in tqdm(records, unit="video", disable=None):
            for finding in check_record(record, is_thorough=self.thorough):
                num_findings += 1
                tqdm.write(f"{split}: {finding}")
        num_expressions = sum(len(record.expressions) for record in records)
        line = f"{split}: {len(records):,} videos, {num_expressions:,} expressions, {num_findings} findings"
        if published is not None and published != (len(records), num_expressions):
            line += f" (published: {published[0]:,} videos, {published[1]:,} expressions)"
        print(line)
        return num_findings
