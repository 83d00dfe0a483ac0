"""Miniature data sets written by hand, with the quirks of the real ones."""

import json
from pathlib import Path

import numpy as np
from PIL import Image

SIZE = (32, 48)
FRAMES = ("00000", "00005", "00015")


def frame(index: int, size: tuple[int, int] = SIZE) -> np.ndarray:
    """Draw a picture that tells its index: every pixel is (40 * index, y, x)."""
    y, x = np.mgrid[: size[0], : size[1]]
    return np.stack([np.full_like(y, 40 * index), y, x], axis=-1).astype(np.uint8)


def labels(index: int, size: tuple[int, int] = SIZE) -> np.ndarray:
    """Draw object 1 moving right; object 2 starts at the second frame; row 0 is void."""
    found = np.zeros(size, np.uint8)
    found[4:12, 4 + 3 * index : 14 + 3 * index] = 1
    if index:
        found[20:30, 30:40] = 2
    found[0] = 255
    return found


def write_frames(folder: Path, names=FRAMES, suffix: str = "png") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for index, name in enumerate(names):
        Image.fromarray(frame(index)).save(folder / f"{name}.{suffix}")


def write_masks(folder: Path, names=FRAMES) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for index, name in enumerate(names):
        image = Image.fromarray(labels(index))
        # Colours that an RGB reader would take for other ids.
        image.putpalette([channel for entry in range(256) for channel in (255 - entry, entry, 7)])
        image.save(folder / f"{name}.png")


def write_json(path: Path, content) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")


def video(*expressions, frames=FRAMES, **more) -> dict:
    """Give the metadata of a video; an expression is a text, or a text and an object id."""
    entries = {}
    for number, expression in enumerate(expressions):
        text, *object_id = (expression,) if isinstance(expression, str) else expression
        entries[str(number)] = {"exp": text, **({"obj_id": object_id[0]} if object_id else {})}
    return {"expressions": entries, "frames": list(frames), **more}


def write_ref_youtube_vos(root: Path) -> None:
    """Write a train split of two videos and a valid split that holds a video of test."""
    train = {"one": video(("a Cat", "1"), ("the dog, black", "2")), "two": video(("a cat", "1"))}
    write_json(root / "meta_expressions" / "train" / "meta_expressions.json", {"videos": train})
    objects = {name: {"objects": {"1": {"category": "cat"}, "2": {"category": "dog"}}} for name in train}
    write_json(root / "train" / "meta.json", {"videos": objects})
    for name in train:
        write_frames(root / "train" / "JPEGImages" / name, suffix="jpg" if name == "one" else "png")
        write_masks(root / "train" / "Annotations" / name)
    valid = {"three": video("a cat"), "four": video("a dog")}
    write_json(root / "meta_expressions" / "valid" / "meta_expressions.json", {"videos": valid})
    write_json(
        root / "meta_expressions" / "test" / "meta_expressions.json", {"videos": {"four": valid["four"]}}
    )
    for name in valid:
        write_frames(root / "valid" / "JPEGImages" / name)


def write_plain(root: Path) -> None:
    """Write a plain folder with several referents, an absent expression and attributes."""
    first = video(
        ("the left one", "1"), ("both", ["1", "2"]), absent=["a red car"], attributes=["OCC"], size=list(SIZE)
    )
    write_json(root / "meta_expressions.json", {"videos": {"clip": first}})
    write_frames(root / "JPEGImages" / "clip")
    write_masks(root / "Annotations" / "clip")


def write_davis(root: Path) -> None:
    """Write the official layout of a video with its four text files: Latin-1, misspelt, unordered."""
    base = root / "DAVIS"
    names = ("00000", "00001", "00002")
    write_frames(base / "JPEGImages" / "480p" / "classic-car", names)
    write_masks(base / "Annotations" / "480p" / "classic-car", names)
    (base / "ImageSets" / "2017").mkdir(parents=True)
    (base / "ImageSets" / "2017" / "val.txt").write_text("classic-car\n")
    texts = root / "davis_text_annotations"
    texts.mkdir()
    (texts / "Davis17_annot1.txt").write_text(
        'clasic-car 2 "a man"\nclasic-car 1 "a "red" car"\nother 1 "extra"\n', encoding="utf-8"
    )
    (texts / "Davis17_annot1_full_video.txt").write_text(
        'classic-car 1 "a car"\nclassic-car 2 "a driver"\n', encoding="utf-8"
    )
    (texts / "Davis17_annot2.txt").write_text(
        'classic-car 1 "a coup\xe9"\n\nclassic-car 2 unquoted\n', encoding="latin-1"
    )
    (texts / "Davis17_annot2_full_video.txt").write_text(
        'classic-car 1 "the car"\nclassic-car 2 "the man"\n', encoding="latin-1"
    )


def write_a2d(root: Path) -> None:
    """Write videos of A2D: a single-instance file, a missed video, a copied row, a comma in a sentence."""
    import h5py

    (root / "Release").mkdir(parents=True)
    (root / "Release" / "videoset.csv").write_text(
        "clip,11,0:00,0:01,32,48,6,2,1\nlost,11,0:00,0:01,32,48,6,2,1\nother,11,0:00,0:01,32,48,6,2,0\n"
    )
    texts = root / "text_annotations"
    texts.mkdir()
    (texts / "a2d_annotation.txt").write_text(
        'video_id,instance_id,query\nclip,0,"The man, in red"\nclip,1,a ball\n'
        "clip,1 (copy),a ball\nlost,0,x\n"
    )
    (texts / "a2d_missed_videos.txt").write_text("lost\n")
    folder = texts / "a2d_annotation_with_instances" / "clip"
    folder.mkdir(parents=True)
    for number, instances in ((2, [0.0, 1.0, 3.0]), (5, [1.0])):
        masks = np.stack([labels(number) == value for value in (1, 2, 255)][: len(instances)])
        turned = masks.swapaxes(1, 2).astype(np.uint8)
        with h5py.File(folder / f"{number:05d}.h5", "w") as file:
            file["instance"] = np.array(instances)
            file["reMask"] = turned[0] if len(instances) == 1 else turned
    write_video(root / "Release" / "CLIPS320" / "clip.mp4", 6)


def write_video(path: Path, num_frames: int, key_every: int = 4, size=SIZE) -> None:
    """Write a video whose frames are grey of 20 * index, with frames that are stored out of order."""
    import av

    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.height, stream.width, stream.pix_fmt = *size, "yuv420p"
        stream.options = {"crf": "1", "g": str(key_every), "bf": "2", "threads": "1"}
        for index in range(num_frames):
            grey = np.full((*size, 3), 20 * index % 250, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(grey, format="rgb24")))
        container.mux(stream.encode())
