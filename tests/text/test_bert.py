import torch

from deixis.structures import Tokens
from deixis.text.bert import BertEncoder, bert_state_dict


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


def test_published_files_of_bert_fit():
    model = encoder()
    inner = {name.removeprefix("encoder."): value for name, value in model.state_dict().items()}
    old = {
        f"bert.{name}".replace("LayerNorm.weight", "LayerNorm.gamma").replace(
            "LayerNorm.bias", "LayerNorm.beta"
        ): value
        for name, value in inner.items()
    }
    old["bert.embeddings.position_ids"] = torch.arange(512)[None]
    old["cls.predictions.bias"] = torch.zeros(50)
    model.load_state_dict(bert_state_dict(old), strict=True)
