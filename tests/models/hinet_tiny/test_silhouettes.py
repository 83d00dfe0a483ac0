"""Outlines at one size, and a network that learns to tell them."""

import cv2
import numpy as np
import pytest
import torch

from deixis.models.hinet_tiny.criterion import _examples, silhouette_loss
from deixis.models.hinet_tiny.silhouettes import SIDE, SilhouetteNet, cut_out
from deixis.structures import Target

HEIGHT, WIDTH = 90, 140


def disc(x: int, y: int, radius: int) -> np.ndarray:
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.circle(mask, (x, y), radius, 1, -1)
    return mask > 0


def cross(x: int, y: int, radius: int) -> np.ndarray:
    mask = np.zeros((HEIGHT, WIDTH), bool)
    thin = max(radius // 4, 1)
    mask[y - radius : y + radius, x - thin : x + thin] = True
    mask[y - thin : y + thin, x - radius : x + radius] = True
    return mask


def noise(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)


def test_place_and_size_do_not_matter():
    small, large = (cut_out(noise(), disc(*place)) for place in ((20, 20, 12), (90, 45, 40)))
    assert small.shape == large.shape == (2, SIDE, SIDE)
    assert np.abs(small[0] - large[0]).mean() < 0.1


def test_light_does_not_matter():
    image = noise()
    dim = (image * 0.5 + 20).astype(np.uint8)
    bright, dark = (cut_out(one, disc(60, 40, 30))[1] for one in (image, dim))
    assert np.abs(bright - dark).mean() < 0.15


def test_what_is_around_does_not_matter():
    mask, image = disc(60, 40, 30), noise()
    other = np.where(mask[..., None], image, noise(1))
    inside = cut_out(image, mask)[0] > 0.99
    assert np.abs(cut_out(image, mask)[1] - cut_out(other, mask)[1])[~inside].max() < 3.1
    shades = [cut_out(one, mask)[1][cut_out(one, mask)[0] < -0.99] for one in (image, other)]
    assert not shades[0].any() and not shades[1].any()


@pytest.mark.parametrize("seed", range(20))
def test_disturbed_outlines_stay_within_bounds(seed: int):
    shown = cut_out(noise(), cross(60, 40, 20), np.random.default_rng(seed), is_exact=True)
    assert shown.shape == (2, SIDE, SIDE) and shown.dtype == np.float32
    assert np.isfinite(shown).all() and shown[0].min() >= -1.001 and shown[0].max() <= 1.001


def test_a_thing_at_the_border_can_be_cut_out():
    for mask in (disc(0, 0, 10), disc(WIDTH - 1, HEIGHT - 1, 30), np.ones((HEIGHT, WIDTH), bool)):
        assert np.isfinite(cut_out(noise(), mask)).all()


def test_it_learns_to_tell_outlines():
    torch.manual_seed(0)
    network = SilhouetteNet(2, (4, 8, 8))
    optimizer = torch.optim.Adam(network.parameters(), lr=3e-3)
    pixels = torch.from_numpy(noise())[None, None]
    generator = np.random.default_rng(0)
    losses = []
    for _ in range(60):
        radii = generator.integers(10, 20, 6)
        shapes = [(disc, cross)[one % 2](60, 40, int(radius)) for one, radius in enumerate(radii)]
        masks = torch.from_numpy(np.stack(shapes))[:, None]
        target = Target(masks, (0,), labels=torch.tensor([0, 1] * 3))
        loss = silhouette_loss(network, pixels, [target], nothing_found(pixels))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert np.mean(losses[-8:]) < 0.7 * np.mean(losses[:4])


def test_without_labels_there_is_nothing_to_learn():
    target = Target(torch.from_numpy(disc(60, 40, 30))[None, None], (0,))
    pixels = torch.from_numpy(noise())[None, None]
    assert silhouette_loss(SilhouetteNet(2), pixels, [target], nothing_found(pixels)).item() == 0


def test_what_was_found_is_an_example_of_the_object_that_it_shows():
    masks = np.stack((disc(30, 40, 15), disc(90, 40, 15)))
    found = disc(92, 40, 14) | disc(60, 70, 8)  # the second object, and something that is none
    examples = list(_examples(masks, found))
    assert [(thing, is_exact) for thing, _, is_exact in examples] == [(0, True), (1, True), (1, False)]
    assert np.array_equal(examples[2][1], disc(92, 40, 14))


def nothing_found(pixels: torch.Tensor) -> torch.Tensor:
    return torch.zeros(pixels.shape[:-1], dtype=torch.bool)
