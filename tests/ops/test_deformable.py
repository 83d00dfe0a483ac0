import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from deixis.ops.deformable import gather_sources, sample_by_gather, sample_by_grid, sample_deformable

A, D, P = 2, 4, 3

sizes_of_levels = st.lists(st.tuples(st.integers(1, 7), st.integers(1, 9)), min_size=1, max_size=3)


def drawn(sizes: list[tuple[int, int]], q: int, seed: int, n: int = 2):
    generator = torch.Generator().manual_seed(seed)
    s, levels = sum(h * w for h, w in sizes), len(sizes)
    values = torch.randn(n, s, A, D, generator=generator)
    locations = torch.rand(n, q, A, levels, P, 2, generator=generator) * 1.6 - 0.3  # some lie outside
    weights = torch.randn(n, q, A, levels, P, generator=generator)
    return values, locations, weights


@given(sizes=sizes_of_levels, q=st.integers(1, 6), seed=st.integers(0, 2**16))
@settings(max_examples=40, deadline=None)
def test_gathering_equals_grid_sample(sizes, q, seed):
    values, locations, weights = drawn(sizes, q, seed)
    expected = sample_by_grid(values, sizes, locations, weights)
    assert expected.shape == (2, q, A * D)
    torch.testing.assert_close(
        sample_by_gather(values, sizes, locations, weights), expected, atol=1e-5, rtol=1e-4
    )


def test_with_and_without_gradients():
    sizes = [(5, 6), (3, 3)]
    values, locations, weights = drawn(sizes, 4, 0)
    with torch.no_grad():
        gathered = sample_deformable(values, sizes, locations, weights)
    torch.testing.assert_close(gathered, sample_deformable(values, sizes, locations, weights))


def test_gradients_of_both_ways_are_equal():
    sizes = [(5, 6), (3, 3)]
    gradients = []
    for sample in (sample_by_grid, sample_by_gather):
        inputs = [value.requires_grad_() for value in drawn(sizes, 4, 0)]
        sample(inputs[0], sizes, *inputs[1:]).square().sum().backward()
        gradients.append([value.grad for value in inputs])
    for left, right in zip(*gradients, strict=True):
        torch.testing.assert_close(left, right, atol=1e-4, rtol=1e-4)


def test_the_centre_of_a_cell_reads_the_cell_and_beyond_the_map_lie_zeros():
    values = torch.arange(6.0).view(1, 6, 1, 1)
    centre = torch.tensor([(1.5 / 3, 1.5 / 2)]).view(1, 1, 1, 1, 1, 2)
    far = torch.full((1, 1, 1, 1, 1, 2), 2.0)
    one = torch.ones(1, 1, 1, 1, 1)
    for sample in (sample_by_grid, sample_by_gather):
        assert sample(values, [(2, 3)], centre, one).item() == pytest.approx(4.0)
        assert sample(values, [(2, 3)], far, one).item() == 0
        corner = torch.zeros(1, 1, 1, 1, 1, 2)  # a quarter lies on the first cell
        assert sample(values + 8, [(2, 3)], corner, one).item() == pytest.approx(2.0)


@pytest.mark.parametrize("is_padded", [False, True])
def test_sampling_before_the_projection_equals_sampling_after(is_padded: bool):
    sizes = [(5, 6), (3, 3)]
    generator = torch.Generator().manual_seed(0)
    sources = torch.randn(2, 39, 8, generator=generator)
    weight, bias = torch.randn(A * D, 8, generator=generator), torch.randn(A * D, generator=generator)
    padding_mask = torch.rand(2, 39, generator=generator) < 0.3 if is_padded else None
    _, locations, weights = drawn(sizes, 4, 1)
    values = sources @ weight.T + bias
    if padding_mask is not None:
        values = values.masked_fill(padding_mask[..., None], 0)
    expected = sample_by_grid(values.unflatten(-1, (A, D)), sizes, locations, weights)
    read, share = gather_sources(sources, sizes, locations, weights, padding_mask)
    mixed = torch.einsum("nqac,adc->nqad", read, weight.unflatten(0, (A, D)))
    mixed = mixed + share[..., None] * bias.unflatten(0, (A, D))
    torch.testing.assert_close(mixed.flatten(2), expected, atol=1e-4, rtol=1e-4)
