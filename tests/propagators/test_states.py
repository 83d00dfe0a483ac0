"""States on disk: what another process makes of them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from deixis.propagators.base import ObjectMasks
from deixis.propagators.states import pack_state
from small_propagators import NAMES, small_propagator
from stand_ins import coloured_video

_RESUME = """
import sys
import torch
from deixis.propagators.states import unpack_state
from small_propagators import small_propagator
from stand_ins import coloured_video

images = torch.from_numpy(coloured_video(5)).permute(0, 3, 1, 2)
packed, found = torch.load(sys.argv[1], weights_only=True), {}
for name, state in packed.items():
    propagator = small_propagator(name)
    state = unpack_state(state, propagator)
    for index in (3, 4):
        answer, state = propagator.step(images[index], state)
    found[name] = answer.probabilities
torch.save(found, sys.argv[2])
"""


@pytest.mark.slow
def test_another_process_goes_on_bit_for_bit(tmp_path: Path):
    images = torch.from_numpy(coloured_video(5)).permute(0, 3, 1, 2)
    masks = images[0, :2] > 127
    packed, expected = {}, {}
    for name in (*NAMES, "stcn-bounded"):
        propagator = small_propagator(name)
        _, state = propagator.step(images[0], propagator.start(), ObjectMasks((1,), masks[:1]))
        _, state = propagator.step(images[1], state, ObjectMasks((5,), images[1, 1:2] > 127))
        _, state = propagator.step(images[2], state)
        packed[name] = pack_state(state)
        for index in (3, 4):
            found, state = propagator.step(images[index], state)
        expected[name] = found.probabilities
    torch.save(packed, tmp_path / "states.pt")
    command = [sys.executable, "-c", _RESUME, tmp_path / "states.pt", tmp_path / "found.pt"]
    threads = {"OMP_NUM_THREADS": str(torch.get_num_threads())}
    environment = {**os.environ, **threads, "PYTHONPATH": str(Path(__file__).parents[1])}
    subprocess.run(command, check=True, env=environment)
    found = torch.load(tmp_path / "found.pt", weights_only=True)
    assert found.keys() == expected.keys()
    for name, probabilities in expected.items():
        assert torch.equal(found[name], probabilities), name
