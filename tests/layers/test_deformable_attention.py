import pytest
import torch

from deixis.layers import deformable
from deixis.layers.deformable import (
    DeformableAttention,
    DeformableDecoderLayer,
    DeformableEncoderLayer,
    cell_centres,
    valid_ratios,
)

SIZES = [(4, 6), (2, 3)]
S = 30


def randomised(module: torch.nn.Module) -> torch.nn.Module:
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.normal_(std=0.3, generator=generator)
    return module.eval()


def inputs(q: int, numbers: int = 2):
    generator = torch.Generator().manual_seed(1)
    queries = torch.randn(2, q, 16, generator=generator)
    references = torch.rand(2, q, 2, numbers, generator=generator)
    return queries, references, torch.randn(2, S, 16, generator=generator)


@pytest.mark.parametrize("numbers", [2, 4])
@pytest.mark.parametrize("is_padded", [False, True])
def test_few_queries_read_what_many_read(numbers, is_padded, monkeypatch: pytest.MonkeyPatch):
    attention = randomised(DeformableAttention(16, 4, 2, 3))
    queries, references, sources = inputs(3, numbers)
    padding_mask = torch.arange(S).expand(2, -1) % 3 == 0 if is_padded else None
    results = []
    for cells_per_query in (0, 10**6):
        monkeypatch.setattr(deformable, "CELLS_PER_QUERY", cells_per_query)
        results.append(attention(queries, references, sources, SIZES, padding_mask))
    torch.testing.assert_close(*results, atol=1e-5, rtol=1e-4)


def test_heads_look_into_different_directions_at_first():
    attention = DeformableAttention(16, 4, 2, 3)
    queries, references, _ = inputs(1)
    locations, weights = attention.locate(queries, references * 0 + 0.5, SIZES)
    steps = (locations - 0.5) * torch.tensor([(6.0, 4.0), (3.0, 2.0)])[:, None]  # in cells
    rays = torch.tensor([(1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0)])
    expected = rays[:, None, None] * torch.arange(1, 4)[:, None]
    torch.testing.assert_close(steps[0, 0], expected.expand(4, 2, 3, 2), atol=1e-5, rtol=0)
    torch.testing.assert_close(weights, torch.full_like(weights, 1 / 6))


def test_padded_cells_are_not_read():
    """Neither by the other cells of the encoder nor by the queries of the decoder."""
    encoder = randomised(DeformableEncoderLayer(16, 4, 32, 0.0, 2, 3))
    decoder = randomised(DeformableDecoderLayer(16, 4, 32, 0.0, 2, 3))
    _, _, cells = inputs(1)
    masks = [torch.zeros(2, h, w, dtype=torch.bool) for h, w in SIZES]
    masks[0][..., 4:] = True
    masks[1][..., 2:] = True
    hidden = torch.cat([mask.flatten(1) for mask in masks], dim=1)
    references = cell_centres(SIZES, valid_ratios(masks))
    queries = torch.randn(2, 5, 16)
    results = []
    for noise in (0.0, 50.0):
        noisy = cells + noise * hidden[..., None]
        seen = encoder(noisy, torch.zeros_like(cells), references, SIZES, hidden)
        read = decoder(queries, queries[0], references[:, :5], noisy, SIZES, hidden)
        results.append((seen[~hidden], read))
    for left, right in zip(*results, strict=True):
        torch.testing.assert_close(left, right)


def test_centres_lie_in_the_part_that_is_not_padding():
    mask = torch.zeros(1, 4, 6, dtype=torch.bool)
    mask[..., 3:] = True
    ratios = valid_ratios([mask, torch.zeros(1, 2, 3, dtype=torch.bool)])
    assert ratios.tolist() == [[[0.5, 1.0], [1.0, 1.0]]]
    centres = cell_centres(SIZES, ratios)
    assert centres.shape == (1, S, 2, 2)
    torch.testing.assert_close(
        centres[0, 0, 0], torch.tensor([0.5 / 6, 0.5 / 4])
    )  # as the level itself counts
    torch.testing.assert_close(centres[0, 0, 1], torch.tensor([0.5 / 3, 0.5 / 4]))


def test_a_frame_of_padding_stays_finite():
    masks = [torch.ones(1, h, w, dtype=torch.bool) for h, w in SIZES]
    assert cell_centres(SIZES, valid_ratios(masks)).isfinite().all()
