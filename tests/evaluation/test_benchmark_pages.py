"""The pages about benchmarks against the table of protocols and the command line."""

import re
import shlex
from pathlib import Path

import pytest
import tyro

from deixis.cli.evaluate import Evaluate
from deixis.evaluation.protocols.table import DEFAULTS, PROTOCOLS
from deixis.evaluation.subjects import choose_protocol
from deixis.evaluation.submission import FORMATS

PAGES = Path(__file__).parents[2] / "docs" / "benchmarks"


def index():
    """Return benchmarks, protocols and page of each row of the index."""
    for line in (PAGES / "README.md").read_text().splitlines():
        if ".md) |" in line:
            benchmarks, protocols, page = line.strip("| ").split(" | ")
            names = [re.findall(r"`([^`]+)`", cell) for cell in (benchmarks, protocols)]
            yield *names, page.partition("](")[2].rstrip(")")


COMMANDS = [
    pytest.param(line.split("#")[0], id=f"{path.stem}: {line[16:60]}")
    for path in sorted([*PAGES.glob("*.md"), *PAGES.with_name("models").glob("*.md")])
    for line in path.read_text().splitlines()
    if line.startswith("deixis evaluate ")
]


def test_every_benchmark_stands_in_the_index_with_its_protocols_and_a_page():
    seen = []
    for benchmarks, protocols, page in index():
        text = (PAGES / page).read_text()
        for benchmark in benchmarks:
            seen.append(benchmark)
            assert choose_protocol(benchmark).name == protocols[0]
            assert {p.name for p in PROTOCOLS.values() if benchmark in p.benchmarks} <= set(protocols)
            assert all(protocol in text for protocol in protocols)
    assert sorted(seen) == sorted({*DEFAULTS, "folder"})


def test_every_page_stands_in_the_index():
    assert {path.name for path in PAGES.iterdir()} == {page for *_, page in index()} | {"README.md"}


@pytest.mark.parametrize("line", COMMANDS)
def test_the_commands_on_the_pages_are_understood(line):
    plain = re.sub(r"\[[^]]*\]", "", line)
    command = tyro.cli(Evaluate, args=shlex.split(plain)[2:], config=(tyro.conf.FlagCreatePairsOff,))
    if command.benchmark.islower():
        choose_protocol(command.benchmark, command.protocol)
        assert command.submission is None or command.benchmark in FORMATS
