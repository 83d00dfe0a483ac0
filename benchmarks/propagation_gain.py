"""Table C2 of ReferFormer's supplement in small: RVOS with propagation from the best frame, and without.

    python benchmarks/propagation_gain.py --out OUT --models hinet-tiny mttr-tiny-synthetic NAME=WEIGHTS \
        --propagators translation NAME=WEIGHTS

Every model is asked about each clip of ``synthetic``; its masks are scored as they are ("none"), and after
those of the frame in which it is surest were followed to both ends of the clip by each propagator. Models and
propagators are names, with weights where they come without.

Writes ``gain.json`` and ``gain.md``: J&F of every pair, and the difference to "none" with a 95% interval over
clips (bootstrap), below 0 where propagation makes masks worse. What is scored is not scored again, one that
was stopped goes on clip by clip: the same command, with more models or propagators if you like.
"""

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from ablation import check_settings, found_result, parse, score, settings_of, with_length
from torch import Tensor

from deixis import Segmenter, propagators
from deixis.data.records import VideoRecord
from deixis.errors import DeixisError
from deixis.evaluation.predictor import Predictor, read_frames
from deixis.evaluation.record import ResultRecord, load_record
from deixis.evaluation.reports.compare import bootstrap_interval
from deixis.evaluation.run import RECORD_FILE
from deixis.evaluation.synthetic import find_records
from deixis.inference.prediction import Prediction
from deixis.inference.propagation import refine
from deixis.ops.atomic import write_atomically
from deixis.propagators.base import Propagator

NONE = "none"
HEADER = ("model", "propagator", "J&F", "J", "F", "difference of J&F", "95% interval", "absent empty")


@dataclass(frozen=True)
class RecordFrames:
    """The frames of a record, in any order."""

    record: VideoRecord

    def __len__(self) -> int:
        return len(self.record.frame_names)

    def __getitem__(self, index: int) -> Tensor:
        image = self.record.frames.read([index])[0]
        return torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1).contiguous()


def main() -> None:
    options = read_options()
    settings = settings_of(options, ("split", "clips", "length"))
    options.out.mkdir(parents=True, exist_ok=True)
    check_settings(options.out, settings)
    records = with_length(find_records(options.split, options.clips), options.length)
    text = ""
    for model in options.models:
        for _ in score_model(model, records, options):
            text = write_results(options.out, settings)
    print(text)


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--models", nargs="+", required=True, metavar="NAME[=WEIGHTS]")
    parser.add_argument("--propagators", nargs="+", default=["translation"], metavar="NAME[=WEIGHTS]")
    parser.add_argument("--split", default="test", choices=("val", "test"))
    parser.add_argument("--clips", type=int, default=50, help="that are scored")
    parser.add_argument("--length", type=int, default=16, help="frames of a clip")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--threads", type=int, default=0, help="of the CPU; 0: all")
    return parse(parser)


def score_model(model: str, records: Sequence[VideoRecord], options: argparse.Namespace) -> Iterator[Path]:
    """Score a model without a propagator and with each, or take what is there; yield each folder."""
    name, _, weights = model.partition("=")
    asked: Asked | None = None
    for propagator in (NONE, *options.propagators):
        label, _, checkpoint = propagator.partition("=")
        scores = options.out / Path(name).name / label
        known = found_result(scores)
        if known is not None and (known.model, known.protocol["propagator"]) != (model, propagator):
            raise SystemExit(
                f"{scores} is of {known.model}, {known.protocol['propagator']}; choose another --out"
            )
        if known is None:
            print(f"{name}, {label}", flush=True)
            asked = asked or Asked(Segmenter(name, checkpoint=weights or None, device=options.device), {})
            follow = None
            if label != NONE:
                device = asked.segmenter.engine.device
                follow = propagators.build(label, checkpoint or None, device=device)
            score(
                asked.segmenter,
                asked.predictor(follow),
                records,
                scores,
                model=model,
                split=options.split,
                settings={"propagator": propagator, "length": options.length},
            )
        yield scores


@dataclass(frozen=True)
class Asked:
    """A model, and what it said of each clip."""

    segmenter: Segmenter
    found: dict[str, Prediction]

    def predictor(self, propagator: Propagator | None) -> Predictor:
        """Return what gives the masks as they are, or those that ``propagator`` makes of them."""

        def predict(record: VideoRecord, expressions: Sequence[str]) -> Iterator[np.ndarray]:
            if record.name not in self.found:
                self.found[record.name] = self.segmenter(read_frames(record), list(expressions))
            prediction = self.found[record.name]
            if propagator is not None:
                prediction = refine(prediction, RecordFrames(record), propagator)
            for frame in prediction:
                yield frame.masks

        return predict


def write_results(out: Path, settings: Mapping[str, Any]) -> str:
    """Write figures and table of all pairs that were scored; return the table."""
    rows = [row for path in sorted(out.glob(f"*/{NONE}/{RECORD_FILE}")) for row in rows_of(path.parents[1])]
    lines = [f"| {' | '.join(HEADER)} |", f"| --- | --- |{' ---: |' * (len(HEADER) - 2)}"]
    for row in rows:
        cells = [row["model"], row["propagator"], *(f"{row[name]:.1f}" for name in HEADER[2:5])]
        if row["propagator"] == NONE:
            cells += ["", ""]
        else:
            low, high = row[HEADER[6]]
            cells += [f"{row[HEADER[5]]:+.1f}", f"{low:+.1f} to {high:+.1f}"]
        lines.append(f"| {' | '.join([*cells, f'{row[HEADER[7]]:.1f}'])} |")
    text = "\n".join(lines) + "\n"
    write_atomically(
        out / "gain.json", json.dumps({"settings": dict(settings), "rows": rows}, indent=2).encode()
    )
    write_atomically(out / "gain.md", text.encode())
    return text


def rows_of(folder: Path) -> Iterator[dict[str, Any]]:
    """Yield the rows of a model in hundredths, the one without a propagator first."""
    base = load_record(folder / NONE / RECORD_FILE)
    for path in sorted(folder.glob(f"*/{RECORD_FILE}"), key=lambda path: (path.parent.name != NONE, path)):
        result = load_record(path)
        figures = result.figures
        shares = (figures.region_and_contour, figures.region, figures.contour, figures.absent_empty_share)
        values = [100 * value for value in shares]
        row = {"model": folder.name, "propagator": path.parent.name}
        row |= dict(zip((*HEADER[2:5], HEADER[7]), values, strict=True))
        if path.parent.name != NONE:
            change, interval = compare_paired(base, result)
            row |= {HEADER[5]: change, HEADER[6]: interval}
        yield row


def compare_paired(first: ResultRecord, second: ResultRecord) -> tuple[float, tuple[float, float]]:
    """Return how much J&F rises from one result to another, and the 95% interval, in hundredths."""
    pairs = [(one, other) for one, other in zip(first.rows, second.rows, strict=True) if not one.is_absent]
    changes = np.array([50 * (b.region + b.contour - a.region - a.contour) for a, b in pairs])
    low, high = bootstrap_interval(changes, [one.video for one, _ in pairs], seed=0)
    return float(changes.mean()), (low, high)


if __name__ == "__main__":
    try:
        main()
    except DeixisError as error:
        raise SystemExit(f"propagation_gain: {error}") from error
