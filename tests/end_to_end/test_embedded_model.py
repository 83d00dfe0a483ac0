"""The model inside the package: small, offline, and led by the sentence."""

from importlib import resources

import pytest

import deixis
from deixis.evaluation.segmenting import validate
from deixis.models.registry import EMBEDDED
from deixis.synthetic.benchmark import records


@pytest.mark.parametrize("name", EMBEDDED)
def test_files_are_small_and_complete(name: str) -> None:
    folder = resources.files("deixis") / "assets" / name
    sizes = {path.name: len(path.read_bytes()) for path in folder.iterdir()}
    assert {"config.json", "weights.safetensors", "tokenizer.json", "result.json"} <= set(sizes)
    assert sum(sizes.values()) <= 16 * 2**20


@pytest.mark.parametrize("name", EMBEDDED)
def test_the_sentence_decides(name: str) -> None:
    # Clips that no training saw; with the answers to other sentences of the clip the score must fall.
    figures = validate(deixis.load(name), records("val", 4))
    assert figures["J&F"] > figures["J&F permuted"] + 0.1


def test_the_default_takes_unknown_words_and_other_scripts() -> None:
    record = records("val", 1)[0]
    prediction = deixis.segment(record.frames.read(range(4)), ["ein roter Stern", "красная звезда"])
    assert prediction.masks(0).shape == (4, *record.frames.read([0]).shape[1:3])
