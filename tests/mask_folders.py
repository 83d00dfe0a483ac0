"""Small folders of truth and predictions, as sound as a test wants them."""

import json
import zipfile

import numpy as np
from PIL import Image

FRAMES = tuple(f"{index:05d}" for index in range(0, 30, 5))
VIDEOS = {"bear": 2, "car-turn": 1}
"""Video -> number of objects."""
SIZE = (24, 40)


def label_map(video, index, shift=0):
    """Squares that move to the right, one an object; ``shift`` moves them down."""
    labels = np.zeros(SIZE, np.uint8)
    for label in range(1, VIDEOS[video] + 1):
        left = 2 + index + 14 * (label - 1)
        labels[4 + shift : 14 + shift, left : left + 9] = label
    return labels


def save(path, values):
    """Write a palette PNG."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(values)
    image.putpalette([min(255, 40 * n) for n in range(256) for _ in range(3)])
    image.save(path)


def write_labels(folder, shift=0):
    """Write ``VIDEO/FRAME.png`` for all videos."""
    for video in VIDEOS:
        for index, frame in enumerate(FRAMES):
            save(folder / video / f"{frame}.png", label_map(video, index, shift))
    return folder


def write_expressions(folder, shift=0):
    """Write ``VIDEO/EXPRESSION/FRAME.png``: numbered as by :func:`write_data_set`."""
    for video, num_objects in VIDEOS.items():
        for expression in range(2 * num_objects):
            for index, frame in enumerate(FRAMES):
                mask = label_map(video, index, shift) == expression // 2 + 1
                save(folder / video / str(expression) / f"{frame}.png", mask * np.uint8(255))
    return folder


def write_data_set(root, *, with_truth=True):
    """Write a plain data set: frames, label maps and two expressions an object."""
    videos = {}
    for video, num_objects in VIDEOS.items():
        expressions = {}
        for number in range(2 * num_objects):
            entry = {"exp": f"the {number}th thing", "kinds": ["motion" if number % 2 else "appearance"]}
            expressions[str(number)] = {**entry, "obj_id": str(number // 2 + 1)} if with_truth else entry
        videos[video] = {"expressions": expressions, "frames": list(FRAMES)}
        for index, frame in enumerate(FRAMES):
            path = root / "JPEGImages" / video / f"{frame}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.full((*SIZE, 3), 100 + index, np.uint8)).save(path)
    if with_truth:
        write_labels(root / "Annotations")
    (root / "meta_expressions.json").write_text(json.dumps({"videos": videos}))
    return root


def pack(folder, path, top=""):
    """Zip a folder, its files under ``top``."""
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.rglob("*.png")):
            archive.write(file, f"{top}{file.relative_to(folder).as_posix()}")
    return path
