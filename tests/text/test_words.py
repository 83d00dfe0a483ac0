import torch

from deixis.structures import Tokens
from deixis.text.words import PAD, UNKNOWN, WordsEncoder, train_tokenizer

EXPRESSIONS = ["the red star", "the red circle on the left", "a blue star"]


def test_frequent_words_come_first_and_the_vocabulary_is_bounded() -> None:
    tokenizer = train_tokenizer(EXPRESSIONS, vocabulary_size=5)
    assert tokenizer.vocabulary_size == 5
    ids = tokenizer(["red star the moves"]).ids
    # "the" occurs three times, "red" and "star" twice, all else once; ties are in alphabetical order.
    assert ids.tolist() == [[3, 4, 2, 1]]


def test_the_definition_rebuilds_the_tokenizer(tmp_path) -> None:
    from deixis.text.tokenizer import Tokenizer

    tokenizer = train_tokenizer(EXPRESSIONS)
    (tmp_path / "tokenizer.json").write_text(tokenizer.definition, encoding="utf-8")
    again = Tokenizer.from_file(tmp_path / "tokenizer.json", pad_token=PAD)
    assert torch.equal(again(EXPRESSIONS).ids, tokenizer(EXPRESSIONS).ids)


def test_unknown_words_and_scripts_become_one_token_each() -> None:
    tokenizer = train_tokenizer(EXPRESSIONS)
    tokens = tokenizer(["the ultramarine star", "красная звезда"])
    assert tokens.ids[0].tolist().count(1) == 1
    assert tokens.ids[1].tolist()[:2] == [1, 1]
    assert UNKNOWN in tokenizer.definition


def test_padding_changes_nothing() -> None:
    torch.manual_seed(0)
    encoder = WordsEncoder(channels=16, num_heads=2).eval()
    tokenizer = train_tokenizer(EXPRESSIONS)
    alone = tokenizer(EXPRESSIONS[:1])
    together = tokenizer(EXPRESSIONS)
    with torch.no_grad():
        single, batch = encoder(alone), encoder(together)
    torch.testing.assert_close(single[0], batch[0, : single.shape[1]])


def test_training_hides_words_now_and_then_and_never_padding() -> None:
    torch.manual_seed(0)
    encoder = WordsEncoder(channels=16, num_heads=2, unknown_rate=1.0)
    for layer in encoder.layers.layers:
        layer.self_attn.dropout = 0.0
    for module in encoder.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    ids = torch.tensor([[5, 6, 0]])
    tokens = Tokens(ids, ids == 0)
    hidden = Tokens(torch.tensor([[1, 1, 0]]), ids == 0)
    encoder.train()
    seen = encoder(tokens)[0, :2]
    encoder.eval()
    torch.testing.assert_close(seen, encoder(hidden)[0, :2], atol=1e-5, rtol=1e-5)
