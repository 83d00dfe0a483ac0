from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deixis.data.sampler import Sampler, ShardedBatches, share_of
from deixis.errors import DatasetError


def test_each_pass_is_a_permutation_and_the_next_one_another():
    draws = list(islice(Sampler([7], [1.0], seed=3).draws(), 14))
    first, second = [draw.index for draw in draws[:7]], [draw.index for draw in draws[7:]]
    assert sorted(first) == sorted(second) == list(range(7))
    assert first != second
    assert [draw.position for draw in draws] == list(range(14))


@given(
    sizes=st.lists(st.integers(1, 9), min_size=1, max_size=3),
    weights=st.lists(st.floats(0.1, 5), min_size=3, max_size=3),
    position=st.integers(0, 60),
    seed=st.integers(0, 5),
)
def test_going_on_from_a_position_gives_the_same_draws(sizes, weights, position, seed):
    sampler = Sampler(sizes, weights[: len(sizes)], seed)
    whole = list(islice(sampler.draws(), position + 20))
    assert list(islice(sampler.draws(position), 20)) == whole[position:]


def test_sources_come_in_proportion_to_their_weights_at_any_time():
    draws = list(islice(Sampler([5, 50], [3.0, 1.0], seed=0).draws(), 400))
    for length in (4, 40, 400):
        share = sum(draw.source == 0 for draw in draws[:length]) / length
        assert abs(share - 0.75) <= 1 / length
    second = [draw.index for draw in draws if draw.source == 1]
    assert sorted(second[:50]) == list(range(50))


@pytest.mark.parametrize(("num_processes", "parts"), [(1, 1), (2, 1), (1, 4), (2, 3)])
def test_shares_of_all_processes_make_the_whole_batch(num_processes, parts):
    sampler = Sampler([100], [1.0], seed=1)
    whole = list(islice(sampler.draws(24), 36))
    shards = [
        ShardedBatches(
            sampler, batch_size=12, parts=parts, rank=rank, num_processes=num_processes, position=24
        )
        for rank in range(num_processes)
    ]
    pieces = [list(islice(shard, 3 * parts)) for shard in shards]
    for step in range(3):
        drawn = [
            draw for shard in pieces for piece in shard[step * parts : (step + 1) * parts] for draw in piece
        ]
        assert sorted(draw.position for draw in drawn) == list(range(24 + 12 * step, 36 + 12 * step))
        assert sorted(draw.index for draw in drawn) == sorted(
            draw.index for draw in whole[12 * step : 12 * step + 12]
        )
    assert {len(piece) for shard in pieces for piece in shard} == {12 // (num_processes * parts)}


def test_what_cannot_be_shared_or_drawn_is_refused():
    with pytest.raises(ValueError, match="cannot be shared by 2 x 2 parts"):
        ShardedBatches(Sampler([3], [1.0], 0), batch_size=6, parts=2, num_processes=2)
    with pytest.raises(DatasetError, match="data source 1 has no training clips"):
        Sampler([3, 0], [1.0, 1.0], 0)


@given(
    sizes=st.lists(st.integers(1, 9), min_size=1, max_size=3),
    weights=st.lists(st.floats(0.1, 5), min_size=3, max_size=3),
    run_length=st.integers(1, 5),
    position=st.integers(0, 60),
)
def test_runs_are_of_one_source_and_lose_or_repeat_nothing(sizes, weights, run_length, position):
    sampler = Sampler(sizes, weights[: len(sizes)], 0, run_length)
    draws = list(islice(sampler.draws(), 30 * run_length))
    for start in range(0, len(draws), run_length):
        assert len({draw.source for draw in draws[start : start + run_length]}) == 1
    for source, size in enumerate(sizes):
        drawn = [draw.index for draw in draws if draw.source == source]
        for start in range(0, len(drawn) - size + 1, size):
            assert sorted(drawn[start : start + size]) == list(range(size))
    assert (
        list(islice(sampler.draws(position), 20)) == list(islice(sampler.draws(), position + 20))[position:]
    )


@given(count=st.integers(0, 50), num_processes=st.integers(1, 9))
def test_shares_of_evaluation_samples_hold_each_once(count, num_processes):
    shares = [share_of(count, rank, num_processes) for rank in range(num_processes)]
    assert sorted(index for share in shares for index in share) == list(range(count))
    assert max(map(len, shares)) - min(map(len, shares)) <= 1
    with pytest.raises(ValueError, match="there is no process"):
        share_of(count, num_processes, num_processes)
