import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from deixis.losses.matching import assign_several


def test_an_object_takes_as_many_queries_as_its_best_overlaps_sum_up_to():
    overlaps = torch.tensor([[0.9], [0.8], [0.7], [0.1], [0.0]])  # 2.5 in all
    cost = torch.tensor([[3.0], [1.0], [2.0], [0.5], [9.0]])
    queries, objects = assign_several(cost, overlaps)
    assert queries.tolist() == [1, 3]
    assert objects.tolist() == [0, 0]
    assert assign_several(cost, overlaps, num_overlaps=1)[0].tolist() == [3]  # at least one


def test_a_contested_query_goes_where_it_is_cheapest_and_the_other_object_gets_a_free_one():
    cost = torch.tensor([[1.0, 0.5], [7.0, 8.0], [9.0, 6.0]])
    queries, objects = assign_several(cost, torch.zeros(3, 2))
    assert list(zip(queries.tolist(), objects.tolist(), strict=True)) == [(0, 1), (1, 0)]


def test_no_objects_and_no_end():
    queries, objects = assign_several(torch.zeros(4, 0), torch.zeros(4, 0))
    assert queries.tolist() == objects.tolist() == []
    queries, _ = assign_several(torch.zeros(2, 5), torch.zeros(2, 5))  # more objects than queries
    assert queries.tolist() == [0, 1]
    with pytest.raises(ValueError, match="not finite"):
        assign_several(torch.tensor([[float("nan")]]), torch.zeros(1, 1))


@given(st.integers(1, 12), st.integers(1, 4), st.integers(0, 1000))
def test_the_costs_are_left_alone_and_a_query_has_one_object(q: int, n: int, seed: int):
    generator = torch.Generator().manual_seed(seed)
    cost, overlaps = torch.randn(q, n, generator=generator), torch.rand(q, n, generator=generator)
    before = cost.clone()
    queries, objects = assign_several(cost, overlaps)
    assert torch.equal(cost, before)
    assert len(queries) == len(queries.unique()) == len(objects) >= 1
    assert objects.max() < n
