"""Cost of a training clip: `python benchmarks/loader_speed.py [--mttr CHECKOUT] [--referformer CHECKOUT]`.

From files on disk to one clip, in CPU seconds of one process on one thread: what a process that loads data
does, to bytes with us and to normalised floats in the published code; and, with us, up to the same floats,
which training makes on its device. For the samplings of MTTR and ReferFormer on rendered videos in the
layouts of A2D-Sentences (320 x 480, 120 frames), Ref-YouTube-VOS (720 x 1280, 30 frames) and RefCOCO (stills
of 480 x 640), as single images and as pseudo-videos of five frames.

With the path of a checkout, the published loader reads the same files in the same run; what it imports and
this environment lacks is put in place: a ``read_video`` that decodes all frames with PyAV as torchvision's
did, and empty modules for what it does not call. The published pseudo-videos need the library imgaug; without
it ours alone are timed. Rendered frames are smoother than photographs: their files are smaller and decode
faster.

What has to be done for a clip, counted before anything was measured:

* A2D-Sentences: of 120 frames of 461 KB, 8 (MTTR) or 5 (ReferFormer) are wanted. The published loaders decode
  all and convert each to RGB: 55 MB written, and once more to stack them. Needed are the frames from the last
  key frame on (decoded, not converted) and 2 to 4 MB of RGB.
* Ref-YouTube-VOS: 5 or 12 JPEGs of 1280 x 720 are decoded to 2.8 MB each, and as many PNGs to 0.9 MB. The
  published ReferFormer then changes colours at full size in float32 (11 MB a frame, 8 passes or more, two of
  them conversions of colour space) and resizes to a quarter of the pixels and less; here frames are resized
  first. Masks are floats there (3.7 MB each) and bytes here.
* RefCOCO: one JPEG of 640 x 480 is decoded to 0.9 MB and brought to up to 800 x 600; for a pseudo-video four
  copies of it are bent, and a quarter of them blurred, before the five get the sizes and colours of a video.
"""

import argparse
import importlib.util
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import numpy as np
import torch

from deixis.recipes import RECIPES
from deixis.synthetic.benchmark import SceneRecords
from deixis.synthetic.scene import SceneSettings
from deixis.synthetic.write import export
from deixis.text.words import train_tokenizer
from deixis.training.sources import make_batches, open_sources

CASES = {
    "mttr-a2d-w8": "a2d-sentences",
    "mttr-ref-youtube-vos-w12": "ref-youtube-vos",
    "referformer-resnet50-a2d": "a2d-sentences",
    "referformer-resnet50-ref-youtube-vos": "ref-youtube-vos",
    "referformer-resnet50-refcoco": "refcoco",
    "referformer-resnet50-joint": "refcoco",
}
"""Recipe -> layout of its first source."""

STILLS_PER_VIDEO = 8

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def make_data(root: Path, num_videos: int) -> dict[str, Path]:
    """Render the videos once for each layout; only expressions with one referent, as the data sets have."""
    roots = {}
    for layout, settings in {
        "a2d-sentences": SceneSettings(size=(320, 480), length=120),
        "ref-youtube-vos": SceneSettings(size=(720, 1280), length=30),
        "refcoco": SceneSettings(size=(480, 640), length=2),
    }.items():
        count = num_videos * (STILLS_PER_VIDEO if layout == "refcoco" else 1)
        records = [
            replace(record, expressions=tuple(one for one in record.expressions if len(one.object_ids) == 1))
            for record in SceneRecords("train", settings, 7, count)
        ]
        roots[layout] = export(records, root / layout, layout, "train")
    return roots


def ours(recipe_name: str, root: Path, *, floats: bool = False) -> Callable[[int], Any]:
    """Return a function that loads the next clip, as bytes or as normalised ``floats``."""
    recipe = RECIPES[recipe_name]
    data = (replace(recipe.data[0], root=str(root), cache=""),)
    recipe = replace(recipe, data=data, batch_size=1, num_workers=0)
    sources = open_sources(recipe)
    tokenizer = train_tokenizer(one.text for record in sources[0].records for one in record.expressions)
    batches = make_batches(sources, recipe, tokenizer)
    return lambda _: next(batches).normalised(MEAN, STD) if floats else next(batches)


