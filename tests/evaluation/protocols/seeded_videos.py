"""Label map videos from a seeded generator: the same pixels on every machine, for figures on record."""

import hashlib

import numpy as np

VIDEOS = {"brook": (72, 131, 9, 2), "crane": (61, 96, 6, 3), "dune": (97, 128, 5, 1), "elm": (48, 65, 11, 4)}
"""Name -> height, width, frames, annotated objects."""

NUM_PROPOSALS = 6


def draw_video(name: str) -> dict[str, np.ndarray]:
    """Return ``truth`` (void is 255), ``by_id`` and ``proposals``, each uint8 [t, H, W].

    The first frame of the truth has the highest id. In ``by_id`` objects lie near their truth and some are
    lost; ``proposals`` has the objects under other ids, in pieces, and proposals of nothing. Whole numbers
    only, so that no rounding of a platform changes a pixel.
    """
    height, width, num_frames, num_objects = VIDEOS[name]
    generator = np.random.Generator(np.random.PCG64(sum(name.encode())))
    rows, columns = np.mgrid[:height, :width].astype(np.int64)
    places = generator.integers(0, 1000, (num_objects, 2)) * (height, width) // 1000
    radii = generator.integers(6, 24, (num_objects, 2))
    steps = generator.integers(-3, 4, (num_objects, 2))
    names = generator.permutation(NUM_PROPOSALS)[:num_objects] + 1
    maps = {key: np.zeros((num_frames, height, width), np.uint8) for key in ("truth", "by_id", "proposals")}
    for frame in range(num_frames):
        for number in range(num_objects):
            (y, x), (a, b) = (places[number] + frame * steps[number]) % (height, width), radii[number]
            shape = (rows - y) ** 2 * b * b + (columns - x) ** 2 * a * a <= (a * b) ** 2
            if frame == 0 or generator.integers(0, 6):
                maps["truth"][frame][shape] = number + 1
            moved = np.roll(shape, tuple(int(s) for s in generator.integers(-4, 5, 2)), axis=(0, 1))
            if generator.integers(0, 5):
                maps["by_id"][frame][moved] = number + 1
                maps["proposals"][frame][moved] = names[number]
                # A piece of it goes to another proposal.
                maps["proposals"][frame][moved & (columns > x + b // 2)] = names[number] % NUM_PROPOSALS + 1
        if frame == 0:
            maps["truth"][0, height // 2, width // 2] = num_objects
        if generator.integers(0, 2):
            y = int(generator.integers(0, height))
            maps["truth"][frame, y : y + 7] = 255
            maps["truth"][frame, 0, 0] = num_objects if frame == 0 else 255
    return maps


def digest(maps: dict[str, np.ndarray]) -> str:
    """Return a hash of what was drawn."""
    return hashlib.sha256(b"".join(maps[key].tobytes() for key in sorted(maps))).hexdigest()


def targets(name: str) -> dict[str, tuple[tuple[int, ...], tuple[int, ...]]]:
    """Return expression -> ids of the truth, ids of ``by_id`` that answer it."""
    last = VIDEOS[name][3]
    return {
        "0": ((1,), (1,)),
        "1": ((last,), (last,)),
        "2": ((1, last), tuple(range(1, last + 1))),
        "3": ((), ()),
        "4": ((), (1,)),
        "5": ((1,), ()),
    }


def ranges(name: str) -> dict[str, dict[str, int]]:
    """Return object -> range of its frames in LVOS's form: frame i of the video is LVOS frame 1 + 5 i."""
    num_frames, num_objects = VIDEOS[name][2:]
    found = {}
    for label in range(1, num_objects + 1):
        first = min(label - 1, num_frames - 3)
        found[str(label)] = {
            "start": 1 + 5 * first,
            "end": 1 + 5 * num_frames,
            "frame_nums": num_frames - first,
        }
    return found
