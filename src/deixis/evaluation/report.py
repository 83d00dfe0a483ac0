"""A record of an evaluation as tables: Markdown for files, the same text for the screen."""

import math
from collections.abc import Mapping, Sequence

from deixis.evaluation.record import ResultRecord
from deixis.metrics.region import PRECISION_THRESHOLDS
from deixis.metrics.tables import Figures

_COLUMNS = (
    "expressions",
    "J&F",
    "J",
    "F",
    *(f"P@{threshold}" for threshold in PRECISION_THRESHOLDS),
    "oIoU",
    "mIoU",
    "presence",
    "absent acc.",
    "absent empty",
)


def figures_table(figures: Mapping[str, Figures], corner: str = "") -> str:
    """Return a Markdown table, one row a group, figures in percent, a dash where there is none."""
    header = [corner, *_COLUMNS]
    body = [[name, *_cells(group)] for name, group in figures.items()]
    return _table([header, *body])


def render_markdown(record: ResultRecord, *, with_videos: bool = True) -> str:
    """Return the report: what was scored and how, and the figures in all, by kind and by video."""
    lines = [
        f"# {record.model} on {record.dataset}/{record.split}",
        "",
        f"- protocol: {', '.join(f'{key} {value}' for key, value in record.protocol.items())}",
        f"- {record.figures.num_expressions} expressions with a referent, "
        f"{record.figures.num_absent} absent, "
        f"{len(record.figures_by_video)} videos, {record.figures.num_frames} expression-frames",
        f"- weights sha256: {record.weights_sha256 or '-'}",
        f"- device: {record.device}; {record.date}; {record.seconds:.1f} s; "
        + ", ".join(f"{name} {version}" for name, version in record.versions.items()),
        "",
        figures_table({"all": record.figures, **record.figures_by_kind}, "kind"),
    ]
    if with_videos:
        lines += ["", figures_table(record.figures_by_video, "video")]
    return "\n".join([*lines, "", _LEGEND, ""])


_LEGEND = (
    "J&F, J, F: mean over frames, then over expressions; absent expressions excluded. "
    "P@K (IoU above K), oIoU, mIoU: samples are the frames in which the referent is visible. "
    "presence: frames with a mask exactly where the referent is visible. "
    "absent acc.: absent expressions with more than half of their frames empty. "
    "absent empty: share of empty frames of absent expressions. All in percent."
)


def _cells(figures: Figures) -> list[str]:
    values = (
        figures.region_and_contour,
        figures.region,
        figures.contour,
        *figures.precision,
        figures.overall_iou,
        figures.mean_iou,
        figures.presence_accuracy,
        figures.absent_accuracy,
        figures.absent_empty_share,
    )
    count = str(figures.num_expressions) + (f"+{figures.num_absent}" if figures.num_absent else "")
    return [count, *("-" if math.isnan(value) else f"{100 * value:.1f}" for value in values)]


def _table(rows: Sequence[Sequence[str]]) -> str:
    """Align cells in columns, the first to the left and the others to the right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        "| " + " | ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]) + " |"
        for row in rows
    ]
    rule = "|" + "|".join(["-" * (widths[0] + 2), *("-" * (width + 1) + ":" for width in widths[1:])]) + "|"
    return "\n".join([lines[0], rule, *lines[1:]])
