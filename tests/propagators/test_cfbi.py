import json
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from deixis.propagators.base import ObjectMasks
from deixis.propagators.cfbi.config import CfbiConfig
from deixis.propagators.cfbi.convert import PLUS_RENAMING, RENAMING, to_ours
from deixis.propagators.cfbi.criterion import share_at
from deixis.propagators.cfbi.matching import FAR, global_distances, local_distances, of_the_others, one_hot
from deixis.propagators.cfbi.propagator import CfbiPropagator, build_network, network_size, put_given

LAYOUTS = Path(__file__).parents[1] / "goldens" / "cfbi"


def draw(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def labels_of(*shape: int, count: int = 3, seed: int = 0) -> torch.Tensor:
    return torch.randint(0, count, shape, generator=torch.Generator().manual_seed(seed))


def squashed(distance: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
    return 2 * torch.sigmoid(distance + bias) - 1


def test_the_global_distance_is_that_of_the_nearest_place(monkeypatch: pytest.MonkeyPatch):
    query, known = draw(4, 5, 6), draw(4, 5, 6, seed=1)
    objects = one_hot(labels_of(5, 6), 4)  # object 3 is nowhere
    biases = torch.tensor([0.1, -3.0, -2.0, 0.0])
    monkeypatch.setattr("deixis.propagators.cfbi.matching.SCRATCH", 30)
    found = global_distances(query, [(known, objects)], biases)
    table = (query[:, :, :, None, None] - known[:, None, None]).square().sum(0)  # h w h w
    for place in range(3):
        nearest = table[:, :, objects[place]].amin(-1)
        assert torch.allclose(found[place], squashed(nearest, biases[place]), atol=1e-5)
    assert torch.equal(found[3], torch.ones(5, 6))


@settings(max_examples=12, deadline=None)
@given(
    size=st.tuples(st.integers(1, 7), st.integers(1, 7)),
    windows=st.sampled_from([(1,), (2, 4), (1, 2, 3), (4, 8)]),
    atrous=st.sampled_from([1, 2]),
)
def test_the_local_distance_looks_no_further_than_its_window(size, windows, atrous):
    query, previous = 0.3 * draw(3, *size), 0.3 * draw(3, *size, seed=1)
    objects = one_hot(labels_of(*size, count=2), 3)
    biases = torch.tensor([-0.5, 0.2, 0.0])
    settings = {"is_half_size": False, "atrous": atrous}
    found = local_distances(query, previous, objects, biases, windows, **settings)
    expected = torch.full((3, len(windows), *size), FAR)
    reach = windows[-1] // atrous * atrous
    steps = range(-reach, reach + 1, atrous)
    for down, right in [(down, right) for down in steps for right in steps]:
        for y, x in [(y, x) for y in range(size[0]) for x in range(size[1])]:
            if not (0 <= y + down < size[0] and 0 <= x + right < size[1]):
                continue
            distance = (query[:, y, x] - previous[:, y + down, x + right]).square().sum()
            for place, window in enumerate(windows):
                if max(abs(down), abs(right)) <= window:
                    there = objects[:, y + down, x + right]
                    cell = expected[there, place, y, x]
                    expected[there, place, y, x] = torch.minimum(cell, distance)
    expected = squashed(expected, biases[:, None, None, None])
    expected = torch.cat((expected[:, -1:], expected[:, :-1]), dim=1)
    assert torch.allclose(found, expected, atol=1e-5)


def test_the_least_of_the_others():
    distances = torch.tensor([[1.0, 5.0], [2.0, 4.0], [3.0, 3.0]])
    assert of_the_others(distances).tolist() == [[2, 3], [1, 3], [1, 4]]
    assert of_the_others(distances[:1]).tolist() == [[1, 5]]


@pytest.mark.parametrize(
    "name, published",
    [("cfbi", "resnet101_cfbi"), ("cfbi-mobilenet", "mobilenet_cfbi"), ("cfbi-plus", "resnet101_cfbip")],
)
def test_the_published_layout_fits_both_ways(name: str, published: str):
    layout = json.loads((LAYOUTS / f"layout_{published}.json").read_text())
    with torch.device("meta"):
        wanted = {key: tuple(value.shape) for key, value in build_network(name).state_dict().items()}
        tensors = {f"module.{key}": torch.empty(shape) for key, shape in layout.items()}
    ours, unknown = to_ours(tensors)
    assert not unknown and {key: tuple(value.shape) for key, value in ours.items()} == wanted
    table = PLUS_RENAMING if name == "cfbi-plus" else RENAMING
    assert table.to_published(ours)[0].keys() == layout.keys()


@pytest.mark.parametrize(
    "size, expected",
    [
        ((480, 854), (481, 849)),
        ((720, 1280), (577, 1041)),
        ((1080, 1920), (577, 1041)),
        ((360, 640), (353, 641)),
        ((576, 1024), (577, 1025)),
    ],
)
def test_published_sizes(size, expected):
    assert network_size(size, CfbiConfig().long_side) == expected


def test_given_labels_lie_over_what_is_found():
    labels = torch.tensor([[1, 1, 2, 0]])
    given = ObjectMasks((7, 9), torch.tensor([[[False, True, True, False]], [[False, False, True, True]]]))
    found, ids = put_given(labels, (5, 9), given)
    assert ids == (5, 9, 7) and found.tolist() == [[1, 3, 2, 2]]
    with pytest.raises(ValueError, match="object 4 is empty"):
        put_given(labels, (5, 9), ObjectMasks((4,), torch.zeros(1, 1, 4, dtype=torch.bool)))


def test_only_given_frames_are_kept():
    torch.manual_seed(0)
    propagator = CfbiPropagator(build_network("cfbi-mobilenet"))
    frames = torch.randint(0, 256, (4, 3, 33, 49), generator=torch.Generator().manual_seed(0)).byte()
    mask = torch.zeros(1, 33, 49, dtype=torch.bool)
    mask[:, 8:24, 8:24] = True
    _, state = propagator.step(frames[0], propagator.start(), ObjectMasks((5,), mask))
    for frame in frames[1:]:
        found, state = propagator.step(frame, state)
        assert len(state.references) == 1
        assert (found.probabilities.sum(0) <= 1 + 1e-6).all()


def test_shares_of_pixels():
    assert [share_at(step) for step in (0, 25_000, 50_000, 90_000)] == pytest.approx([1, 0.575, 0.15, 0.15])
