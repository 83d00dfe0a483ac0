"""Small charts as inline SVG: nothing to load, sharp at any size, colours from the page's style sheet."""

import html
import math
from collections.abc import Mapping, Sequence

_MARGIN_LEFT, _MARGIN_BOTTOM, _MARGIN = 34, 22, 8
_MOST_POINTS = 160


def line_chart(
    series: Mapping[str, Sequence[float]],
    *,
    label: str,
    ends: tuple[str, str],
    width: int = 460,
    height: int = 170,
) -> str:
    """Draw fractions over time, one line a series.

    Args:
        series: name -> values in [0, 1]; NaN breaks the line.
        label: says in words what the chart shows, for who cannot see it.
        ends: what stands below the first and the last value.
        width: in pixels.
        height: in pixels.
    """
    right, bottom = width - _MARGIN, height - _MARGIN_BOTTOM
    parts = [_open(width, height, label)]
    for tick in (0.0, 0.25, 0.5, 0.75, 1.0):
        y = bottom - tick * (bottom - _MARGIN)
        parts.append(f'<line class="grid" x1="{_MARGIN_LEFT}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(
            f'<text x="{_MARGIN_LEFT - 5}" y="{y + 4:.1f}" text-anchor="end">{100 * tick:.0f}</text>'
        )
    parts.append(f'<text x="{_MARGIN_LEFT}" y="{height - 6}">{html.escape(ends[0])}</text>')
    parts.append(f'<text x="{right}" y="{height - 6}" text-anchor="end">{html.escape(ends[1])}</text>')
    for number, values in enumerate(series.values()):
        path = _path(values, (_MARGIN_LEFT, _MARGIN), (right, bottom))
        parts.append(f'<path class="line s{number}" d="{path}"/>')
    return "".join([*parts, "</svg>", _legend(list(series))])


def sparkline(values: Sequence[float], *, label: str, width: int = 120, height: int = 22) -> str:
    """Draw fractions over time in the space of a word."""
    path = _path(values, (1, 2), (width - 1, height - 2))
    return f'{_open(width, height, label)}<path class="line s0" d="{path}"/></svg>'


def histogram(
    values: Sequence[float], *, label: str, num_bins: int = 20, width: int = 460, height: int = 170
) -> str:
    """Draw how many of the fractions lie in each of ``num_bins`` equal parts of [0, 1]."""
    counts = [0] * num_bins
    for value in values:
        if not math.isnan(value):
            counts[min(int(value * num_bins), num_bins - 1)] += 1
    highest = max(*counts, 1)
    right, bottom = width - _MARGIN, height - _MARGIN_BOTTOM
    step = (right - _MARGIN_LEFT) / num_bins
    parts = [_open(width, height, label)]
    parts.append(f'<text x="{_MARGIN_LEFT - 5}" y="{_MARGIN + 8}" text-anchor="end">{highest}</text>')
    for number, count in enumerate(counts):
        tall = count / highest * (bottom - _MARGIN)
        title = f"{100 * number // num_bins} to {100 * (number + 1) // num_bins}: {count}"
        parts.append(
            f'<rect class="bar" x="{_MARGIN_LEFT + number * step + 1:.1f}" y="{bottom - tall:.1f}" '
            f'width="{step - 2:.1f}" height="{tall:.1f}"><title>{title}</title></rect>'
        )
    parts.append(f'<line class="grid" x1="{_MARGIN_LEFT}" x2="{right}" y1="{bottom}" y2="{bottom}"/>')
    for tick in (0, 50, 100):
        x = _MARGIN_LEFT + tick / 100 * (right - _MARGIN_LEFT)
        anchor = "end" if tick == 100 else "middle"
        parts.append(f'<text x="{x:.1f}" y="{height - 6}" text-anchor="{anchor}">{tick}</text>')
    return "".join([*parts, "</svg>"])


def over_time(curves: Sequence[Sequence[float]], num_points: int = 40) -> list[float]:
    """Return the mean of curves of different lengths at equal shares of their time.

    A curve of n values stands for n equal parts of its video; a point takes the part that it falls into.
    """
    curves = [curve for curve in curves if curve]
    means = []
    for point in range(num_points):
        values = [curve[int((point + 0.5) / num_points * len(curve))] for curve in curves]
        known = [value for value in values if not math.isnan(value)]
        means.append(sum(known) / len(known) if known else math.nan)
    return means


def _open(width: int, height: int, label: str) -> str:
    return (
        f'<svg viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" '
        f'aria-label="{html.escape(label)}">'
    )


def _legend(names: Sequence[str]) -> str:
    if len(names) < 2:
        return ""
    items = (f'<span class="key s{number}"></span>{html.escape(name)} ' for number, name in enumerate(names))
    return f'<div class="legend">{"".join(items)}</div>'


def _path(values: Sequence[float], top_left: tuple[float, float], bottom_right: tuple[float, float]) -> str:
    """Return the path of a line; long ones are thinned, so that a page of many stays small."""
    stride = -(-len(values) // _MOST_POINTS)
    kept = [(index, values[index]) for index in range(0, len(values), max(stride, 1))]
    (left, top), (right, bottom) = top_left, bottom_right
    span = max(len(values) - 1, 1)
    path, is_down = [], False
    for index, value in kept:
        if math.isnan(value):
            is_down = False
            continue
        x = left + index / span * (right - left)
        y = bottom - value * (bottom - top)
        path.append(f"{'L' if is_down else 'M'}{x:.1f} {y:.1f}")
        is_down = True
    if len(path) == 1:
        path.append("h2")
    return "".join(path)
