import re
from collections import Counter
from dataclasses import fields, is_dataclass, replace

import numpy as np
import pytest

from deixis.synthetic import vocabulary
from deixis.synthetic.benchmark import HELD_OUT_PAIRS, records
from deixis.synthetic.expressions import Prover, Statement, describe, state
from deixis.synthetic.grammar import Claim
from deixis.synthetic.observation import observe
from deixis.synthetic.predicates import Predicate, truths
from deixis.synthetic.render import RenderedClip, render
from deixis.synthetic.sampling import sample_scene
from deixis.synthetic.scene import Background, Camera, ObjectSpec, Path, Scene, SceneSettings

NUM_SCENES = 50

COLOUR_SYNONYMS = {
    "red": "red|crimson|scarlet",
    "orange": "orange|tangerine",
    "yellow": "yellow|golden",
    "green": "green|emerald",
    "blue": "blue|azure",
    "purple": "purple|violet",
    "pink": "pink|rosy",
    "brown": "brown",
    "white": "white",
    "black": "black",
}


def colours_in(text: str) -> set[str]:
    return {name for name, words in COLOUR_SYNONYMS.items() if re.search(rf"\b({words})\b", text)}


def drawn(split: str, index: int, **fields) -> RenderedClip:
    part = records(split)
    return render(sample_scene(part.first_seed + index, replace(part.settings, **fields)))


@pytest.fixture(scope="module")
def stated() -> list[tuple[RenderedClip, tuple[Statement, ...]]]:
    clips = [
        drawn("train" if index % 2 else "test", 500 * (index % 2) + index) for index in range(NUM_SCENES)
    ]
    clips += [drawn("train", 900 + index, size=(96, 96), length=12, max_objects=5) for index in range(8)]
    clips += [drawn("train", 950 + index, length=32, moving_camera=1.0) for index in range(8)]
    return [(clip, state(clip, np.random.default_rng(clip.scene.seed))) for clip in clips]


def test_every_statement_stands_a_second_opinion(stated, judge):
    wrong, judged = [], 0
    for clip, statements in stated:
        opinion = judge(clip)
        for statement in statements:
            judged += 1
            found = tuple(
                index
                for index in range(len(clip.scene.objects))
                if all(opinion.holds(predicate, index) for predicate in statement.claim.predicates)
            )
            if found != statement.referents:
                wrong.append((clip.scene.seed, statement.text, statement.referents, found))
    assert judged > 500
    assert not wrong


def test_anchors_are_unambiguous(stated, judge):
    anchored = 0
    for clip, statements in stated:
        opinion = judge(clip)
        for claim in (statement.claim for statement in statements if statement.claim.anchor):
            anchored += 1
            relation = next(predicate for predicate in claim.modifiers if predicate.anchor is not None)
            fits = [
                index
                for index in range(len(clip.scene.objects))
                if all(opinion.holds(predicate, index) for predicate in claim.anchor.predicates)
            ]
            assert fits == [relation.anchor]
    assert anchored > 20


def test_absent_statements_have_no_referent_and_most_are_nearly_there(stated, judge):
    absent = [(clip, s) for clip, statements in stated for s in statements if "absent" in s.kinds]
    nearly = 0
    for clip, statement in absent:
        opinion = judge(clip)
        assert not statement.referents
        predicates = [p for p in statement.claim.predicates if p != Predicate("appearance", "noun", "thing")]
        nearly += any(opinion.holds(p, index) for p in predicates for index in range(len(clip.scene.objects)))
    assert nearly > 0.6 * len(absent)


def test_colour_words_are_the_colours_of_the_referents(stated):
    for clip, statements in stated:
        for statement in statements:
            if statement.claim.anchor is None:
                colours = {clip.scene.objects[index].colour for index in statement.referents}
                named = colours_in(statement.text)
                assert not named or not colours or colours == named, statement.text


