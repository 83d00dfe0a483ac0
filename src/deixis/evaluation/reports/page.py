"""A report as one HTML page that loads nothing: style, script, charts and pictures are inside it."""

import html
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources

from deixis.evaluation.reports.charts import histogram, line_chart, over_time, sparkline
from deixis.evaluation.reports.content import Figures, Report, Row
from deixis.evaluation.reports.pictures import MISSED, RIGHT, WRONG, Picture
from deixis.evaluation.reports.tables import describe, percent

_MOST_ROWS = 4000


@dataclass(frozen=True)
class Clip:
    """A row whose frames are shown."""

    row: Row
    pictures: tuple[Picture, ...]


def render_page(report: Report, clips: Sequence[Clip] = ()) -> str:
    """Return the page: official table, record, charts, groups, the worst clips with pictures, all rows.

    Args:
        report: the report.
        clips: rows to show with pictures, the worst first.
    """
    sections = [
        f"<h1>{_text(report.title)}</h1>",
        f'<section id="figures"><h2>Figures</h2>{_table({"all": report.figures})}{_record(report)}</section>',
        _charts(report),
        *(_group(kind, figures) for kind, figures in report.groups.items() if figures),
        _clips(clips),
        _rows(report),
    ]
    return page(report.title, sections)


def page(title: str, sections: Iterable[str]) -> str:
    """Return a whole page of sections, with the style and script that all our pages share."""
    style, script = (_resource(name) for name in ("page.css", "page.js"))
    return "\n".join(
        [
            "<!DOCTYPE html>",
            '<html lang="en"><head><meta charset="utf-8">',
            # A page of figures has no business on the network: the browser is told so.
            '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; img-src data:; '
            "style-src 'unsafe-inline'; script-src 'unsafe-inline'\">",
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{_text(title)}</title>",
            f"<style>{style}</style></head><body><main>",
            *sections,
            f"</main><script>{script}</script></body></html>",
            "",
        ]
    )


def _resource(name: str) -> str:
    return resources.files("deixis.evaluation.reports").joinpath(name).read_text(encoding="utf-8")


def _record(report: Report) -> str:
    """Return what was scored and how, as a list of names and values."""
    facts = {
        "protocol": describe(report.protocol),
        "data": describe(report.data),
        "predictions": describe(report.predictions),
        "date": f"{report.date}; {report.seconds:.1f} s",
        "versions": describe(report.versions),
    }
    notes = "".join(f"<li>{_text(note)}</li>" for note in report.notes)
    items = "".join(f"<dt>{_text(name)}</dt><dd>{_text(value)}</dd>" for name, value in facts.items())
    return f"<dl>{items}</dl>{f'<ul class=notes>{notes}</ul>' if notes else ''}"


def _charts(report: Report) -> str:
    """Return the scores over time and their spread, where rows have them."""
    parts = []
    region = over_time([row.region for row in report.rows])
    contour = over_time([row.contour for row in report.rows])
    if any(not math.isnan(value) for value in region):
        series = {"J": region, "F": contour} if any(row.contour for row in report.rows) else {"J": region}
        chart = line_chart(
            series, label="mean J and F from the first to the last frame", ends=("first frame", "last frame")
        )
        parts.append(f"<figure><figcaption>J and F over time, mean over rows, %</figcaption>{chart}</figure>")
    scores = [row.score for row in report.rows]
    if any(not math.isnan(score) for score in scores):
        chart = histogram(scores, label="number of rows by score")
        parts.append(f"<figure><figcaption>Rows by score, %</figcaption>{chart}</figure>")
    return f'<section id="charts"><div class="charts">{"".join(parts)}</div></section>' if parts else ""


def _group(kind: str, figures: Mapping[str, Figures]) -> str:
    table = _table(figures, corner=kind, is_sortable=True)
    is_long = len(figures) > 12
    body = f"<details><summary>{len(figures)} rows</summary>{table}</details>" if is_long else table
    return f'<section id="by-{_text(kind)}"><h2>By {_text(kind)}</h2>{body}</section>'