def published_mttr(checkout: Path, layout: str, root: Path) -> Callable[[int], Any]:
    """Return a function that loads a clip by MTTR's code."""
    sizes = {"short": 320, "max": 576} if layout == "a2d-sentences" else {"short": 360, "max": 640}
    options = {
        "horizontal_flip_augmentations": True,
        "resize_and_crop_augmentations": True,
        **{f"{stage}_{side}_size": size for stage in ("train", "eval") for side, size in sizes.items()},
    }
    with published_modules(checkout):
        if layout == "a2d-sentences":
            from datasets.a2d_sentences import a2d_sentences_dataset as module

            samples = single_frames(root)
            module.A2DSentencesDataset.get_text_annotations = staticmethod(lambda *_: samples)
            dataset = module.A2DSentencesDataset("train", str(root), window_size=8, **options)
        else:
            from datasets.refer_youtube_vos import refer_youtube_vos_dataset as module

            kind = module.ReferYouTubeVOSDataset
            dataset = kind.__new__(kind)  # its constructor insists on the 3,471 videos of the real set
            dataset.subset_type, dataset.window_size, dataset.device = "train", 12, "cpu"
            dataset.videos_dir = str(root / "train" / "JPEGImages")
            dataset.mask_annotations_dir = str(root / "train" / "Annotations")
            dataset.transforms = module.A2dSentencesTransforms("train", **options)
            videos = json.loads((root / "meta_expressions/train/meta_expressions.json").read_text())["videos"]
            dataset.samples_list = [
                sample
                for name, video in videos.items()
                for sample in kind.generate_train_video_samples(
                    name, video, 12, "train", dataset.mask_annotations_dir, "cpu"
                )
            ]
    return shuffled(dataset, len(getattr(dataset, "samples_list", None) or dataset.text_annotations))


def published_referformer(checkout: Path, layout: str, root: Path, *, video: bool) -> Callable[[int], Any]:
    """Return a function that loads a clip by ReferFormer's code, of images as a ``video``."""
    with published_modules(checkout):
        if layout == "refcoco":
            from datasets import refexp, refexp2seq

            path = root / "refcoco" / "instances_refcoco_train.json"
            path.write_text(json.dumps(converted_refcoco(root)))
            arguments = (root / "train2014", path)
            if video:
                change = refexp2seq.make_coco_transforms("train", max_size=640)
                dataset = refexp2seq.ModulatedDetection(*arguments, 5, change, True)
            else:
                change = refexp.make_coco_transforms("train", False)
                dataset = refexp.ModulatedDetection(*arguments, change, True)
            return shuffled(dataset, len(dataset))
        if layout == "a2d-sentences":
            from datasets import a2d as module

            path = root / "single_frame_train.json"
            path.write_text(json.dumps(single_frames(root)))
            change = module.make_coco_transforms("train", max_size=640)
            dataset = module.A2DSentencesDataset(root, path, change, True, 5, 3, "train")
        else:
            from datasets import ytvos as module

            module.category_dict = {"object": 0}
            path = root / "meta_expressions/train/meta_expressions.json"
            change = module.make_coco_transforms("train", max_size=640)
            dataset = module.YTVOSDataset(root / "train", path, change, True, 5, 3)
    return shuffled(dataset, len(dataset))


