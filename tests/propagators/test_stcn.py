import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from deixis.propagators.base import ObjectMasks
from deixis.propagators.stcn.config import TINY, VARIANTS, StcnConfig
from deixis.propagators.stcn.convert import RENAMING, to_ours
from deixis.propagators.stcn.criterion import share_at
from deixis.propagators.stcn.memory import Rows, find_nearest, keep_newest, key_rows, read, read_all, remember
from deixis.propagators.stcn.network import StcnNetwork, aggregate
from deixis.propagators.stcn.propagator import StcnPropagator, fit_probabilities, pad_evenly

LAYOUTS = Path(__file__).parents[1] / "goldens" / "stcn"


def draw(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def dense(bank_key: torch.Tensor, key: torch.Tensor, top_k: int) -> torch.Tensor:
    """The affinity by its definition, ``q m``."""
    memory, query = bank_key[0].flatten(1).double(), key[0].flatten(1).double()
    distances = (memory[:, None] - query[:, :, None]).square().sum(0)  # q m
    nearest = (-distances / 8).topk(min(top_k, distances.shape[1]), dim=1)
    return torch.zeros_like(distances).scatter_(1, nearest.indices, nearest.values.softmax(dim=1))


@settings(max_examples=15, deadline=None)
@given(cells=st.integers(1, 3000), top_k=st.integers(1, 30), seed=st.integers(0, 9))
def test_the_sparse_read_is_the_dense_one(cells: int, top_k: int, seed: int):
    memory, query = draw(1, 64, 1, cells, seed=seed), draw(1, 64, 2, 3, seed=seed + 10)
    weights, places = find_nearest(key_rows(memory)[0], query, top_k)
    ours = torch.zeros(6, cells).scatter_(1, places, weights)
    assert torch.allclose(ours, dense(memory, query, top_k).float(), atol=1e-5)


def test_chunks_do_not_matter(monkeypatch: pytest.MonkeyPatch):
    keys, query = key_rows(draw(1, 64, 4, 25))[0], draw(1, 64, 4, 5, seed=1)
    whole = find_nearest(keys, query, 5)[1]
    monkeypatch.setattr("deixis.propagators.stcn.memory.SCRATCH", 300)
    assert torch.equal(find_nearest(keys, query, 5)[1], whole)


def test_large_keys_do_not_overflow():
    query = 40 * draw(1, 64, 2, 2)
    assert find_nearest(key_rows(query)[0], query, 20)[0].isfinite().all()


def test_objects_that_join_later_read_their_own_frames():
    key, other = draw(1, 64, 3, 5), draw(1, 64, 3, 5, seed=1)
    first, second = draw(1, 8, 3, 5, seed=2), draw(2, 8, 3, 5, seed=3)
    bank = remember(None, key, first, is_given=True)
    both = remember(bank, other, second, is_given=True)
    assert both.firsts == (0, 1)
    query = draw(1, 64, 3, 5, seed=4)
    found = read(both, query, 4)
    alone = remember(None, other, second[1:], is_given=True)
    assert torch.equal(found[1], read(alone, query, 4)[0])
    rows = torch.cat((first[0].flatten(1).T, second[0].flatten(1).T))
    affinity = dense(torch.cat((key, other), dim=3).reshape(1, 64, 3, 10), query, 4)
    order = [row * 10 + column for half in (0, 5) for row in range(3) for column in range(half, half + 5)]
    expected = (affinity[:, order].float() @ rows).T.reshape(8, 3, 5)
    assert torch.allclose(found[0], expected, atol=1e-4)
    with pytest.raises(ValueError, match="1 objects"):
        remember(both, key, first, is_given=False)


def test_reading_everything_is_reading_with_a_large_k():
    key, value, query = draw(1, 64, 4, 4), draw(2, 8, 4, 4, seed=1), draw(1, 64, 4, 4, seed=2)
    bank = remember(None, key, value, is_given=True)
    whole = read_all(key_rows(key), value.flatten(2).transpose(1, 2)[None], query)[0]
    assert torch.allclose(read(bank, query, 100), whole, atol=1e-5)


def test_rows_are_values():
    start = Rows(torch.zeros(2, 1))
    one = start.with_more(torch.ones(2, 1))
    two, other = one.with_more(torch.full((1, 1), 2.0)), one.with_more(torch.full((1, 1), 3.0))
    assert [rows.tensor[-1].item() for rows in (start, one, two, other)] == [0, 1, 2, 3]
    assert [len(rows) for rows in (start, one, two, other)] == [2, 4, 5, 5]
    assert two.without(1, 4).tensor.flatten().tolist() == [0, 2]


def test_a_bounded_bank_stays_flat_and_keeps_what_was_given():
    sizes = []
    bank = remember(None, draw(1, 64, 2, 2), draw(1, 8, 2, 2), is_given=True)
    for place in range(1, 60):
        value = draw(2 if place > 20 else 1, 8, 2, 2, seed=place)
        bank = remember(bank, draw(1, 64, 2, 2, seed=place), value, is_given=place == 21)
        bank = keep_newest(bank, 3)
        sizes.append(bank.num_bytes)
    assert bank.is_given == (True, True, False, False, False) and bank.firsts == (0, 1)
    assert len(set(sizes[30:])) == 1
    newest = draw(2, 8, 2, 2, seed=59)
    assert torch.equal(bank.values[1].tensor[-4:], newest[1].flatten(1).T)
    with pytest.raises(ValueError, match="given masks"):
        bank.without(0)


@pytest.mark.parametrize("name", ["stcn", "stcn_stage0"])
def test_the_published_layout_fits_both_ways(name: str):
    layout = json.loads((LAYOUTS / f"layout_{name}.json").read_text())
    with torch.device("meta"):
        wanted = {key: tuple(value.shape) for key, value in StcnNetwork().state_dict().items()}
        published = {key: torch.empty(shape) for key, shape in layout.items()}
        counters = {"key_encoder.bn1.num_batches_tracked": torch.empty(())}
        ours, unknown = to_ours({**published, **counters})
    assert not unknown and {key: tuple(value.shape) for key, value in ours.items()} == wanted
    assert RENAMING.to_published(ours)[0].keys() == layout.keys()
    assert RENAMING.to_ours({"value_encoder": 0})[1] == ["value_encoder"]


def test_the_aggregation_sums_to_one():
    found = aggregate(torch.tensor([1.0, 1.0, 0.3])[:, None, None, None])
    assert torch.allclose(found.sum(dim=0), torch.ones(1, 1, 1))
    assert torch.equal(found[1], found[2]) and found[0].item() < 1e-6


def test_padding_is_cut_off_again():
    image = draw(1, 2, 21, 30)
    padded = pad_evenly(image, 16)
    assert padded.shape == (1, 2, 32, 32)
    assert torch.equal(padded[..., 5:26, 1:31], image)
    assert torch.equal(fit_probabilities(padded[0], (21, 30), (21, 30), 16), image[0])


def test_shares_of_pixels():
    assert [share_at(step) for step in (0, 19_999, 20_000)] == [1, 1, 1]
    assert [share_at(step) for step in (70_000, 90_000)] == [0.15, 0.15]
    assert share_at(45_000) == pytest.approx(0.575)


def test_published_sizes():
    with torch.device("meta"):
        propagator = StcnPropagator(StcnNetwork())
    assert propagator.prepare(torch.zeros(3, 48, 85, dtype=torch.uint8)).shape == (3, 480, 850)
    assert propagator.prepare(torch.zeros(3, 90, 48, dtype=torch.uint8)).shape == (3, 900, 480)


def test_the_memory_of_a_propagator_stays_flat():
    torch.manual_seed(0)
    config = StcnConfig(short_side=None, memory_every=2, include_last=True, max_frames=2)
    propagator = StcnPropagator(StcnNetwork(), config)
    frames = torch.randint(0, 256, (7, 3, 32, 48), generator=torch.Generator().manual_seed(0)).byte()
    mask = torch.zeros(1, 32, 48, dtype=torch.bool)
    mask[:, 8:24, 8:24] = True
    _, state = propagator.step(frames[0], propagator.start(), ObjectMasks((5,), mask))
    counts = []
    for frame in frames[1:]:
        _, state = propagator.step(frame, state)
        counts.append(state.bank.num_frames)
    assert counts == [2, 2, 3, 3, 4, 3]
    with pytest.raises(ValueError, match="is empty"):
        propagator.step(frames[0], propagator.start(), ObjectMasks((5,), ~mask & mask))


def num_bytes(value: object) -> int:
    """Of all tensors that are reachable, with the room that is kept for more."""
    if isinstance(value, torch.Tensor):
        return value.untyped_storage().nbytes()
    if isinstance(value, Rows):
        return num_bytes(value._buffer)
    if isinstance(value, tuple):
        return sum(map(num_bytes, value))
    return sum(map(num_bytes, vars(value).values())) if hasattr(value, "__dict__") else 0


def test_a_bounded_state_is_as_large_after_many_frames_as_after_few():
    torch.manual_seed(0)
    bounded = replace(VARIANTS["stcn-bounded"], short_side=None, memory_every=1, max_frames=3)
    propagators = [
        StcnPropagator(StcnNetwork(TINY), one) for one in (bounded, replace(bounded, max_frames=None))
    ]
    source = torch.Generator().manual_seed(0)
    masks = torch.zeros(2, 24, 32, dtype=torch.bool)
    masks[0, 2:10, 2:10] = masks[1, 12:20, 16:30] = True
    states, sizes = [one.start() for one in propagators], []
    for place in range(16):
        frame = torch.randint(0, 256, (3, 24, 32), generator=source).byte()
        given = ObjectMasks((1, 2), masks) if place == 0 else None
        states = [one.step(frame, state, given)[1] for one, state in zip(propagators, states, strict=True)]
        sizes.append([num_bytes(state) for state in states])
    assert len({size for size, _ in sizes[6:]}) == 1
    assert sizes[-1][1] > 3 * sizes[-1][0]


def test_shapes_that_cannot_be():
    with pytest.raises(ValueError, match="strides must be"):
        replace(TINY, strides=(1, 2, 4))
    with pytest.raises(ValueError, match="key_encoder"):
        replace(TINY, key_encoder="vgg")