def test_the_mix_of_kinds(stated):
    kinds = Counter(
        kind for _, statements in stated for statement in statements for kind in set(statement.kinds)
    )
    total = sum(len(statements) for _, statements in stated)
    shares = {kind: count / total for kind, count in kinds.items()}
    assert 0.10 < shares["absent"] < 0.22
    assert 0.01 < shares["several"] < 0.08
    assert shares["motion"] > 0.2 and shares["location"] > 0.12
    assert shares["relation"] > 0.04 and shares["order"] > 0.05
    assert 8 <= total / len(stated) <= 12


def test_nearly_every_object_is_named(stated):
    named = [
        len({i for s in statements for i in s.referents}) / len(c.scene.objects) for c, statements in stated
    ]
    assert np.mean(named) > 0.93


def test_all_words_occur_somewhere():
    names = Counter()
    for index in range(80):
        clip = drawn("train", 2000 + index)
        for statement in state(clip, np.random.default_rng(index), count=12):
            names.update({(p.kind, p.name) for p in statement.claim.predicates if statement.referents})
    motions = {("motion", name) for name in (*vocabulary.MOTION_PHRASES, "direction")}
    relations = {("relation", name) for name in vocabulary.RELATION_PHRASES}
    orders = {("order", name) for name, _ in vocabulary.ORDER_PHRASES}
    assert motions | relations | orders - set(names) - {("order", "entering"), ("order", "leaving")} <= set(
        names
    )


def test_train_never_names_a_held_out_pair():
    for index in range(30):
        clip = drawn("train", 5000 + index)
        for statement in state(clip, np.random.default_rng(index), count=12):
            for claim in filter(None, (statement.claim, statement.claim.anchor)):
                nouns = {claim.noun.value}
                colours = {p.value for p in claim.attributes if p.name == "colour"}
                assert not any(colour in colours and shape in nouns for colour, shape in HELD_OUT_PAIRS)


def words() -> list[str]:
    """Every string of the vocabulary."""

    def strings(value):
        if isinstance(value, str):
            return [value]
        if isinstance(value, dict):
            return [s for item in value.values() for s in strings(item)]
        if isinstance(value, tuple | list | frozenset) or is_dataclass(value):
            items = value if not is_dataclass(value) else [getattr(value, f.name) for f in fields(value)]
            return [s for item in items for s in strings(item)]
        return []

    return [s for name in dir(vocabulary) if name.isupper() for s in strings(getattr(vocabulary, name))]


def test_sides_are_whole_words():
    assert len(words()) > 200
    assert not [text for text in words() if re.search(r"\w(left|right)|(left|right)\w", text)]


def mirrored(scene: Scene) -> Scene:
    width = scene.settings.size[1]
    objects = []
    for spec in scene.objects:
        path = Path(spec.path.times, tuple((width - x, y) for x, y in spec.path.points))
        objects.append(replace(spec, path=path, tilt=-spec.tilt, faces_left=not spec.faces_left))
    camera = replace(scene.camera, pan=(-scene.camera.pan[0], scene.camera.pan[1]))
    return replace(scene, objects=tuple(objects), camera=camera)


def swapped(predicate: Predicate) -> Predicate:
    swap = {"left": "right", "right": "left"}

    def words(text: str) -> str:
        return " ".join(swap.get(word, word) for word in text.split())

    if predicate.kind == "order" and predicate.name == "left":
        rank = {"first": "last", "last": "first"}.get(predicate.value)
        return predicate if rank is None else replace(predicate, value=rank)
    return replace(predicate, name=words(predicate.name), value=words(predicate.value))


def test_mirroring_a_clip_swaps_the_sides(stated):
    swaps = 0
    for clip, statements in stated[:20]:
        prover = Prover(observe(render(mirrored(clip.scene))))
        for statement in statements:
            predicates = statement.claim.predicates
            if any(p.kind == "order" and (p.name, p.value) == ("left", "second") for p in predicates):
                continue  # "second from the right" has no predicate
            swaps += tuple(map(swapped, predicates)) != predicates
            assert prover.referents(tuple(map(swapped, predicates))) == statement.referents, statement.text
    assert swaps > 25


def still_life(*objects: ObjectSpec, length: int = 16, camera: Camera | None = None) -> RenderedClip:
    background = Background("plain", 0, ((120.0,) * 3,))
    return render(
        Scene(0, SceneSettings(length=length), objects, camera or Camera(length=length), background)
    )


def thing(
    number: int, x: float, y: float = 64.0, *, to: tuple[float, float] | None = None, **fields
) -> ObjectSpec:
    path = Path((0.0,), ((x, y),)) if to is None else Path((0.0, 15.0), ((x, y), to))
    look = {
        "shape": "circle",
        "colour": "red",
        "size": "medium",
        "texture": "plain",
        "radius": 18.0,
        **fields,
    }
    return ObjectSpec(number, path=path, depth=number, **look)


def test_what_lies_between_is_borderline():
    observation = observe(still_life(thing(1, 40.0), thing(2, 88.0), thing(3, 150.0)))
    assert truths(observation, Predicate("location", "place", "left")) == (True, None, False)


def test_textures_of_small_figures_and_middle_sizes_are_borderline():
    snake, disc = thing(1, 40.0, shape="snake", size="small"), thing(2, 150.0, size="small")
    observation = observe(still_life(snake, disc, thing(3, 96.0, 20.0)))
    assert truths(observation, Predicate("appearance", "texture", "plain")) == (None, True, True)
    assert truths(observation, Predicate("appearance", "size", "large")) == (False, False, None)


def test_a_pan_leaves_motion_undecided():
    pan = Camera(pan=(24.0, 0.0), length=16)
    observation = observe(still_life(thing(1, 60.0), thing(2, 130.0, to=(70.0, 64.0)), camera=pan))
    assert truths(observation, Predicate("motion", "still")) == (None, False)
    assert truths(observation, Predicate("motion", "direction", "left"))[1] is True


def test_a_hidden_object_is_neither_named_nor_absent():
    observation = observe(still_life(thing(1, 60.0, radius=10.0), thing(2, 60.0, colour="blue", radius=30.0)))
    assert truths(observation, Predicate("appearance", "colour", "red")) == (False, False)
    slit = observe(still_life(thing(1, 60.0, radius=20.0), thing(2, 61.0, colour="blue", radius=20.0)))
    assert truths(slit, Predicate("appearance", "colour", "red")) == (None, False)


def test_twins_are_never_told_apart_by_look():
    clip = still_life(thing(1, 40.0), thing(2, 150.0))
    for statement in state(clip, np.random.default_rng(0), count=30):
        if len(statement.referents) == 1:
            assert set(statement.claim.kinds) & {"location", "relation", "order", "motion"}


def test_second_from_the_left():
    observation = observe(still_life(thing(1, 30.0), thing(2, 90.0), thing(3, 150.0)))
    assert truths(observation, Predicate("order", "left", "second", domain=(0, 1, 2))) == (False, True, False)
    assert truths(observation, Predicate("order", "left", "last", domain=(0, 2))) == (False, False, True)


def test_describe_keeps_ids_texts_and_kinds():
    clip = drawn("val", 3)
    statements = state(clip, np.random.default_rng(5), count=9)
    expressions = describe(clip, np.random.default_rng(5), count=9)
    assert [e.text for e in expressions] == [s.text for s in statements]
    assert [e.id for e in expressions] == [str(number) for number in range(len(statements))]
    for expression, statement in zip(expressions, statements, strict=True):
        assert expression.object_ids == tuple(index + 1 for index in statement.referents)
        assert ("absent" in expression.kinds) == (not expression.object_ids)
        assert ("several" in expression.kinds) == (len(expression.object_ids) > 1)


def test_kinds_do_not_count_the_empty_noun():
    noun = Predicate("appearance", "noun", "thing")
    assert Claim(noun, modifiers=(Predicate("location", "place", "left"),)).kinds == ("location",)
    assert Claim(replace(noun, value="star")).kinds == ("appearance",)


def test_a_long_clip_is_observed_in_chunks():
    clip = render(sample_scene(2, SceneSettings(size=(64, 64), length=150)))
    whole, parts = observe(RenderedClip(clip.scene, clip.indices[:64])), observe(clip)
    assert parts.seen.shape[1] == 150
    assert np.array_equal(parts.overlaps[..., :64], whole.overlaps)
    assert np.array_equal(parts.places[:, :64], whole.places, equal_nan=True)
