import json
from pathlib import Path

import pytest
import torch

from deixis.errors import UnknownNameError
from deixis.structures import Tokens
from deixis.text import TEXT_ENCODERS, build
from deixis.text.encoder import RobertaEncoder

LAYOUT = Path(__file__).parents[1] / "goldens" / "mttr" / "layout_swin_tiny.json"


def tokens_of(*rows: list[int]) -> Tokens:
    longest = max(len(row) for row in rows)
    ids = torch.tensor([row + [1] * (longest - len(row)) for row in rows])
    return Tokens(ids, ids == 1)


@pytest.fixture(scope="module")
def encoder() -> RobertaEncoder:
    torch.manual_seed(0)
    return RobertaEncoder(channels=32, num_layers=2, num_heads=2).eval()


def test_padding_changes_nothing(encoder):
    long, short = [0, 100, 2387, 11, 5, 2], [0, 7, 2]
    with torch.inference_mode():
        together = encoder(tokens_of(long, short))
        alone = encoder(tokens_of(short))
    assert together.shape == (2, 6, encoder.channels)
    torch.testing.assert_close(together[1, :3], alone[0], rtol=0, atol=1e-5)


def test_the_order_of_words_matters(encoder):
    with torch.inference_mode():
        one, other = encoder(tokens_of([0, 50, 60, 2], [0, 60, 50, 2]))
    assert (one - other).abs().max() > 1e-3


def test_all_positions_of_the_published_network_exist(encoder):
    with torch.inference_mode():
        assert encoder(tokens_of([0] + [9] * 510 + [2])).shape[1] == 512
        with pytest.raises(ValueError, match="at most 512 tokens, got 513"):
            encoder(tokens_of([0] + [9] * 511 + [2]))


def test_there_is_no_pooler_and_no_position_buffer(encoder):
    assert not any("pooler" in name or "position_ids" in name for name in encoder.state_dict())


def test_unknown_names_are_explained():
    assert "words-tiny" in TEXT_ENCODERS
    with pytest.raises(UnknownNameError, match="roberta-base"):
        build("roberta-basis")


@pytest.mark.parametrize(
    ("name", "channels", "layers"), [("roberta-large", 1024, 24), ("distilroberta-base", 768, 6)]
)
def test_variants_have_the_published_sizes(name, channels, layers):
    with torch.device("meta"):
        encoder = build(name)
    assert encoder.channels == channels
    assert len(encoder.encoder.encoder.layer) == layers


def test_names_and_shapes_are_the_published_ones():
    layout = json.loads(LAYOUT.read_text())
    prefix = "transformer.text_encoder."
    published = {key[len(prefix) :]: tuple(shape) for key, shape in layout.items() if key.startswith(prefix)}
    with torch.device("meta"):
        ours = build("roberta-base").encoder.state_dict()
    assert {key: tuple(value.shape) for key, value in ours.items()} == published
