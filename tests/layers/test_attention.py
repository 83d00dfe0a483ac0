import pytest
import torch
from torch import nn

from deixis.layers.attention import MultiHeadAttention


@pytest.fixture
def pair():
    """Ours and torch's attention with the same weights."""
    torch.manual_seed(0)
    ours, theirs = MultiHeadAttention(32, 4), nn.MultiheadAttention(32, 4, batch_first=True)
    nn.init.normal_(theirs.in_proj_bias)
    ours.in_projection.weight.data = theirs.in_proj_weight.data
    ours.in_projection.bias.data = theirs.in_proj_bias.data
    ours.out_projection.load_state_dict(theirs.out_proj.state_dict())
    return ours.eval(), theirs.eval()


def test_equals_torch_with_padding(pair):
    ours, theirs = pair
    query, key, value = torch.randn(2, 5, 32), torch.randn(2, 7, 32), torch.randn(2, 7, 32)
    padding_mask = torch.zeros(2, 7, dtype=torch.bool)
    padding_mask[1, 4:] = True
    expected, _ = theirs(query, key, value, key_padding_mask=padding_mask)
    torch.testing.assert_close(ours(query, key, value, padding_mask), expected, atol=1e-6, rtol=1e-5)


def test_padded_keys_change_nothing(pair):
    ours, _ = pair
    query, key = torch.randn(1, 3, 32), torch.randn(1, 6, 32)
    padding_mask = torch.tensor([[False] * 4 + [True] * 2])
    changed = key.clone()
    changed[:, 4:] = 100
    torch.testing.assert_close(
        ours(query, key, key, padding_mask), ours(query, changed, changed, padding_mask)
    )


def test_shared_projections_serve_several_sequences(pair):
    ours, _ = pair
    tokens = torch.randn(1, 6, 32)
    query, key, value = (heads.expand(3, -1, -1, -1) for heads in ours.project(tokens, tokens, tokens))
    expected = ours(tokens, tokens, tokens).expand(3, -1, -1)
    torch.testing.assert_close(ours.attend(query, key, value), expected)


def test_dropout_acts_in_training_only():
    layer, tokens = MultiHeadAttention(32, 4, dropout=0.5), torch.randn(1, 6, 32)
    assert not torch.equal(layer(tokens, tokens, tokens), layer(tokens, tokens, tokens))
    layer.eval()
    torch.testing.assert_close(layer(tokens, tokens, tokens), layer(tokens, tokens, tokens))


def test_width_must_split_into_heads():
    with pytest.raises(ValueError, match="cannot be split"):
        MultiHeadAttention(30, 4)


@pytest.mark.parametrize("num_queries", [1, 2])
def test_reading_few_keys_equals_the_plain_way(pair, num_queries: int):
    ours, _ = pair
    query, key, value = torch.randn(num_queries, 9, 32), torch.randn(2, 3, 32), torch.randn(2, 3, 32)
    padding_mask = torch.tensor([[False, False, True], [False] * 3])
    expected = ours(query.expand(2, -1, -1), key, value, padding_mask)
    torch.testing.assert_close(ours.read_few(query, key, value, padding_mask), expected, atol=1e-5, rtol=1e-4)
    with torch.no_grad():
        torch.testing.assert_close(
            ours.read_few(query, key, value, padding_mask), expected, atol=1e-5, rtol=1e-4
        )
