"""The four files of a report, and what they say."""

import csv
import io
import json
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from made_reports import made_report

from deixis.errors import DeixisError
from deixis.evaluation.reports.charts import line_chart, over_time, sparkline
from deixis.evaluation.reports.content import load_report
from deixis.evaluation.reports.page import Clip, render_page
from deixis.evaluation.reports.pictures import MISSED, RIGHT, WRONG, make_picture, overlay
from deixis.evaluation.reports.tables import percent, render_csv, render_markdown
from deixis.evaluation.reports.write import write_report

VOID = {"meta", "img", "input"}


class Page(HTMLParser):
    """Collects the elements and complains about what is not closed."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.open, self.words = [], [], []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


def clips(report):
    frame = np.full((30, 40, 3), 90, np.uint8)
    masks = np.zeros((2, 30, 40), bool)
    masks[0, 5:20, 5:20] = masks[1, 10:25, 5:25] = True
    return [
        Clip(row, (make_picture(overlay(masks[0], masks[1], frame), f"frame {row.frames[3]}"),))
        for row in report.worst(3)
    ]


def test_the_page_holds_everything_and_loads_nothing():
    report = made_report()
    text = render_page(report, clips(report))
    page = Page(text)
    words = " ".join(page.words)
    assert {"figures", "charts", "by-kind", "by-video", "worst", "rows"} <= {
        attributes.get("id") for attributes in page.all("section")
    }
    assert percent(report.figures["J&F"]) in words and "3 of 100 masks are missing & count" in words
    assert report.date in words and "1" * 64 in words and "tolerance 0.008" in words
    assert len(page.all("article")) == 3 and len(page.all("img")) == 3
    assert "the <b>0</b> thing" in words, "texts are shown, not obeyed"
    assert all(image["src"].startswith("data:image/jpeg;base64,") for image in page.all("img"))
    loading = [a for _, attributes in page.elements for a in attributes if a in ("src", "href", "srcset")]
    assert loading == ["src"] * 3, "pictures are the only sources, and inside the page"
    assert "http:" not in text and "https:" not in text and "url(" not in text and "@import" not in text
    assert "default-src 'none'" in page.all("meta")[1]["content"]
    assert len([a for a in page.all("svg") if "over time" in a["aria-label"]]) == len(report.rows)


def test_the_page_of_an_empty_report_is_a_page():
    report = replace(made_report(), rows=(), groups={}, notes=())
    page = Page(render_page(report))
    assert [attributes["id"] for attributes in page.all("section")] == ["figures"]


def test_reports_come_back(tmp_path):
    report = made_report()
    write_report(report, tmp_path / "out", clips(report))
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "report.csv",
        "report.html",
        "report.json",
        "report.md",
    ]
    assert repr(load_report(tmp_path / "out" / "report.json")) == repr(report)
    assert json.loads((tmp_path / "out" / "report.json").read_text())["figures"]["J decay"] is None
    with pytest.raises(DeixisError, match="is no report"):
        load_report(tmp_path / "out" / "report.csv")
    (tmp_path / "later.json").write_text('{"format": 99}')
    with pytest.raises(DeixisError, match="has the form 99"):
        load_report(tmp_path / "later.json")
    (tmp_path / "other.json").write_text('{"format": 1, "rows": [{"vide": 3}]}')
    with pytest.raises(DeixisError, match="is no report"):
        load_report(tmp_path / "other.json")


def test_markdown_and_csv_hold_the_figures():
    report = made_report()
    text = render_markdown(report)
    assert f"| all | {percent(report.figures['J&F']).rjust(4)} |" in text and "- note: 3 of 100" in text
    assert "| motion" in text and "| video-5" in text
    assert "| video-5" not in render_markdown(report, groups=["kind"])
    lines = list(csv.DictReader(io.StringIO(render_csv(report))))
    assert len(lines) == len(report.rows) and lines[3]["text"] == report.rows[3].text
    assert float(lines[3]["J"]) == report.rows[3].figures["J"], "to the last digit"


def test_the_worst_come_first():
    report = made_report()
    scores = [row.score for row in report.worst(4)]
    assert scores == sorted(row.score for row in report.rows)[:4]


def test_overlays_show_what_is_right_missed_and_wrong():
    truth, prediction = np.zeros((2, 4, 4), np.uint8)
    truth[:, :2] = 3
    prediction[1:, 1:] = 255
    image = overlay(truth, prediction)
    assert tuple(image[0, 0]) == MISSED and tuple(image[1, 1]) == RIGHT and tuple(image[3, 3]) == WRONG
    assert tuple(image[0, 3]) == (32, 32, 32)
    frame = np.full((8, 8, 3), 200, np.uint8)
    tinted = overlay(truth, prediction, frame)
    assert tinted.shape == (4, 4, 3) and tuple(tinted[0, 3]) == (200, 200, 200)
    assert (frame == 200).all()


def test_curves_of_several_lengths_meet_on_shares_of_time():
    assert over_time([[0.0, 1.0], [1.0, 1.0, 0.0, 0.0]], num_points=4) == [0.5, 0.5, 0.5, 0.5]
    assert over_time([[0.25], []], num_points=2) == [0.25, 0.25]
    assert all(np.isnan(over_time([], num_points=2)))
    nan = float("nan")
    assert over_time([[nan, 1.0], [0.5, nan]], num_points=2) == [0.5, 1.0]
    assert line_chart({"J": [0.5, nan, 1.0]}, label="x", ends=("a", "b")).count("M") == 2
    assert len(sparkline([0.5] * 5000, label="x")) < 4000