def converted_refcoco(root: Path) -> dict[str, list]:
    """Return RefCOCO as ReferFormer converts it: an image and an annotation for each sentence; polygons."""
    import cv2

    from deixis.data.refcoco import refcoco

    images, annotations = [], []
    for record in refcoco(root, "train"):
        height, width = record.size
        for one in record.expressions:
            (mask,) = record.masks.read([0], one.object_ids)[:, 0].astype(np.uint8)
            outlines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
            number = len(images) + 1
            about = {"caption": one.text, "dataset_name": "refcoco", "original_id": number}
            name = record.frames.path.name
            images.append({"id": number, "file_name": name, "height": height, "width": width, **about})
            annotations.append(
                {
                    "id": number,
                    "image_id": number,
                    "category_id": 1,
                    "segmentation": [line.ravel().tolist() for line in outlines if len(line) > 2],
                    "bbox": list(cv2.boundingRect(mask)),
                    "area": int(mask.sum()),
                    "iscrowd": 0,
                }
            )
    return {"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "object"}]}


def shuffled(dataset: Any, count: int) -> Callable[[int], Any]:
    order = np.random.default_rng(0).permutation(count)
    return lambda index: dataset[int(order[index % count])]


def single_frames(root: Path) -> list[tuple[str, str, int, int]]:
    """List (sentence, video, frame from 1, instance) of the pairs with a mask, as both projects ship it."""
    from deixis.data.a2d_sentences import records

    found = []
    for record in records(root, "train"):
        for one in record.expressions:
            for index in record.annotated_frames or ():
                if one.object_ids[0] in record.masks.instances(index):
                    found.append((one.text.lower(), record.name, index + 1, one.object_ids[0]))
    return found


@contextmanager
def published_modules(checkout: Path) -> Iterator[None]:
    """Import from ``checkout`` with today's libraries; its modules are forgotten afterwards."""
    import scipy.io  # noqa: F401  before ``np.bool`` is another: numpy.ma, which it imports, does not bear that
    import torchvision

    missing = ("pandas", "joblib")
    if not has_imgaug():
        missing += ("imgaug", "imgaug.augmenters", "imgaug.augmentables")
        missing += ("imgaug.augmentables.segmaps", "imgaug.augmentables.bbs")
    added = [name for name in missing if name not in sys.modules]
    sys.modules.update({name: MagicMock() for name in added})
    np.float, np.bool = float, bool  # type: ignore[misc]
    np.sctypes = {  # of old NumPys, for imgaug
        "float": [np.float32, np.float64],
        "int": [np.int8, np.int16, np.int32, np.int64],
        "uint": [np.uint8, np.uint16, np.uint32, np.uint64],
    }
    torchvision.io.read_video = read_whole_video
    torch.autograd.grad_mode.F = torch.nn.functional
    torchvision.ops.misc.interpolate = torch.nn.functional.interpolate
    sys.path.insert(0, str(checkout))
    try:
        yield
    finally:
        sys.path.remove(str(checkout))
        for name in [*sys.modules]:
            if name.partition(".")[0] in ("datasets", "util", "misc") or name in added:
                del sys.modules[name]


def has_imgaug() -> bool:
    """Tell whether the library that makes ReferFormer's pseudo-videos is installed."""
    return importlib.util.find_spec("imgaug") is not None


def read_whole_video(path: str, pts_unit: str = "sec") -> tuple[torch.Tensor, None, None]:
    """Decode all frames, as torchvision's ``read_video`` did."""
    import av

    with av.open(path) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    return torch.as_tensor(np.stack(frames)), None, None


def measure(load: Callable[[int], Any], clips: int, repeats: int) -> float:
    """Return the least CPU seconds of a clip over ``repeats`` runs, after one clip to warm up."""
    load(0)
    best = float("inf")
    for repeat in range(repeats):
        started = time.process_time()
        for index in range(clips):
            load(1 + repeat * clips + index)
        best = min(best, (time.process_time() - started) / clips)
    return best


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--mttr", type=Path, help="checkout of github.com/mttr2021/MTTR")
    parser.add_argument("--referformer", type=Path, help="checkout of github.com/wjn922/ReferFormer")
    parser.add_argument("--only", default="", help="recipes whose names hold this")
    parser.add_argument("--videos", type=int, default=2, help="rendered videos of each layout")
    parser.add_argument("--clips", type=int, default=16)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", action="store_true", help="print JSON in place of the table")
    return parser.parse_args()


def main() -> None:
    options = parse()
    torch.set_num_threads(1)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        roots = make_data(Path(folder), options.videos)
        for name, layout in CASES.items():
            if options.only not in name:
                continue
            load = ours(name, roots[layout])
            row: dict[str, Any] = {"recipe": name}
            row["ours_ms"] = 1000 * measure(load, options.clips, options.repeats)
            to_floats = ours(name, roots[layout], floats=True)
            row["ours_floats_ms"] = 1000 * measure(to_floats, options.clips, options.repeats)
            checkout = options.mttr if name.startswith("mttr") else options.referformer
            is_motion = name.endswith("-joint")
            if checkout is not None and (has_imgaug() or not is_motion):
                if name.startswith("mttr"):
                    published = published_mttr(checkout.resolve(), layout, roots[layout])
                else:
                    published = published_referformer(
                        checkout.resolve(), layout, roots[layout], video=is_motion
                    )
                row["published_ms"] = 1000 * measure(published, options.clips, options.repeats)
                row["ratio"] = row["published_ms"] / row["ours_ms"]
                row["ratio_floats"] = row["published_ms"] / row["ours_floats_ms"]
            rows.append(row)
    if options.json:
        print(json.dumps(rows, indent=2))
        return
    print(f"{'recipe':40} {'loader':>10} {'floats':>10} {'published':>10}  ratios")
    for row in rows:
        cells = [f"{row['recipe']:40} {row['ours_ms']:7.1f} ms {row['ours_floats_ms']:7.1f} ms"]
        if "ratio" in row:
            cells.append(f"{row['published_ms']:7.1f} ms  {row['ratio']:.2f} {row['ratio_floats']:.2f}")
        print(" ".join(cells))


if __name__ == "__main__":
    main()
