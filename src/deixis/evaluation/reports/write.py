"""The files of a report: ``report.json``, ``report.csv``, ``report.md`` and ``report.html`` in one folder."""

from collections.abc import Sequence
from pathlib import Path

from deixis.evaluation.ledger import write_text
from deixis.evaluation.reports.content import Report, save_report
from deixis.evaluation.reports.page import Clip, render_page
from deixis.evaluation.reports.tables import render_csv, render_markdown, worst_rows_table

JSON_FILE, CSV_FILE, MARKDOWN_FILE, PAGE_FILE = "report.json", "report.csv", "report.md", "report.html"


def write_report(report: Report, out: Path, clips: Sequence[Clip] = ()) -> None:
    """Write the four files, each atomically.

    Args:
        report: the report.
        out: folder, made where it does not exist.
        clips: rows that the page shows with pictures.

    Raises:
        SinkError: the folder cannot be written.
    """
    save_report(report, out / JSON_FILE)
    write_text(out / CSV_FILE, render_csv(report))
    worst = worst_rows_table(report)
    write_text(out / MARKDOWN_FILE, render_markdown(report) + (f"\n{worst}\n" if worst else ""))
    write_text(out / PAGE_FILE, render_page(report, clips))
