"""A report as tables: Markdown for files and the screen, CSV with one row an object or expression."""

import csv
import io
import math
from collections.abc import Iterable, Mapping, Sequence

from deixis.evaluation.reports.content import Figures, Report

_NUM_WORST = 10


def percent(value: float) -> str:
    """Return a fraction in percent with one decimal, a dash where there is none."""
    return "-" if math.isnan(value) else f"{100 * value:.1f}"


def figures_table(groups: Mapping[str, Figures], corner: str = "") -> str:
    """Return a Markdown table, one row a group, figures in percent."""
    columns = _columns(groups.values())
    body = [
        [name, *(percent(figures.get(column, math.nan)) for column in columns)]
        for name, figures in groups.items()
    ]
    return align([[corner, *columns], *body])


def render_markdown(report: Report, *, groups: Sequence[str] | None = None) -> str:
    """Return the report: the official table, what was scored and how, the groups and the worst rows.

    Args:
        report: the report.
        groups: kinds of groups to show; None: all of them.
    """
    lines = [f"# {report.title}", "", figures_table({"all": report.figures}), "", *_facts(report)]
    for note in report.notes:
        lines.append(f"- note: {note}")
    for kind, figures in report.groups.items():
        if figures and (groups is None or kind in groups):
            lines += ["", figures_table(figures, kind)]
    return "\n".join([*lines, ""])


def worst_rows_table(report: Report) -> str:
    """Return a Markdown table of the rows that scored lowest; "" where rows have no J&F."""
    worst = report.worst(_NUM_WORST)
    if not worst:
        return ""
    named = {
        " ".join(part for part in (row.group, row.video, row.name, _quoted(row.text)) if part): row.figures
        for row in worst
    }
    return figures_table(named, "worst")


def render_csv(report: Report) -> str:
    """Return one line a row, with names that do not change from run to run; figures as fractions."""
    columns = _columns([row.figures for row in report.rows])
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["group", "video", "name", "text", "kinds", "note", "frames", *columns])
    for row in report.rows:
        cells = [row.figures.get(column, math.nan) for column in columns]
        writer.writerow(
            [row.group, row.video, row.name, row.text, " ".join(row.kinds), row.note, len(row.frames)]
            + ["" if math.isnan(cell) else repr(float(cell)) for cell in cells]
        )
    return text.getvalue()


def align(rows: Sequence[Sequence[str]]) -> str:
    """Align cells in columns, the first to the left and the others to the right."""
    rows = [[cell.replace("|", "\\|").replace("\n", " ") for cell in row] for row in rows]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        "| " + " | ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]) + " |"
        for row in rows
    ]
    rule = "|" + "|".join(["-" * (widths[0] + 2), *("-" * (width + 1) + ":" for width in widths[1:])]) + "|"
    return "\n".join([lines[0], rule, *lines[1:]])


def describe(facts: Mapping[str, object]) -> str:
    """Return facts in one line: ``name value, name value``."""
    return ", ".join(f"{name} {_grouped(value)}" for name, value in facts.items())


def _facts(report: Report) -> list[str]:
    return [
        f"- protocol: {describe(report.protocol)}",
        f"- data: {describe(report.data)}",
        f"- predictions: {describe(report.predictions)}",
        f"- {report.date}; {report.seconds:.1f} s; {describe(report.versions)}",
    ]


def _columns(figures: Iterable[Figures]) -> list[str]:
    """Return the names of all figures in the order in which they first occur."""
    return list(dict.fromkeys(name for each in figures for name in each))


def _grouped(value: object) -> str:
    is_count = isinstance(value, int) and not isinstance(value, bool)
    return f"{value:,}" if is_count else str(value)


def _quoted(text: str) -> str:
    return f'"{text}"' if text else ""
