import json
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer as Backend
from tokenizers import models, pre_tokenizers, processors

from deixis.errors import CheckpointError, ExpressionError
from deixis.ops.words import MAX_WORDS, clean, swap_sides, swap_sides_published
from deixis.text.tokenizer import Tokenizer
from deixis.text.words import train_tokenizer

PROCEDURES = Path(__file__).parents[1] / "goldens" / "mttr" / "golden_procedures.json"
TABLES = json.loads(PROCEDURES.read_text())["tables"]


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    """Make a tokenizer as RoBERTa's: special tokens around the words, padding id 1."""
    vocabulary = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "the": 4, "dog": 5, "left": 6}
    backend = Backend(models.WordLevel(vocabulary, unk_token="<unk>"))
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    backend.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    return Tokenizer(backend.to_str(), pad_token="<pad>", max_tokens=8)


def test_expressions_are_cleaned_encoded_and_padded(tokenizer):
    tokens = tokenizer(["The  DOG", "the dog\tleft the"])
    assert tokens.ids.tolist() == [[0, 4, 5, 2, 1, 1], [0, 4, 5, 6, 4, 2]]
    assert tokens.ids.dtype == torch.int64
    assert tokens.padding_mask.tolist() == [[False] * 4 + [True] * 2, [False] * 6]


def test_unknown_words_do_not_break_a_sentence(tokenizer):
    assert tokenizer(["the ünïcörn 犬"]).ids.tolist() == [[0, 4, 3, 3, 2]]


def test_a_tokenizer_comes_back_from_its_file(tokenizer, tmp_path):
    path = tmp_path / "tokenizer.json"
    path.write_text(tokenizer.definition, encoding="utf-8")
    again = Tokenizer.from_file(path, pad_token="<pad>")
    assert again(["the dog"]).ids.equal(tokenizer(["the dog"]).ids)
    assert (again.padding_id, again.vocabulary_size) == (1, 7)


def test_too_many_tokens_are_refused(tokenizer):
    assert tokenizer(["dog " * 6]).ids.shape == (1, 8)
    with pytest.raises(ExpressionError, match="9 tokens; this model takes at most 8"):
        tokenizer(["the dog", "dog " * 7])


@pytest.mark.parametrize("definition", ["", "{}", "not a tokenizer"])
def test_a_broken_file_is_explained(definition):
    with pytest.raises(CheckpointError, match="cannot be read"):
        Tokenizer(definition, pad_token="<pad>")


def test_a_missing_padding_token_is_explained(tokenizer):
    with pytest.raises(CheckpointError, match=r"no padding token '\[PAD\]'"):
        Tokenizer(tokenizer.definition, pad_token="[PAD]")


def test_the_tiny_tokenizer_keeps_frequent_words_and_reads_around_others():
    tokenizer = train_tokenizer(["the red dog", "the red cat", "the zebra"], vocabulary_size=5)
    assert tokenizer.vocabulary_size == 5
    assert tokenizer(["The cat, red!"]).ids.tolist() == [[2, 4, 1, 3, 1]]
    assert tokenizer.padding_id == 0


@pytest.mark.parametrize(("sentence", "cleaned"), TABLES["clean_text"])
def test_cleaning_is_the_published_one(sentence, cleaned):
    assert clean(sentence) == cleaned


@pytest.mark.parametrize(("sentence", "flipped"), TABLES["flip_text"])
def test_the_published_swap_is_kept(sentence, flipped):
    assert swap_sides_published(sentence) == flipped


@pytest.mark.parametrize(
    ("sentence", "swapped"),
    [
        ("the man on the left", "the man on the right"),
        ("right hand of the left girl", "left hand of the right girl"),
        ("a bright upright lamp", "a bright upright lamp"),
        ("leftmost cat, moving rightwards", "rightmost cat, moving leftwards"),
        ("a left@home dog", "a right@home dog"),
        ("The Left one", "The Right one"),
        ("leftovers of a copyright", "leftovers of a copyright"),
    ],
)
def test_only_whole_words_are_swapped(sentence, swapped):
    assert swap_sides(sentence) == swapped


@given(
    st.lists(st.sampled_from(["left", "right", "leftmost", "rightward", "bright", "a", "@"])).map(" ".join)
)
def test_swapping_twice_changes_nothing(sentence):
    assert swap_sides(swap_sides(sentence)) == sentence


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        (3, "must be a string, got int"),
        (" \n\t", "is empty"),
        ("dog " * (MAX_WORDS + 1), "513 words; at most 512"),
        ("dog\x00cat", r"control character U\+0000"),
    ],
)
def test_what_is_no_expression_is_refused(expression, message):
    with pytest.raises(ExpressionError, match=message):
        clean(expression)
