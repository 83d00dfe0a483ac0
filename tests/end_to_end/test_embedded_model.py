"""The models inside the package: small, offline, and led by the sentence."""

from importlib import resources

import pytest

import deixis
from deixis.evaluation.segmenting import validate
from deixis.models.registry import DEFAULT, EMBEDDED, SHARED
from deixis.synthetic.worlds import rendered_records

WORLDS = {
    "hinet-tiny": ("synthetic-wild", 12),
    "mttr-tiny-synthetic": ("synthetic", 4),
    "uniref-tiny-synthetic": ("synthetic", 3),
}
"""Where each was trained, and on how many held-out clips of it a test takes a few seconds."""


@pytest.mark.parametrize("name", EMBEDDED)
def test_files_are_small_and_complete(name: str) -> None:
    folder = resources.files("deixis") / "assets" / name
    sizes = {path.name: len(path.read_bytes()) for path in folder.iterdir()}
    assert {"config.json", "weights.safetensors", "tokenizer.json", "result.json"} <= set(sizes)
    assert sum(sizes.values()) <= 16 * 2**20


@pytest.mark.parametrize("name", EMBEDDED)
def test_the_sentence_decides(name: str) -> None:
    # Clips that no training saw; with the answers to other sentences of the clip the score must fall.
    world, count = WORLDS[name]
    figures = validate(deixis.load(name), rendered_records(world, "val", count))
    assert figures["J&F permuted"] < 0.75 * figures["J&F"]


@pytest.mark.parametrize(("variant", "checkpoint"), SHARED.items())
def test_variants_share_their_weights(variant: str, checkpoint: str) -> None:
    one, other = deixis.load(variant, device="cpu"), deixis.load(checkpoint, device="cpu")
    assert one.config != other.config
    weights = other.state_dict()
    assert all(value.equal(weights[name]) for name, value in one.state_dict().items())


def test_the_default_takes_unknown_words_and_other_scripts() -> None:
    record = rendered_records("synthetic", "val", 1)[0]
    prediction = deixis.segment(record.frames.read(range(4)), ["ein roter Stern", "красная звезда"])
    assert prediction.masks(0).shape == (4, *record.frames.read([0]).shape[1:3])


def test_the_default_finds_what_moves() -> None:
    assert DEFAULT == "hinet-tiny"
    record = rendered_records("synthetic-wild", "val", 6)[5]
    movers = record.expressions[0]
    frames = record.frames.read(range(10))
    truth = record.masks.read(range(10), movers.object_ids).any(axis=0)
    found = deixis.segment(frames, [movers.text]).masks(0)
    assert (found & truth).sum() > 0.5 * (found | truth).sum()
