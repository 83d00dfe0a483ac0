import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deixis.models.hinet_tiny.colours import colour_shares, name_colours
from deixis.ops.lexicon import BASIC_COLOURS
from deixis.synthetic.attributes import COLOURS

GROUNDS = ((200, 200, 200), (90, 120, 60), (150, 130, 100), (120, 140, 170))
MASK = np.zeros((48, 64), bool)
MASK[15:30, 20:40] = True


def picture(
    colour: tuple[int, int, int], ground: tuple[int, int, int], light: float, seed: int = 0
) -> np.ndarray:
    rng = np.random.default_rng(seed)
    values = np.array(ground) * rng.uniform(0.5, 1.2, (*MASK.shape, 1))
    values[MASK] = colour
    return (values * light + rng.normal(0, 8, values.shape)).clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("name", COLOURS)
def test_the_colours_of_the_world_keep_their_names_in_other_light_and_noise(name: str):
    right = []
    for light in (0.6, 0.8, 1.0, 1.2):
        for ground in GROUNDS:
            shares = colour_shares(picture(COLOURS[name].main, ground, light), MASK)
            right.append(BASIC_COLOURS[int(shares.argmax())] == name)
    assert np.mean(right) >= 0.85


@pytest.mark.parametrize(
    ("colour", "name"),
    [
        ((255, 0, 0), "red"),
        ((0, 0, 128), "blue"),
        ((135, 206, 235), "blue"),
        ((128, 0, 128), "purple"),
        ((255, 192, 203), "pink"),
        ((90, 120, 60), "green"),
        ((139, 69, 19), "brown"),
        ((210, 180, 140), "brown"),
        ((255, 165, 0), "orange"),
        ((255, 215, 0), "yellow"),
        ((128, 128, 128), "grey"),
        ((20, 20, 20), "black"),
        ((250, 250, 250), "white"),
    ],
)
def test_well_known_colours(colour: tuple[int, int, int], name: str):
    names = name_colours(np.array([colour], float))[0]
    assert BASIC_COLOURS[int(names.argmax())] == name


@given(st.integers(0, 2**16), st.integers(1, 20), st.integers(1, 20))
@settings(max_examples=25, deadline=None)
def test_shares_sum_to_one_or_to_nothing(seed: int, height: int, width: int):
    rng = np.random.default_rng(seed)
    image = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    mask = rng.random((height, width)) < 0.3
    shares = colour_shares(image, mask)
    assert shares.dtype == np.float32
    assert shares.min() >= 0
    assert shares.sum() == pytest.approx(float(mask.any()), abs=1e-5)


def test_only_the_pixels_of_the_mask_are_named():
    image = np.full((10, 10, 3), (40, 160, 50), np.uint8)
    mask = np.zeros((10, 10), bool)
    mask[2:5, 2:5] = True
    image[mask] = (220, 30, 30)
    assert BASIC_COLOURS[int(colour_shares(image, mask).argmax())] == "red"
    assert BASIC_COLOURS[int(colour_shares(image, ~mask).argmax())] == "green"


def test_a_warm_cast_on_grey_things_is_allowed_for():
    image = np.full((40, 40, 3), (150, 150, 150), np.uint8)
    image[:5] = 245
    cast = (image * np.array([1.0, 0.95, 0.89])).astype(np.uint8)
    shares = colour_shares(cast, np.ones((40, 40), bool))
    assert shares[BASIC_COLOURS.index("grey")] + shares[BASIC_COLOURS.index("white")] > 0.8
