"""The pages about data sets agree with the catalog."""

import re
from pathlib import Path

import pytest

from deixis.data.catalog import DATASETS

DOCS = Path(__file__).parents[2] / "docs" / "data"
INDEX = (DOCS / "README.md").read_text(encoding="utf-8")
PAGES = {
    name: DOCS / re.search(r"\((.*?\.md)\)", line)[1]
    for line in INDEX.splitlines()
    for name in re.findall(r"`([a-z0-9+-]+)`", line.split("|")[1] if line.startswith("|") else "")
}


def test_the_index_names_every_data_set():
    assert PAGES.keys() == DATASETS.keys()


@pytest.mark.parametrize("name", DATASETS)
def test_a_page_shows_the_published_counts_splits_and_command(name):
    text = PAGES[name].read_text(encoding="utf-8")
    published = [one for releases in DATASETS[name].counts.values() for one in releases]
    numbers = {f"{number:,}" for counts in published for number in counts.numbers().values()}
    assert sorted(number for number in numbers if number not in text) == []
    assert [split for split in DATASETS[name].splits if f"`{split}`" not in text] == []
    assert f"`{name}`" in text and "deixis data check" in text
