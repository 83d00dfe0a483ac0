"""The page of a report in a real browser: its script sorts and filters, and nothing is fetched or refused."""

import re
import shutil
import subprocess

import pytest
from made_reports import made_report
from test_report_files import clips

from deixis.evaluation.reports.page import render_page

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed"),
]

ACT = """<script>
const head = document.querySelector("#by-video thead").rows[0].cells;
head[1].click();
if (TWICE) head[1].click();
const input = document.querySelector("input[type=search]");
input.value = "VIDEO-3";
input.dispatchEvent(new Event("input"));
const shown = [...document.querySelectorAll("#rows tbody tr")].filter((row) => !row.hidden).length;
const broken = [...document.images].filter((image) => !image.naturalWidth).length;
document.title = `shown ${shown} broken ${broken}`;
</script></body>"""


def open_page(tmp_path, *, twice):
    """Return the document after the page's own script and ours, and what the browser complained about."""
    path = tmp_path / "report.html"
    text = render_page(made_report(), clips(made_report()))
    path.write_text(text.replace("</body>", ACT.replace("TWICE", str(twice).lower())))
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--dump-dom"]
    run = subprocess.run(
        [BROWSER, *options, f"--user-data-dir={tmp_path / 'profile'}", path.as_uri()],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return run.stdout, [line for line in run.stderr.splitlines() if "CONSOLE" in line]


def test_the_page_works_and_asks_for_nothing(tmp_path):
    document, complaints = open_page(tmp_path, twice=False)
    assert complaints == [], "no errors, and nothing that the page's policy had to block"
    assert "<title>shown 2 broken 0</title>" in document, "two rows of video-3; all pictures are drawn"
    assert sorted_videos(document) == expected_videos()


def test_a_second_click_turns_the_order_around(tmp_path):
    document, _ = open_page(tmp_path, twice=True)
    assert sorted_videos(document) == expected_videos()[::-1]


def sorted_videos(document):
    table = document.partition('id="by-video"')[2].partition("</table>")[0]
    return re.findall(r"<tr><th>(video-\d)</th>", table)


def expected_videos():
    figures = made_report().groups["video"]
    return sorted(figures, key=lambda video: round(100 * figures[video]["J&F"], 1))
