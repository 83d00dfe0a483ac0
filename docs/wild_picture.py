"""Make ``docs/wild.png``, a sheet of clips of the wild world: ``python docs/wild_picture.py [PICTURE]``."""

import sys
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from deixis.synthetic.wild.benchmark import wild_records

COLUMNS, ROWS, GAP = 5, 6, 4
SIZE = (128, 227)
"""Height and width of one picture."""
MOVER, STILL = (255, 40, 40), (60, 120, 255)
"""Outlines of what moves and of what does not."""


def tile(index: int) -> np.ndarray:
    """Return the middle frame of clip ``index`` of train, outlined, reduced: ``uint8 [h, w, 3]``."""
    record = wild_records("train")[index]
    frame = record.frames.read([1])[0].copy()
    masks = record.masks.read([1], record.object_ids)[:, 0]
    movers = record.expressions[0].object_ids
    for number, mask in zip(record.object_ids, masks, strict=True):
        outlines, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(frame, outlines, -1, MOVER if number in movers else STILL, 1)
    return cv2.resize(frame, SIZE[::-1], interpolation=cv2.INTER_AREA)


def main(picture: Path) -> None:
    """Put the first clips of train side by side, with outlines."""
    sheet = np.full((ROWS * (SIZE[0] + GAP) - GAP, COLUMNS * (SIZE[1] + GAP) - GAP, 3), 255, np.uint8)
    for index in range(ROWS * COLUMNS):
        y, x = (index // COLUMNS) * (SIZE[0] + GAP), (index % COLUMNS) * (SIZE[1] + GAP)
        sheet[y : y + SIZE[0], x : x + SIZE[1]] = tile(index)
    # A palette keeps noise cheap: the picture is for looking at.
    Image.fromarray(sheet).quantize(256, dither=Image.Dither.NONE).save(picture, optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_name("wild.png"))
