import math

import torch

from deixis.layers.position import sine_position_1d, sine_position_2d


def by_hand(padding_mask, row, column, channel, channels, temperature=10_000.0):
    """One entry, from the definition (MTTR, section 4)."""
    half = channels // 2
    is_row, index = channel < half, channel % half
    line = ~padding_mask[:, column] if is_row else ~padding_mask[row]
    count = line[: (row if is_row else column) + 1].sum().item()
    phase = count / (line.sum().item() + 1e-6) * 2 * math.pi / temperature ** (2 * (index // 2) / half)
    return math.sin(phase) if index % 2 == 0 else math.cos(phase)


def test_equals_the_definition():
    padding_mask = torch.zeros(2, 4, 6, dtype=torch.bool)
    padding_mask[1, 3:] = True
    padding_mask[1, :, 4:] = True
    positions = sine_position_2d(padding_mask, 16)
    assert positions.shape == (2, 4, 6, 16)
    for sample, row, column, channel in [
        (0, 0, 0, 0),
        (0, 3, 5, 7),
        (0, 2, 1, 9),
        (1, 1, 2, 3),
        (1, 2, 3, 12),
    ]:
        expected = by_hand(padding_mask[sample], row, column, channel, 16)
        assert abs(positions[sample, row, column, channel].item() - expected) < 1e-5


def test_rows_come_first():
    positions = sine_position_2d(torch.zeros(1, 3, 3, dtype=torch.bool), 8)[0]
    assert torch.equal(positions[1, 0, :4], positions[1, 2, :4])
    assert not torch.equal(positions[1, 0, 4:], positions[1, 2, 4:])


def test_a_map_of_padding_is_finite():
    assert sine_position_2d(torch.ones(1, 3, 3, dtype=torch.bool), 8).isfinite().all()


def test_offset_moves_to_cell_centres():
    """With half a cell of offset the encoding of a line is symmetric about its middle (Deformable DETR)."""
    positions = sine_position_2d(torch.zeros(1, 1, 4, dtype=torch.bool), 8, offset=-0.5)[0, 0]
    torch.testing.assert_close(positions[0, 4], -positions[3, 4], atol=1e-5, rtol=0)


def test_words_are_counted_without_padding():
    padding_mask = torch.tensor([[False, False, True], [False, False, False]])
    encoded = sine_position_1d(padding_mask, 8)
    assert encoded.shape == (2, 3, 8)
    angle = torch.tensor(math.pi)  # the first of two words
    torch.testing.assert_close(encoded[0, 0, :2], torch.stack((angle.sin(), angle.cos())), atol=1e-4, rtol=0)
    assert torch.equal(encoded[0, 1], encoded[0, 2])
    torch.testing.assert_close(encoded[0, :2], sine_position_1d(padding_mask[:1, :2], 8)[0])
