"""A comparison as Markdown, JSON and a page."""

import html
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from deixis.configuration import to_plain
from deixis.evaluation.ledger import write_text
from deixis.evaluation.reports.compare import Comparison, Difference, Pair
from deixis.evaluation.reports.content import without_nan
from deixis.evaluation.reports.page import page
from deixis.evaluation.reports.tables import align, describe, figures_table, percent

_NUM_SHOWN = 10
_HEADER = ("A", "B", "B - A", "95% interval", "rows", "better", "worse")


def render_comparison(comparison: Comparison) -> str:
    """Return the comparison as Markdown."""
    first, second = comparison.names
    lines = [
        "# Comparison",
        "",
        f"- A: {first}",
        f"- B: {second}",
        f"- protocol: {describe(comparison.protocol)}",
        f"- {_method(comparison)}",
        *(f"- note: {note}" for note in comparison.notes),
        "",
        figures_table({"A": comparison.totals[0], "B": comparison.totals[1]}, "as reported"),
        "",
        _differences(comparison.figures, "paired rows"),
    ]
    if comparison.kinds:
        lines += ["", _differences(comparison.kinds, "kind")]
    for title, pairs in zip(("fell most", "rose most"), comparison.extremes(_NUM_SHOWN), strict=True):
        if pairs:
            lines += ["", align([[title, *_HEADER[:3]], *(_pair_cells(pair) for pair in pairs)])]
    return "\n".join([*lines, ""])


def write_comparison(comparison: Comparison, out: Path) -> None:
    """Write ``comparison.json``, ``comparison.md`` and ``comparison.html``, each atomically.

    Raises:
        SinkError: the folder cannot be written.
    """
    plain = without_nan(to_plain(comparison))
    write_text(out / "comparison.json", json.dumps(plain, allow_nan=False) + "\n")
    write_text(out / "comparison.md", render_comparison(comparison))
    write_text(out / "comparison.html", render_comparison_page(comparison))


def render_comparison_page(comparison: Comparison) -> str:
    """Return the comparison as a page that loads nothing."""
    notes = "".join(f"<li>{html.escape(note)}</li>" for note in comparison.notes)
    names = "".join(
        f"<dt>{letter}</dt><dd>{html.escape(name)}</dd>"
        for letter, name in zip("AB", comparison.names, strict=True)
    )
    sections = [
        "<h1>Comparison</h1>",
        f"<dl>{names}<dt>protocol</dt><dd>{html.escape(describe(comparison.protocol))}</dd>"
        f"<dt>interval</dt><dd>{html.escape(_method(comparison))}</dd></dl>",
        f'<ul class="notes">{notes}</ul>' if notes else "",
        f'<section id="figures"><h2>Figures over paired rows</h2>{_page_table(comparison.figures)}</section>',
    ]
    if comparison.kinds:
        sections.append(f'<section id="by-kind"><h2>By kind</h2>{_page_table(comparison.kinds)}</section>')
    sections.append(f'<section id="rows"><h2>All rows</h2>{_page_pairs(comparison.pairs)}</section>')
    return page("Comparison", sections)


def _method(comparison: Comparison) -> str:
    videos = len({pair.key[1] for pair in comparison.pairs})
    return (
        f"{len(comparison.pairs):,} paired rows of {videos:,} videos; 95% interval of the mean difference by "
        f"{comparison.num_draws:,} bootstrap draws of whole videos, seed {comparison.seed}"
    )


def _differences(differences: Mapping[str, Difference], corner: str) -> str:
    body = [[name, *_cells(difference)] for name, difference in differences.items()]
    return align([[corner, *_HEADER], *body])


def _cells(difference: Difference) -> list[str]:
    return [
        percent(difference.first),
        percent(difference.second),
        _signed(difference.difference),
        f"{_signed(difference.low)} to {_signed(difference.high)}",
        f"{difference.num_rows:,}",
        f"{difference.num_better:,}",
        f"{difference.num_worse:,}",
    ]


def _pair_cells(pair: Pair) -> list[str]:
    name = " ".join(part for part in (*pair.key, f'"{pair.text}"' if pair.text else "") if part)
    return [name, percent(pair.first), percent(pair.second), _signed(pair.difference)]


def _signed(value: float) -> str:
    return "-" if math.isnan(value) else f"{100 * value:+.1f}"


def _page_table(differences: Mapping[str, Difference]) -> str:
    return _page_rows(
        ["", *_HEADER],
        [[name, *_cells(difference)] for name, difference in differences.items()],
        [difference.difference for difference in differences.values()],
    )


def _page_pairs(pairs: Sequence[Pair]) -> str:
    table = _page_rows(
        ["row", *_HEADER[:3]], [_pair_cells(pair) for pair in pairs], [p.difference for p in pairs]
    )
    search = '<input type="search" placeholder="filter rows" aria-label="filter rows">'
    return f"<details open><summary>{len(pairs):,} rows</summary>{search}{table}</details>"


def _page_rows(header: Sequence[str], body: Sequence[Sequence[str]], changes: Sequence[float]) -> str:
    """Return a table whose fourth column is coloured by the sign of the change."""
    head = "".join(
        f"<th{'' if number == 0 else ' class=number'}>{html.escape(name)}</th>"
        for number, name in enumerate(header)
    )
    rows = []
    for cells, change in zip(body, changes, strict=True):
        sign = "better" if change > 0 else "worse" if change < 0 else ""
        columns = "".join(
            f'<td class="number {sign if number == 3 else ""}">{html.escape(cell)}</td>'
            for number, cell in enumerate(cells)
            if number
        )
        rows.append(f"<tr><th>{html.escape(cells[0])}</th>{columns}</tr>")
    return (
        f'<div class="wide"><table class="sortable"><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )
