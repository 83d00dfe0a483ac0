"""Things keep their places while they move, and are told apart by what was measured of them."""

from collections.abc import Sequence

import numpy as np
import torch

from deixis.models.hinet_tiny.choice import answer, pick
from deixis.models.hinet_tiny.request import Request
from deixis.models.hinet_tiny.sentence import read_sentence
from deixis.models.hinet_tiny.things import MAX_THINGS, PATIENCE, Memory, Seen, empty_memory, find_things
from deixis.ops.lexicon import BASIC_COLOURS, CATEGORIES

HEIGHT, WIDTH = 80, 120
COLOURS = {"red": (210, 30, 30), "blue": (30, 50, 210)}


def see(
    boxes: list[tuple[int, int, int, int, str]],
    memory: Memory,
    velocity: tuple[float, float] = (2.0, 0.0),
    category: str = "",
) -> tuple[Seen, Memory]:
    """Show rectangles (left, top, width, height, colour) that move with ``velocity``."""
    image = np.full((HEIGHT, WIDTH, 3), 128, np.uint8)
    mask = np.zeros((HEIGHT, WIDTH), bool)
    for x, y, w, h, colour in boxes:
        image[y : y + h, x : x + w] = COLOURS[colour]
        mask[y : y + h, x : x + w] = True
    flow = np.zeros((4, HEIGHT, WIDTH), np.float32)
    flow[:2, mask] = np.array(velocity)[:, None]
    flow[2:, mask] = -np.array(velocity)[:, None]

    def name(image: np.ndarray, masks: Sequence[np.ndarray]) -> np.ndarray:
        chances = np.full((len(masks), len(CATEGORIES)), 1.0, np.float32)
        if category:
            chances[:, CATEGORIES.index(category)] = 5000.0
        return chances / chances.sum(axis=1, keepdims=True)

    return find_things(image, flow, mask, name, memory)


def test_a_moving_thing_keeps_its_slot():
    memory = empty_memory()
    for time in range(12):
        seen, memory = see([(5 + 4 * time, 20, 20, 30, "red")], memory)
        assert len(seen.things) == 1
        assert seen.things[0].first_seen == 0
        assert seen.things[0].last_seen == time
    assert (memory["spans"][:, 1] >= 0).sum() == 1


def test_what_is_measured():
    seen, _ = see([(30, 20, 24, 40, "red")], empty_memory(), (2.0, -1.0), "bird")
    thing = seen.things[0]
    np.testing.assert_allclose(thing.velocity, (2 / HEIGHT, -1 / HEIGHT), atol=1e-6)
    np.testing.assert_allclose(thing.centre, (42 / WIDTH, 40 / HEIGHT), atol=0.01)
    np.testing.assert_allclose(thing.area, 24 * 40 / (HEIGHT * WIDTH), atol=1e-6)
    np.testing.assert_allclose(thing.box, (30 / WIDTH, 20 / HEIGHT, 54 / WIDTH, 60 / HEIGHT), atol=1e-6)
    assert thing.categories[CATEGORIES.index("bird")] > 0.7
    assert thing.colours[BASIC_COLOURS.index("red")] > 0.8


def test_a_thing_that_comes_back_is_the_same():
    memory = empty_memory()
    box = (40, 20, 20, 30, "red")
    _, memory = see([box], memory)
    for _ in range(5):
        _, memory = see([], memory)
    seen, _ = see([box], memory)
    assert seen.things[0].first_seen == 0


def test_a_thing_is_forgotten_in_the_end():
    memory = empty_memory()
    box = (40, 20, 20, 30, "red")
    _, memory = see([box], memory)
    for _ in range(PATIENCE + 2):
        _, memory = see([], memory)
    seen, _ = see([box], memory)
    assert seen.things[0].first_seen == PATIENCE + 3


def test_two_things_do_not_share_a_slot():
    memory = empty_memory()
    for time in range(6):
        seen, memory = see([(5, 5 + 2 * time, 20, 20, "red"), (70, 40 - 2 * time, 30, 20, "blue")], memory)
    assert len(seen.things) == 2
    assert {int(item) for item in memory["owners"].unique()} == {0, 1, 2}
    larger, smaller = seen.things
    assert larger.colours.argmax() == BASIC_COLOURS.index("blue")
    assert smaller.colours.argmax() == BASIC_COLOURS.index("red")


def test_parts_side_by_side_are_one_thing():
    seen, _ = see([(30, 20, 20, 20, "red"), (30, 41, 20, 20, "red")], empty_memory())
    assert len(seen.things) == 1


def test_the_memory_does_not_grow():
    memory = empty_memory()
    _, memory = see([(4, 4, 8, 8, "red")], memory)
    sizes = {name: value.shape for name, value in memory.items()}
    for time in range(40):
        boxes = [(6 * ((time * 7 + 3 * one) % 18), 12 * (one % 6), 5, 6, "red") for one in range(25)]
        seen, memory = see(boxes, memory)
        assert len(seen.things) <= MAX_THINGS
    assert {name: value.shape for name, value in memory.items()} == sizes
    assert all(isinstance(value, torch.Tensor) for value in memory.values())


def test_the_sentence_chooses_by_colour():
    seen, _ = see([(5, 20, 25, 30, "red"), (70, 20, 25, 30, "blue")], empty_memory())
    masks, scores = answer(seen, [read_sentence("the red one"), read_sentence("a blue thing")])
    assert masks[0, 30, 15] and not masks[0, 30, 80]
    assert masks[1, 30, 80] and not masks[1, 30, 15]
    assert scores.min() > 0.5


def test_a_colour_that_is_not_there_is_absent():
    seen, _ = see([(5, 20, 25, 30, "red")], empty_memory())
    _, scores = answer(seen, [read_sentence("a green car"), read_sentence("the red car")])
    assert scores[0] < 0.5 < scores[1]


def test_another_category_is_absent():
    seen, _ = see([(5, 20, 25, 30, "red")], empty_memory(), category="person")
    _, scores = answer(seen, [read_sentence("a sailing boat"), read_sentence("a man")])
    assert scores[0] < 0.5 < scores[1]


def test_without_a_known_word_everything_is_meant():
    seen, _ = see([(5, 20, 25, 30, "red"), (70, 20, 25, 30, "blue")], empty_memory())
    chosen, score = pick(Request(unknown=("xyzzy",)), seen.things)
    assert chosen.all() and score == 1.0


def test_nothing_moves_nothing_is_found():
    seen, _ = see([], empty_memory())
    masks, scores = answer(seen, [read_sentence("a man")])
    assert not masks.any() and scores[0] == 0
