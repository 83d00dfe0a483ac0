import torch
from torch import nn

from deixis.layers.attention import MultiHeadAttention
from deixis.layers.transformer import DecoderLayer, EncoderLayer, FeedForward


def copy_attention(ours: MultiHeadAttention, theirs: nn.MultiheadAttention) -> None:
    ours.in_projection.weight.data, ours.in_projection.bias.data = theirs.in_proj_weight, theirs.in_proj_bias
    ours.out_projection.load_state_dict(theirs.out_proj.state_dict())


def copy_feedforward(ours: FeedForward, theirs: nn.Module) -> None:
    ours.expand.load_state_dict(theirs.linear1.state_dict())
    ours.reduce.load_state_dict(theirs.linear2.state_dict())


def test_encoder_layer_equals_torch_without_positions():
    torch.manual_seed(0)
    theirs = nn.TransformerEncoderLayer(32, 4, 64, dropout=0.0, batch_first=True).eval()
    ours = EncoderLayer(32, 4, 64, 0.0).eval()
    copy_attention(ours.attention, theirs.self_attn)
    copy_feedforward(ours.feedforward, theirs)
    tokens, padding_mask = torch.randn(2, 6, 32), torch.zeros(2, 6, dtype=torch.bool)
    padding_mask[0, 5] = True
    # Gradients keep torch on its plain path, which computes padded tokens, too.
    expected = theirs(tokens, src_key_padding_mask=padding_mask)
    result = ours(tokens, torch.zeros_like(tokens), padding_mask)
    torch.testing.assert_close(result, expected, atol=1e-5, rtol=1e-4)


def test_decoder_layer_equals_torch_without_positions():
    torch.manual_seed(0)
    theirs = nn.TransformerDecoderLayer(32, 4, 64, dropout=0.0, batch_first=True).eval()
    ours = DecoderLayer(32, 4, 64, 0.0).eval()
    copy_attention(ours.attention, theirs.self_attn)
    copy_attention(ours.cross_attention, theirs.multihead_attn)
    copy_feedforward(ours.feedforward, theirs)
    queries, memory = torch.randn(2, 3, 32), torch.randn(2, 6, 32)
    result = ours(queries, torch.zeros(3, 32), memory, torch.zeros_like(memory))
    torch.testing.assert_close(result, theirs(queries, memory), atol=1e-5, rtol=1e-4)


def test_positions_enter_queries_and_keys_but_not_values():
    torch.manual_seed(0)
    layer = EncoderLayer(32, 4, 64, 0.0).eval()
    tokens, positions = torch.randn(1, 6, 32), torch.randn(1, 6, 32)
    same = torch.ones_like(positions)
    assert not torch.allclose(layer(tokens, positions), layer(tokens, torch.zeros_like(tokens)), atol=1e-4)
    # Without a query projection every logit of a query moves alike under one position everywhere.
    layer.attention.in_projection.weight.data[:32] = 0
    torch.testing.assert_close(layer(tokens, same), layer(tokens, 0 * same), atol=1e-5, rtol=1e-4)


def test_queries_that_are_alike_are_computed_once():
    torch.manual_seed(0)
    layer = DecoderLayer(32, 4, 64, 0.0).eval()
    queries, places = torch.randn(1, 3, 32), torch.randn(3, 32)
    memory, positions = torch.randn(4, 6, 32), torch.randn(4, 6, 32)
    shared = layer(queries, places, memory, positions)
    torch.testing.assert_close(shared, layer(queries.expand(4, -1, -1), places, memory, positions))