def _clips(clips: Sequence[Clip]) -> str:
    if not clips:
        return ""
    keys = "".join(
        f'<span class="key" style="background:rgb{colour}"></span>{name} '
        for name, colour in (("right", RIGHT), ("missed", MISSED), ("wrong", WRONG))
    )
    articles = "".join(_clip(clip) for clip in clips)
    return f'<section id="worst"><h2>Worst clips</h2><div class="legend">{keys}</div>{articles}</section>'


def _clip(clip: Clip) -> str:
    """Return one clip: what it is, its frames, its scores over time."""
    row = clip.row
    pictures = "".join(
        f'<figure><img alt="{_text(picture.caption)}" src="{picture.uri}">'
        f"<figcaption>{_text(picture.caption)}</figcaption></figure>"
        for picture in clip.pictures
    )
    chart = ""
    if row.region:
        series = {"J": row.region, "F": row.contour} if row.contour else {"J": row.region}
        ends = (row.frames[0], row.frames[-1]) if row.frames else ("first", "last")
        chart = f"<figure>{line_chart(series, label='J and F of each frame', ends=ends, width=320)}</figure>"
    figures = ", ".join(f"{name} {percent(value)}" for name, value in row.figures.items())
    about = f"<q>{_text(row.text)}</q> " if row.text else ""
    return (
        f"<article><h3>{_text(' / '.join(part for part in row.key if part))}</h3>"
        f'<p>{about}<span class="dim">{_text(figures)}</span></p>'
        f'<div class="pictures">{pictures}{chart}</div></article>'
    )


def _rows(report: Report) -> str:
    """Return the table of all rows, with J over time in the space of a word."""
    rows = report.rows
    if not rows:
        return ""
    note = ""
    if len(rows) > _MOST_ROWS:
        rows = tuple(report.worst(_MOST_ROWS))
        note = f"<p>The {_MOST_ROWS:,} lowest of {len(report.rows):,} rows; report.csv has all of them.</p>"
    columns = list(dict.fromkeys(name for row in rows for name in row.figures))
    has_time = any(len(row.region) > 1 for row in rows)
    header = [*(["part"] if any(row.group for row in rows) else []), "video", "name"]
    about = [name for name in ("text", "note") if any(getattr(row, name) for row in rows)]
    cells = []
    for row in rows:
        named = [row.group] * (len(header) == 3) + [row.video, row.name, *(getattr(row, n) for n in about)]
        line = sparkline(row.region, label=f"J of {row.video} over time") if len(row.region) > 1 else ""
        cells.append(
            f"<tr>{''.join(f'<td>{_text(cell)}</td>' for cell in named)}"
            f"{''.join(_cell(row.figures.get(column, math.nan)) for column in columns)}"
            f"{f'<td>{line}</td>' if has_time else ''}</tr>"
        )
    head = "".join(f"<th>{_text(name)}</th>" for name in [*header, *about])
    head += "".join(f'<th class="number">{_text(name)}</th>' for name in columns)
    head += "<th>J over time</th>" if has_time else ""
    return (
        f'<section id="rows"><h2>All rows</h2>{note}<details><summary>{len(rows):,} rows</summary>'
        '<input type="search" placeholder="filter rows" aria-label="filter rows">'
        f'<div class="wide"><table class="sortable"><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(cells)}</tbody></table></div></details></section>"
    )


def _table(groups: Mapping[str, Figures], corner: str = "", *, is_sortable: bool = False) -> str:
    columns = list(dict.fromkeys(name for figures in groups.values() for name in figures))
    head = f"<th>{_text(corner)}</th>" + "".join(f'<th class="number">{_text(c)}</th>' for c in columns)
    body = "".join(
        f"<tr><th>{_text(name)}</th>{''.join(_cell(figures.get(c, math.nan)) for c in columns)}</tr>"
        for name, figures in groups.items()
    )
    kind = ' class="sortable"' if is_sortable else ""
    return f'<div class="wide"><table{kind}><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _cell(value: float) -> str:
    """Return a cell that shows a fraction as a number and as a bar."""
    share = 0.0 if math.isnan(value) else min(max(value, 0.0), 1.0)
    return f'<td class="number" style="--share:{100 * share:.0f}%">{percent(value)}</td>'


def _text(value: str) -> str:
    return html.escape(value)
