import cv2
import numpy as np
import torch

from deixis.losses.box_supervision import colour_similarity, pairwise_loss, projection_loss, to_lab

BOX = torch.zeros(1, 6, 8, dtype=torch.bool)
BOX[:, 1:4, 2:7] = True


def test_colours_are_those_of_opencv():
    colours = np.random.default_rng(0).uniform(0, 1, (5, 7, 3)).astype(np.float32)
    expected = cv2.cvtColor(colours, cv2.COLOR_RGB2LAB)
    found = to_lab(torch.from_numpy(colours).permute(2, 0, 1)[None])[0].permute(1, 2, 0).numpy()
    np.testing.assert_allclose(found, expected, atol=0.3)  # OpenCV's cube root is an approximation


def test_neighbours_of_one_colour_are_alike_and_padding_is_like_nothing():
    images = torch.zeros(1, 3, 24, 40)
    images[..., 20:] = 200
    is_valid = torch.ones(1, 6, 10, dtype=torch.bool)
    is_valid[:, 4:] = False
    similarity = colour_similarity(images, is_valid)
    assert similarity.shape == (1, 8, 6, 10)
    assert similarity[0, 4, 1, 2] == 1  # the neighbour two cells to the right
    assert similarity[0, 4, 1, 3] < 1e-6
    assert similarity[0, 6, 2, 1] == 0  # two cells below is padding


def test_a_mask_has_to_reach_all_sides_of_its_box():
    full = torch.where(BOX, 20.0, -20.0)
    cross = torch.full((1, 6, 8), -20.0)
    cross[:, 2, 2:7] = cross[:, 1:4, 4] = 20.0
    assert projection_loss(full, BOX) < 1e-4
    assert projection_loss(cross, BOX) < 1e-4  # its shape is not told
    cross[:, :, 6] = -20.0
    assert projection_loss(cross, BOX) > 0.05


def test_like_neighbours_have_to_be_on_one_side():
    similarity = torch.ones(1, 8, 6, 8)
    whole = torch.full((1, 6, 8), 20.0)
    split = whole.clone()
    split[..., 4:] = -20.0
    inner = torch.zeros_like(BOX)
    inner[:, 2:4, 2:6] = True
    assert pairwise_loss(whole, inner, similarity) < 1e-4
    assert pairwise_loss(split, inner, similarity) > 1
    assert pairwise_loss(split, inner, 0.1 * similarity) == 0
