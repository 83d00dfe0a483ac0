import pytest

from deixis.ops.lexicon import (
    BASIC_COLOURS,
    CATEGORIES,
    COLOUR_WORDS,
    HABITATS,
    LONGEST_NOUN,
    NOUN_CATEGORIES,
    NOUNS,
    TEXTURES,
    TYPICAL_COLOURS,
    TYPICAL_SIZES,
    TYPICAL_TEXTURES,
    VERB_FORMS,
    is_plural,
    names_thing,
    noun_categories,
    plural,
    singular,
)


@pytest.mark.parametrize(
    ("noun", "category"),
    [
        ("toddlers", "person"),
        ("tennis players", "person"),
        ("golden retriever", "quadruped"),
        ("puppies", "quadruped"),
        ("geese", "bird"),
        ("buses", "vehicle"),
        ("steam train", "train"),
        ("motorbike", "two-wheeler"),
        ("sailing boats", "boat"),
        ("helicopter", "aircraft"),
        ("soccer ball", "ball"),
        ("snakes", "other"),
        ("goldfish", "fish"),
    ],
)
def test_a_noun_and_its_plural_have_the_category_that_people_give_them(noun: str, category: str):
    assert noun_categories(noun)[0] == category


def test_words_that_say_nothing_have_no_category():
    assert noun_categories("thing") == noun_categories("xyzzy") == noun_categories("toy") == ()
    assert names_thing("things")
    assert not names_thing("grass")


def test_every_plural_comes_back_to_its_singular():
    for noun in NOUN_CATEGORIES:
        assert singular(plural(noun)) in (noun, plural(noun)), noun
    assert [plural(noun) for noun in ("pony", "policeman", "fox", "toy car")] == [
        "ponies",
        "policemen",
        "foxes",
        "toy cars",
    ]
    assert is_plural("women")
    assert not is_plural("bus")


def test_the_tables_name_only_what_there_is():
    assert set(NOUNS) == set(CATEGORIES)
    assert all(set(found) <= set(CATEGORIES) for found in NOUN_CATEGORIES.values())
    for table in (COLOUR_WORDS, TYPICAL_COLOURS):
        for word, weights in table.items():
            assert set(weights) <= set(BASIC_COLOURS), word
            assert max(weights.values()) == 1.0, word
            assert min(weights.values()) > 0.0, word
    for table in (TYPICAL_COLOURS, TYPICAL_SIZES, TYPICAL_TEXTURES):
        assert set(table) <= set(NOUN_CATEGORIES), set(table) - set(NOUN_CATEGORIES)
    assert set(TYPICAL_TEXTURES.values()) <= set(TEXTURES)
    assert set(HABITATS) <= set(CATEGORIES)
    assert LONGEST_NOUN == 3


def test_a_noun_belongs_to_one_category_unless_it_is_said_to_be_ambiguous():
    named = [noun for nouns in NOUNS.values() for noun in set(nouns)]
    twice = {noun for noun in named if named.count(noun) > 1}
    assert all(len(noun_categories(noun)) != 1 for noun in twice), twice


def test_forms_of_verbs_lead_to_the_verb():
    forms = ("running", "walks", "jumped", "flies", "ridden", "sitting")
    assert [VERB_FORMS[form] for form in forms] == ["run", "walk", "jump", "fly", "ride", "sit"]
