"""Masks drawn on a frame: a tint and a smooth outline in the colour of each expression, and a legend."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, UInt8
from PIL import Image, ImageFilter

from deixis.video.legend import Legend
from deixis.video.palette import Colour, overlay_colour
from deixis.video.results import mask_box

# A straight edge becomes a ramp of 2 thickness + 1 pixels under the blur. Its middle third is the line, which
# fades out over the next sixth on either side.
_LINE = [max(0, min(255, round(255 * (2.1 - 6.4 * abs(value / 255 - 0.5))))) for value in range(256)]


def draw(
    image: UInt8[np.ndarray, "H W 3"],
    masks: Bool[np.ndarray, "e H W"],
    *,
    colours: Sequence[Colour] | None = None,
    alpha: float = 0.45,
    outline: float | None = None,
    legend: Legend | None = None,
) -> UInt8[np.ndarray, "H W 3"]:
    """Return a copy of ``image`` with ``masks`` drawn on it, later ones over earlier ones.

    Args:
        image: RGB.
        masks: one an expression.
        colours: one an expression; None: :func:`~deixis.video.palette.overlay_colour`.
        alpha: strength of the tint in [0, 1].
        outline: width of the outline in pixels; 0: none; None: in proportion to the frame.
        legend: what is written into the corner.
    """
    height, width = image.shape[:2]
    colours = [overlay_colour(number) for number in range(len(masks))] if colours is None else colours
    outline = max(1.5, min(height, width) / 240) if outline is None else outline
    canvas = Image.fromarray(image)
    boxes = [mask_box(mask) for mask in masks]
    for mask, box, colour in zip(masks, boxes, colours, strict=True):
        if box is not None:
            left, top, box_width, box_height = box
            inside = mask[top : top + box_height, left : left + box_width]
            strength = Image.fromarray(inside.astype(np.uint8) * np.uint8(round(255 * alpha)))
            canvas.paste(colour, (left, top), strength)
    if outline > 0:
        for mask, box, colour in zip(masks, boxes, colours, strict=True):
            if box is not None:
                _draw_outline(canvas, mask, box, colour, outline)
    if legend is not None:
        legend.paste_on(canvas, boxes)
    return np.array(canvas)


def side_by_side(
    left: UInt8[np.ndarray, "H W 3"], right: UInt8[np.ndarray, "H W 3"]
) -> UInt8[np.ndarray, "H _W 3"]:
    """Put the frame as it was beside the frame as drawn."""
    return np.concatenate([left, right], axis=1)


def _draw_outline(
    canvas: Image.Image,
    mask: Bool[np.ndarray, "H W"],
    box: tuple[int, int, int, int],
    colour: Colour,
    thickness: float,
) -> None:
    """Blur the mask: halfway between outside and inside runs the edge, smoother than the mask's steps."""
    height, width = mask.shape
    margin = int(thickness) + 3
    left, top = max(0, box[0] - margin), max(0, box[1] - margin)
    right, bottom = min(width, box[0] + box[2] + margin), min(height, box[1] + box[3] + margin)
    blurred = Image.fromarray(mask[top:bottom, left:right].astype(np.uint8) * np.uint8(255)).filter(
        ImageFilter.BoxBlur(thickness)
    )
    canvas.paste(colour, (left, top), blurred.point(_LINE))
