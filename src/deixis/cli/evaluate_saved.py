"""``deixis evaluate`` of what is saved: masks scored, looked over and packed, results compared."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deixis.errors import DatasetError, DeixisError

if TYPE_CHECKING:
    from deixis.cli.evaluate import Evaluate
    from deixis.evaluation.protocols.base import VideoProtocol
    from deixis.evaluation.reports.content import Report
    from deixis.evaluation.subjects import Subject


def compare_results(command: "Evaluate", first: Path, second: Path) -> None:
    """Print and write what two results differ by."""
    from deixis.evaluation.reports.compare import compare, load_result
    from deixis.evaluation.reports.compare_tables import render_comparison, write_comparison

    comparison = compare(load_result(first), load_result(second), seed=command.seed)
    print(render_comparison(comparison))
    if command.out is not None:
        write_comparison(comparison, command.out)
        print(f"written: {command.out / 'comparison.html'}")


def score_saved(command: "Evaluate", predictions: Path) -> None:
    """Score a folder or zip of masks, or a file of run lengths."""
    from deixis.evaluation.protocols.base import SampleProtocol
    from deixis.evaluation.sample_run import evaluate_samples
    from deixis.evaluation.subjects import choose_protocol

    protocol = choose_protocol(command.benchmark, command.protocol)
    subject = find_subject_of(command)
    out = command.out or command.default_out(predictions.resolve().stem, protocol.name)
    if isinstance(protocol, SampleProtocol):
        print_report(command, evaluate_samples(predictions, subject, protocol, out), out)
    else:
        score_files(command, predictions, subject, protocol, out)


def score_files(
    command: "Evaluate",
    predictions: Path,
    subject: "Subject",
    protocol: "VideoProtocol",
    out: Path,
    about: Mapping[str, Any] | None = None,
) -> None:
    """Score mask files of videos, and leave the report; ``about`` says what they are of."""
    from tqdm import tqdm

    from deixis.evaluation.file_run import evaluate_files
    from deixis.evaluation.protocols.base import Options

    with tqdm(total=len(subject.truths), unit="video", disable=None) as bar:
        report = evaluate_files(
            predictions,
            subject,
            protocol,
            out,
            options=Options(missing=command.missing),
            num_workers=command.workers,
            overwrite=command.overwrite,
            about=about,
            on_video=bar.update,
        )
    print_report(command, report, out)


def print_report(command: "Evaluate", report: "Report", out: Path) -> None:
    """Print the tables of a report."""
    from deixis.evaluation.reports.tables import render_markdown
    from deixis.evaluation.reports.write import PAGE_FILE

    groups = [kind for kind in report.groups if command.videos or kind != "video"]
    print(render_markdown(report, groups=groups))
    print(f"written: {out / PAGE_FILE}")


def check_saved(command: "Evaluate", predictions: Path) -> None:
    """Look predictions over; exit with an error where something is wrong."""
    from deixis.evaluation.file_run import check_files
    from deixis.evaluation.files import open_files
    from deixis.evaluation.protocols.base import Options, SampleProtocol
    from deixis.evaluation.subjects import choose_protocol
    from deixis.evaluation.submission import FORMATS, check_submission

    records = command.records()[1] if command.benchmark in FORMATS else ()
    is_hidden = any(record.masks is None for record in records)
    if records and (is_hidden or predictions.is_file()):
        findings = check_submission(open_files(predictions), records, dataset=command.benchmark)
        place = f"the server of {command.benchmark}"
    else:
        protocol = choose_protocol(command.benchmark, command.protocol)
        if isinstance(protocol, SampleProtocol):
            raise DeixisError(f"{protocol.name} takes one JSON file, which is checked as it is scored")
        truths = find_subject_of(command).truths
        findings = check_files(predictions, truths, protocol, Options(missing=command.missing))
        place = f"the protocol {protocol.name}"
    for line in findings.note_lines():
        print(f"note: {line}")
    findings.raise_problems(predictions)
    print(f"{predictions} is what {place} takes")


def pack_saved(command: "Evaluate", predictions: Path, submission: Path) -> None:
    """Write the zip for a server from saved masks."""
    from deixis.evaluation.files import open_files
    from deixis.evaluation.submission import find_format, pack_submission

    find_format(command.benchmark)
    num_images = pack_submission(
        open_files(predictions),
        command.records()[1],
        submission,
        dataset=command.benchmark,
        overwrite=command.overwrite,
    )
    print(f"written: {submission}, {num_images:,} images")


def find_subject_of(command: "Evaluate") -> "Subject":
    """Return what saved masks are scored on."""
    from deixis.evaluation.subjects import choose_protocol, find_subject, subject_of_folder

    protocol = choose_protocol(command.benchmark, command.protocol)
    if command.truth is not None:
        return subject_of_folder(command.benchmark, command.truth)
    if command.is_rendered:
        raise DeixisError(
            f"the {command.benchmark} benchmark has no masks on disk; "
            "write it by `deixis data export`, give --root"
        )
    if command.root is None:
        raise DatasetError(
            f"where is {command.benchmark}? give its folder with --root, or label maps with --truth"
        )
    return find_subject(command.benchmark, command.root, command.split, protocol)
