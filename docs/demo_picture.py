"""Make ``docs/demo.png`` from what ``make demo`` wrote: ``python docs/demo_picture.py [VIDEO]``."""

import sys
from pathlib import Path

import numpy as np
from PIL import Image

from deixis.video.sources import read_frames

NUM_FRAMES = 3
GAP = 6


def main(video: Path, picture: Path) -> None:
    """Put a few frames of ``video`` side by side."""
    frames = read_frames(video)
    chosen = frames[np.linspace(2, len(frames) - 3, NUM_FRAMES).astype(int)]  # n H W 3
    gap = np.full((frames.shape[1], GAP, 3), 255, np.uint8)
    strips = [strip for frame in chosen for strip in (frame, gap)][:-1]
    Image.fromarray(np.concatenate(strips, axis=1)).save(picture, optimize=True)


if __name__ == "__main__":
    main(
        Path(sys.argv[1] if len(sys.argv) > 1 else "out/demo/overlay.mp4"),
        Path(__file__).with_name("demo.png"),
    )
