import numpy as np
import pytest

from deixis.ops.lexicon import noun_categories
from deixis.synthetic.wild.benchmark import WildRecords
from deixis.synthetic.wild.claims import all_of, is_called, is_coloured, referents
from deixis.synthetic.wild.expressions import MOVERS
from deixis.synthetic.wild.kinds import BALLS, BIRDS, FISH, PEOPLE, QUADRUPEDS, VEHICLES
from deixis.synthetic.wild.scene import WildObject, WildSettings, draw_wild
from deixis.synthetic.wild.words import GENERAL, PLACES, SYNONYMS

SETTINGS = WildSettings(size=(96, 160), length=3)


@pytest.fixture(scope="module")
def records():
    return list(WildRecords("train", SETTINGS, 10_000_000, 24))


@pytest.fixture(scope="module")
def masks(records):
    return [record.masks.read(range(3), record.object_ids) for record in records]


def thing(noun, category, colours=(), pattern="plain"):
    from deixis.synthetic.wild.cast import Look

    return WildObject(1, Look(category, noun, tuple(colours), pattern), True, "ground")


def test_the_first_expression_is_all_that_moves_and_is_seen(records, masks):
    for record, found in zip(records, masks, strict=True):
        first = record.expressions[0]
        assert first.text == MOVERS and first.kinds[0] == "movers"
        scene = draw_wild(record.frames.seed, record.frames.settings)
        movers = {item.id for item in scene.objects if item.is_mover}
        assert set(first.object_ids) <= movers
        assert ("absent" in first.kinds) == (not first.object_ids)
        hidden = found[[number - 1 for number in sorted(movers - set(first.object_ids))]]
        assert hidden.sum(axis=(2, 3)).max(initial=0) < 25 * scene.settings.unit**2


def test_every_expression_denotes_as_many_as_its_kinds_say(records):
    for record in records:
        for expression in record.expressions[1:]:
            assert len(set(expression.object_ids)) == len(expression.object_ids)
            assert set(expression.object_ids) <= set(record.object_ids)
            count = len(expression.object_ids)
            assert ("absent" in expression.kinds) == (count == 0), expression
            assert ("several" in expression.kinds) == (count > 1), expression


def test_most_kinds_are_spoken_of(records):
    kinds = {kind for record in records for item in record.expressions for kind in item.kinds}
    assert kinds >= {
        "movers",
        "category",
        "appearance",
        "location",
        "motion",
        "size",
        "order",
        "absent",
        "several",
    }


def test_who_is_said_to_be_on_one_side_is_there(records, masks):
    sides = {phrase: side for side in ("left", "right") for phrase in PLACES[side]}
    checked = 0
    for record, found in zip(records, masks, strict=True):
        for expression in record.expressions:
            said = [side for phrase, side in sides.items() if expression.text.endswith(phrase)]
            if "location" not in expression.kinds or not said or len(expression.object_ids) != 1:
                continue
            mask = found[expression.object_ids[0] - 1]
            for frame in mask[mask.sum(axis=(1, 2)) > 30]:
                columns = np.flatnonzero(frame.any(axis=0)) / frame.shape[1]
                middle = (columns[0] + columns[-1]) / 2
                assert middle < 0.45 if said[0] == "left" else middle > 0.55, expression
                checked += 1
    assert checked > 10


def test_nouns_are_words_of_the_lexicon_for_their_category():
    tables = {"ball": BALLS, "fish": FISH}
    tables |= {"quadruped": tuple(row for rows in QUADRUPEDS.values() for row in rows)}
    tables |= {"bird": tuple(row for rows in BIRDS.values() for row in rows)}
    tables |= {"vehicle": tuple(row for rows in VEHICLES.values() for row in rows)}
    for category, rows in tables.items():
        for row in rows:
            assert category in noun_categories(row.noun), row
    for nouns in PEOPLE.values():
        assert all("person" in noun_categories(noun) for noun in nouns)


def test_a_breed_is_a_dog_and_no_elephant():
    beagle = thing("beagle", "quadruped", ("brown", "white"), "patched")
    assert is_called(beagle, "beagle") is True
    assert is_called(beagle, "animal") is True
    assert is_called(beagle, "elephant") is False
    assert is_called(beagle, "bus") is False
    assert is_called(beagle, "husky") is None
    assert is_called(thing("bus", "vehicle"), "car") is False
    assert is_called(thing("man", "person"), "cyclist") is None


def test_colours_are_judged_with_a_margin():
    red = thing("car", "vehicle", ("red",))
    assert is_coloured(red, ("red",)) is True
    assert is_coloured(red, ("orange",)) is None
    assert is_coloured(red, ("blue",)) is False
    both = thing("dog", "quadruped", ("white", "brown"))
    assert is_coloured(both, ("brown", "white")) is True
    assert is_coloured(both, ("white",)) is None
    assert is_coloured(thing("dog", "quadruped"), ("white",)) is None


def test_one_borderline_object_spoils_a_claim_unless_another_rules_it_out():
    assert referents(all_of([(True, None)], 2)) is None
    assert referents(all_of([(True, None), (True, False)], 2)) == (0,)
    assert referents(all_of([(False, False)], 2)) == ()


def test_synonyms_have_no_other_category():
    for nouns in GENERAL.values():
        assert all(nouns)
    for base, others in SYNONYMS.items():
        category = set(noun_categories(base))
        for noun in others:
            known = set(noun_categories(noun))
            assert not known or known & category, (base, noun)
