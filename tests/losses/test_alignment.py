"""Which object a video token shows, and how sentences and tokens agree."""

import torch

from deixis.losses.alignment import alignment_logits, object_vectors, token_owners


def two_objects() -> torch.Tensor:
    masks = torch.zeros(2, 1, 8, 16, dtype=torch.bool)
    masks[0, 0, :, :8] = True  # tokens 0 and 1
    masks[1, 0, :4, 8:12] = True  # half of token 2, nothing of token 3
    return masks


def test_a_token_shows_the_object_that_covers_it() -> None:
    owner, weights = token_owners(two_objects(), (1, 4))
    assert owner.flatten().tolist() == [0, 0, 1, 2]
    assert weights.flatten().tolist() == [0.5, 0.5, 1.0, 1.0]


def test_a_token_of_little_is_left_out() -> None:
    masks = torch.zeros(1, 1, 8, 8, dtype=torch.bool)
    masks[0, 0, 0, :] = True  # an eighth: neither the object nor nothing
    _, weights = token_owners(masks, (1, 1))
    assert weights.item() == 0


def test_the_greater_share_wins() -> None:
    masks = torch.zeros(2, 1, 4, 4, dtype=torch.bool)
    masks[0, 0, :, :2] = True
    masks[1, 0, :2, 2:] = True
    masks[1, 0, 2, 2] = True
    owner, weights = token_owners(masks, (1, 1))
    assert owner.item() == 0
    assert weights.item() == 1


def test_without_objects_all_is_nothing() -> None:
    owner, weights = token_owners(torch.zeros(0, 2, 4, 4, dtype=torch.bool), (2, 2))
    assert owner.eq(0).all()
    assert weights.sum().item() == 1


def test_the_vector_of_an_object_is_the_mean_under_its_mask() -> None:
    tokens = torch.randn(1, 6, 1, 4, generator=torch.Generator().manual_seed(0))
    vectors, is_seen = object_vectors(tokens, two_objects())
    torch.testing.assert_close(vectors[0], tokens[0, :, 0, :2].mean(dim=1))
    torch.testing.assert_close(vectors[1], tokens[0, :, 0, 2])
    assert is_seen.tolist() == [True, True]


def test_logits_do_not_depend_on_the_scale_of_either_side() -> None:
    generator = torch.Generator().manual_seed(0)
    sentences, objects = torch.randn(3, 8, generator=generator), torch.randn(2, 8, generator=generator)
    logits = alignment_logits(sentences, objects)
    torch.testing.assert_close(alignment_logits(4 * sentences, 0.5 * objects), logits, atol=1e-3, rtol=1e-3)
    same = alignment_logits(sentences, sentences).diagonal()
    assert (same > logits.max()).all()
