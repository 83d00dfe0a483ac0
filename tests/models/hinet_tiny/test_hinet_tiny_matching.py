from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deixis.models.hinet_tiny.matching import LIMITS, Thing, companions, explain, match, presence
from deixis.models.hinet_tiny.sentence import read_sentence
from deixis.ops.lexicon import BASIC_COLOURS, CATEGORIES


def thing(
    category: str = "",
    colour: str = "",
    centre: tuple[float, float] = (0.5, 0.5),
    area: float = 0.05,
    velocity: tuple[float, float] = (0.005, 0.0),
    sureness: float = 0.9,
) -> Thing:
    categories, colours = np.zeros(0), np.zeros(0)
    if category:
        categories = np.full(len(CATEGORIES), (1 - sureness) / (len(CATEGORIES) - 1))
        categories[CATEGORIES.index(category)] = sureness
    if colour:
        colours = np.zeros(len(BASIC_COLOURS))
        for name in colour.split("/"):
            colours[BASIC_COLOURS.index(name)] = 1 / len(colour.split("/"))
    x, y = centre
    half = area**0.5 / 2
    box = (x - half, y - half, x + half, y + half)
    return Thing(categories, colours, centre, area, velocity, box, 0, 10)


def chosen(text: str, *things: Thing) -> int:
    return int(match(read_sentence(text), things).argmax())


RIGHT, LEFT = (0.005, 0.0), (-0.005, 0.0)


@pytest.mark.parametrize(
    ("text", "right", "wrong"),
    [
        ("a bus", thing("vehicle"), thing("person")),
        ("the red car", thing("vehicle", "red"), thing("vehicle", "blue")),
        ("a girl in a pink dress", thing("person", "pink/brown/white"), thing("person", "green/brown/white")),
        ("the dog on the left", thing(centre=(0.2, 0.5)), thing(centre=(0.8, 0.5))),
        ("the dog in the lower right corner", thing(centre=(0.8, 0.8)), thing(centre=(0.8, 0.2))),
        ("the ball rolling to the left", thing(velocity=LEFT), thing(velocity=RIGHT)),
        ("the ball coming from the left", thing(velocity=RIGHT), thing(velocity=LEFT)),
        ("a man standing", thing(velocity=(0.0, 0.0)), thing(velocity=RIGHT)),
        ("the large fish", thing("fish", area=0.1), thing("fish", area=0.02)),
        ("the smaller fish", thing("fish", area=0.02), thing("fish", area=0.1)),
        ("the leftmost boy", thing("person", centre=(0.4, 0.5)), thing("person", centre=(0.6, 0.5))),
        ("the boy closest to the camera", thing(centre=(0.5, 0.7)), thing(centre=(0.5, 0.4))),
        ("the fastest bird", thing(velocity=(0.02, 0.0)), thing(velocity=RIGHT)),
    ],
)
def test_the_sentence_picks_the_right_one_of_two(text: str, right: Thing, wrong: Thing):
    assert chosen(text, right, wrong) == 0
    assert chosen(text, wrong, right) == 1


def test_orders_are_judged_among_what_fits_otherwise():
    dogs = [thing("quadruped", centre=(x, 0.5)) for x in (0.3, 0.5, 0.8)]
    man = thing("person", centre=(0.1, 0.5))
    assert chosen("the leftmost dog", man, *dogs) == 1
    assert chosen("the second dog from the left", man, *dogs) == 2
    assert chosen("the second dog from the right", man, *dogs) == 2
    assert chosen("the rightmost dog", man, *dogs) == 3


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a bus", thing("person", sureness=0.95)),
        ("a red bus", thing("vehicle", "white/blue")),
        ("a white cat", thing("vehicle", "white", sureness=0.95)),
        ("a red car driving to the left", thing("person", "red", velocity=LEFT, sureness=0.95)),
        ("a flying yellow bird", thing("bird", "black")),
    ],
)
def test_a_contradiction_means_absent(text: str, found: Thing):
    assert presence(match(read_sentence(text), [found])) < 0.5


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a bus", thing("vehicle", sureness=0.5)),
        ("a bus", thing("train", sureness=0.6)),
        ("a red bus", thing("vehicle", "red/grey/black")),
        ("a wubble", thing("person", "green")),
        ("a man in a white shirt", thing("person", "white/blue/brown/black")),
        ("a man walking to the left", thing("person", velocity=(-0.0002, 0.0003))),
        ("xyzzy", thing("ball", "green")),
        ("a brown horse", thing()),
    ],
)
def test_doubt_and_missing_knowledge_do_not(text: str, found: Thing):
    assert presence(match(read_sentence(text), [found])) >= 0.5


