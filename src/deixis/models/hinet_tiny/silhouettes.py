"""What a thing is, by its outline: the part of looks that rendered and real video share.

Each thing is cut out, brought to one size and shown as its mask and its shades of grey, evened out; colours
and textures of rendered things are not those of real ones, and are hidden often in training.

Axes: n things, k categories, s side of a cut-out, H W pixels of the frame.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import torch
from jaxtyping import Bool, Float, UInt8
from torch import Tensor, nn

from deixis.layers.convolution import ConvNorm

SIDE = 48
"""Pixels of a cut-out."""
MARGIN = 0.12
"""Around the thing, as a share of its longer side."""
MAX_SHADE = 3.0
"""Standard deviations."""
HIDDEN_RATE = 0.4
"""Share of the cut-outs of training whose shades are hidden."""
_LEAST_CONTRAST = 8.0


class SilhouetteNet(nn.Module):
    """Cut-outs to logits of categories; 0.4 M parameters, 9 MMAC each."""

    def __init__(self, num_categories: int, widths: Sequence[int] = (24, 48, 80, 112)) -> None:
        """Build with maps at a half, a quarter, ... of the size, of these ``widths``."""
        super().__init__()
        layers = [ConvNorm(2, widths[0], 5, stride=2)]
        for width, wider in pairwise(widths):
            layers += [ConvNorm(width, wider, 3), ConvNorm(wider, wider, 3, stride=2)]
        self.features = nn.Sequential(*layers)
        self.dropout = nn.Dropout(0.2)
        self.head = nn.Linear(2 * widths[-1], num_categories)

    def forward(self, cutouts: Float[Tensor, "n 2 s s"]) -> Float[Tensor, "n k"]:
        """Return the logits."""
        maps = self.features(cutouts)
        return self.head(self.dropout(torch.cat((maps.mean(dim=(2, 3)), maps.amax(dim=(2, 3))), dim=1)))


def cut_out(
    image: UInt8[np.ndarray, "H W 3"],
    mask: Bool[np.ndarray, "H W"],
    generator: np.random.Generator | None = None,
    is_exact: bool = False,
) -> Float[np.ndarray, "2 s s"]:
    """Return a thing at one size: its mask, -1 or 1, and its shades, 0 outside.

    Args:
        image: RGB.
        mask: of the thing; not empty.
        generator: disturbs the pose, as training wants it; None: not.
        is_exact: the mask is a true one, whose outline training spoils, too.
    """
    import cv2

    place = _placement(mask, generator)
    outline = cv2.warpAffine(mask.astype(np.float32), place, (SIDE, SIDE), flags=cv2.INTER_LINEAR)
    grey = cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2GRAY)
    shades = cv2.warpAffine(grey, place, (SIDE, SIDE), borderMode=cv2.BORDER_REPLICATE).astype(np.float32)
    if generator is not None and is_exact:
        outline = _disturb(outline, generator)
    weight = max(float(outline.sum()), 1.0)
    mean = float((shades * outline).sum()) / weight
    contrast = np.sqrt(float((np.square(shades - mean) * outline).sum()) / weight) + _LEAST_CONTRAST
    shades = np.clip((shades - mean) / contrast, -MAX_SHADE, MAX_SHADE) * outline
    if generator is not None and generator.random() < HIDDEN_RATE:
        shades = np.zeros_like(shades)
    return np.stack((2 * outline - 1, shades)).astype(np.float32)


def _placement(
    mask: Bool[np.ndarray, "H W"], generator: np.random.Generator | None
) -> Float[np.ndarray, "2 3"]:
    """Return the affine map from the frame to the cut-out; a random one turns, shifts, scales and mirrors."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    height, width = rows[-1] + 1 - rows[0], columns[-1] + 1 - columns[0]
    scale = SIDE / (max(height, width) * (1 + 2 * MARGIN))
    matrix, shift = np.eye(2) * scale, np.zeros(2)
    if generator is not None:
        angle, larger = generator.normal(0, 0.12), generator.uniform(0.75, 1.2)
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        wider = generator.uniform(0.8, 1.25) * generator.choice((-1, 1))
        matrix, shift = larger * turn @ np.diag((wider, 1.0)) * scale, generator.uniform(-4, 4, 2)
    centre = np.array([columns[0] + width / 2, rows[0] + height / 2])
    return np.hstack((matrix, (SIDE / 2 + shift - matrix @ centre)[:, None]))


def _disturb(outline: Float[np.ndarray, "s s"], generator: np.random.Generator) -> Float[np.ndarray, "s s"]:
    """Spoil an outline as a mask that was found is spoiled: wobbly, fat, thin, with holes, cut off."""
    import cv2

    if generator.random() < 0.7:
        coarse = generator.normal(0, generator.uniform(0.4, 3.0), (2, 9, 9)).astype(np.float32)
        shifts = [cv2.resize(one, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC) for one in coarse]
        y, x = np.mgrid[:SIDE, :SIDE].astype(np.float32)
        outline = cv2.remap(outline, x + shifts[0], y + shifts[1], cv2.INTER_LINEAR)
    change = int(generator.integers(4))
    if change < 2:
        kernel = np.ones((int(generator.integers(2, 4)),) * 2, np.uint8)
        outline = (cv2.dilate, cv2.erode)[change](outline, kernel)
    if generator.random() < 0.3:
        for _ in range(generator.integers(1, 4)):
            centre, axes = generator.integers(0, SIDE, 2).tolist(), generator.integers(2, 8, 2).tolist()
            value = 1.0 if generator.random() < 0.4 else 0.0
            cv2.ellipse(outline, centre, axes, generator.uniform(0, 180), 0, 360, value, -1)
    if generator.random() < 0.15:
        gone = int(generator.uniform(0.05, 0.4) * SIDE)
        side = np.rot90(outline, int(generator.integers(4)))
        side[:gone] = 0
    return outline
