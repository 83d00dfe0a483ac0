"""The record of a model's evaluation as tables, and as a report like that of saved masks."""

from collections.abc import Mapping

from deixis.evaluation.record import ResultRecord
from deixis.evaluation.reports.content import Report, Row
from deixis.evaluation.reports.tables import align, percent
from deixis.metrics.region import PRECISION_THRESHOLDS
from deixis.metrics.tables import ExpressionRow, Figures

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
    return align([header, *body])


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
    count = str(figures.num_expressions) + (f"+{figures.num_absent}" if figures.num_absent else "")
    return [count, *map(percent, _values(figures))]


def _values(figures: Figures) -> tuple[float, ...]:
    """Return the figures of the columns after the first."""
    return (
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


def report_of_result(result: ResultRecord) -> Report:
    """Turn the record of a model's evaluation into a report like that of saved masks."""
    return Report(
        benchmark=result.dataset,
        split=result.split,
        protocol=result.protocol,
        data={
            "videos": len(result.figures_by_video),
            "expressions": result.figures.num_expressions,
            "absent": result.figures.num_absent,
            "frames": result.figures.num_frames,
        },
        predictions={
            "name": result.model,
            "weights sha256": result.weights_sha256 or "-",
            "device": result.device,
        },
        figures=_named(result.figures),
        groups={
            "kind": {name: _named(figures) for name, figures in result.figures_by_kind.items()},
            "video": {name: _named(figures) for name, figures in result.figures_by_video.items()},
        },
        rows=tuple(_row(row) for row in result.rows),
        notes=(_LEGEND,),
        versions=result.versions,
        date=result.date,
        seconds=result.seconds,
    )


def _row(row: ExpressionRow) -> Row:
    figures = {"J&F": (row.region + row.contour) / 2, "J": row.region, "F": row.contour}
    notes = ["nothing answers it"] if row.is_absent else []
    if row.answered_by != row.expression:
        notes.append(f"scored against the answer to {row.answered_by}")
    return Row(
        video=row.video,
        name=row.expression,
        text=row.text,
        kinds=row.kinds,
        note=", ".join(notes),
        figures=figures,
        region=row.region_frames,
        contour=row.contour_frames,
    )


def _named(figures: Figures) -> dict[str, float]:
    """Return figures by the names of the columns."""
    return dict(zip(_COLUMNS[1:], _values(figures), strict=True))