def choose(request, things):
    """Return what is meant, the best first, and how likely it is there."""
    scores = match(request, things)
    return (*(-scores).argsort(kind="stable")[:1].tolist(), *companions(request, things, scores)), presence(
        scores
    )


def test_nothing_found_is_absent_and_nothing_asked_is_neutral():
    assert presence(match(read_sentence("a dog"), [])) == 0.0
    assert choose(read_sentence("a dog"), []) == ((), 0.0)
    assert match(read_sentence("xyzzy"), [thing("person", "red")]) == pytest.approx([0.0])
    assert explain(read_sentence("a brown dog on the left"), thing()).keys() == {"place"}


def test_several_and_joined_things_are_chosen_together():
    birds = [thing("bird", centre=(x, 0.3)) for x in (0.2, 0.8)]
    man, horse = thing("person", centre=(0.5, 0.4)), thing("quadruped", centre=(0.5, 0.6))
    assert set(choose(read_sentence("the birds"), [*birds, man])[0]) == {0, 1}
    assert len(choose(read_sentence("the bird"), [*birds, man])[0]) == 1
    assert set(choose(read_sentence("the rider and the horse"), [man, horse, birds[1]])[0]) == {0, 1}


shares = st.lists(st.floats(0, 1), min_size=11, max_size=11).filter(lambda values: sum(values) > 0.1)


@given(shares, st.floats(0, 1), st.sampled_from(BASIC_COLOURS))
@settings(max_examples=200, deadline=None)
def test_more_of_the_colour_that_is_asked_for_never_lowers_the_score(
    values: list[float], more: float, colour: str
):
    before = np.array(values) / sum(values)
    after = before * (1 - more)
    after[BASIC_COLOURS.index(colour)] += more
    for text in (f"a {colour} car", f"a man in a {colour} shirt"):
        request = read_sentence(text)
        low, high = (match(request, [replace(thing(), colours=each)])[0] for each in (before, after))
        assert high >= low - 1e-9


@given(shares, st.floats(0, 1), st.sampled_from(("bus", "horse", "animal", "train", "man")))
@settings(max_examples=200, deadline=None)
def test_a_surer_category_never_lowers_the_score(values: list[float], more: float, noun: str):
    request = read_sentence(f"the {noun}")
    before = np.array(values) / sum(values)
    after = before * (1 - more)
    after[CATEGORIES.index(request.categories[0])] += more
    low, high = (match(request, [replace(thing(), categories=each)])[0] for each in (before, after))
    assert high >= low - 1e-9


@given(st.permutations(range(4)))
@settings(max_examples=24, deadline=None)
def test_scores_follow_the_things_in_any_order(order: list[int]):
    things = [thing("person", "red", (0.2 + 0.2 * index, 0.5), 0.02 * (index + 1)) for index in range(4)]
    request = read_sentence("the second largest person in red on the left")
    scores = match(request, things)
    assert match(request, [things[index] for index in order]) == pytest.approx(scores[order])


def test_every_kind_of_knowledge_has_its_limits():
    assert all(least < 0 <= most for least, most in LIMITS.values())
