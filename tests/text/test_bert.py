from pathlib import Path

import pytest
import torch

from deixis.structures import Tokens
from deixis.text.bert import BertEncoder
from deixis.training.build import load_part


def encoder() -> BertEncoder:
    torch.manual_seed(0)
    return BertEncoder(channels=8, num_layers=3, num_heads=2, vocabulary_size=50)


def tokens(ids: list[list[int]]) -> Tokens:
    values = torch.tensor(ids)
    return Tokens(values, values == 0)


def test_padding_changes_nothing():
    model = encoder().eval()
    with torch.no_grad():
        short, padded = model(tokens([[1, 5, 2]])), model(tokens([[1, 5, 2, 0, 0]]))
    torch.testing.assert_close(padded[:, :3], short, atol=1e-5, rtol=1e-4)


def test_there_is_no_dropout_in_training():
    model = encoder().train()
    assert torch.equal(model(tokens([[1, 5, 2]])), model(tokens([[1, 5, 2]])))


def test_lower_layers_alone_are_trained():
    model = encoder()
    model.train_layers(2)
    trained = {name.split(".")[3] for name, p in model.named_parameters() if p.requires_grad}
    assert trained == {"0", "1"}
    assert all("encoder.encoder.layer." in name for name, p in model.named_parameters() if p.requires_grad)


@pytest.mark.parametrize("has_pooler", [True, False])
def test_published_files_of_bert_fit(has_pooler: bool, tmp_path: Path):
    """Names as they were before 2019, and files of masked-language models, which have no pooler."""
    other, model = encoder(), encoder()
    old = {}
    for name, value in other.state_dict().items():
        if "pooler" not in name or has_pooler:
            name = name.removeprefix("encoder.").replace("LayerNorm.weight", "LayerNorm.gamma")
            old[f"bert.{name}".replace("LayerNorm.bias", "LayerNorm.beta")] = value + 1
    torch.save({**old, "cls.predictions.bias": torch.zeros(50)}, tmp_path / "bert.bin")
    wrapped = torch.nn.Module()
    wrapped.text_encoder = model
    load_part(wrapped, "text_encoder", tmp_path / "bert.bin")
    kept = {
        name for name, value in model.state_dict().items() if torch.equal(value, other.state_dict()[name])
    }
    assert kept == (set() if has_pooler else {"encoder.pooler.dense.weight", "encoder.pooler.dense.bias"})
