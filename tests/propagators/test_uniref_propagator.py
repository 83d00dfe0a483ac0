from dataclasses import replace
from pathlib import Path

import pytest
import torch

from deixis import propagators
from deixis.errors import CheckpointError
from deixis.models.loading import save
from deixis.models.uniref.online import take_step
from deixis.propagators.base import ObjectMasks
from deixis.propagators.uniref import UniRefPropagator, competing, load
from small_propagators import UNIREF, small_propagator
from stand_ins import coloured_video
from tiny_uniref import shaken


def frames(num_frames=6):
    return torch.from_numpy(coloured_video(num_frames)).permute(0, 3, 1, 2)


def squares(index=0):
    return torch.stack([frames(index + 1)[index, channel] > 127 for channel in (0, 1)])


def test_weights_are_asked_for():
    with pytest.raises(CheckpointError):
        propagators.build("uniref-plus-resnet50", device="cpu")


def test_who_wins_a_pixel_is_who_wins_it_in_the_model():
    propagator = small_propagator("uniref")
    _, state = propagator.step(frames()[0], propagator.start(), ObjectMasks((3, 1), squares()))
    kept = {}

    def remembering(model, features, known):
        kept["answer"], after = take_step(model, features, known)
        return kept["answer"], after

    for index in (1, 2):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("deixis.propagators.uniref.take_step", remembering)
            found, state = propagator.step(frames()[index], state)
        assert found.ids == (1, 3)
        assert torch.equal(found.masks, kept["answer"].masks)


def test_pixels_are_divided():
    raw = torch.tensor([[0.9, 0.3, 0.0], [0.9, 0.1, 0.0]])[:, None]
    divided = competing(raw)
    background = 1 - divided.sum(dim=0)
    torch.testing.assert_close(divided[:, 0, 0], torch.tensor([0.9, 0.9]) / 1.81)
    torch.testing.assert_close(background[0, 1:], torch.tensor([0.63 / 1.03, 1.0]))


def test_the_state_does_not_grow():
    propagator = small_propagator("uniref")
    _, state = propagator.step(frames()[0], propagator.start(), ObjectMasks((1, 2), squares()))

    def num_bytes(value):
        if isinstance(value, torch.Tensor):
            return value.nbytes
        parts = value.values() if isinstance(value, dict) else value if isinstance(value, tuple) else ()
        return sum(map(num_bytes, parts))

    sizes = []
    for index in range(1, 6):
        _, state = propagator.step(frames()[index], state)
        sizes.append(num_bytes(state.model))
    assert len(set(sizes)) == 1


def test_a_folder_of_ours_is_a_checkpoint(tmp_path: Path):
    save(shaken(UNIREF), tmp_path / "ours")
    propagator = load(str(tmp_path / "ours"), None, device="cpu")
    assert propagator.config == UNIREF
    with pytest.raises(CheckpointError, match="follows no masks"):
        load("mttr-tiny-synthetic", None, device="cpu")
    with pytest.raises(ValueError, match="expressions alone"):
        UniRefPropagator(shaken(replace(UNIREF, references="none")))
