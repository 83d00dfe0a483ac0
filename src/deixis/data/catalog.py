"""The table of data sets: which module reads them, what they look like on disk, where they come from."""

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from deixis.data.records import VideoRecord
from deixis.errors import DatasetError, MissingSplitError, UnknownNameError


@dataclass(frozen=True, kw_only=True)
class Counts:
    """Numbers of a split as published; None where nobody tells.

    Attributes:
        videos: or images, for data sets of images.
        expressions: sentences.
        objects: annotated objects, over all videos.
        frames: over all videos.
        release: the version that they are of, where there are several.
        unsure: names of the fields that are commonly reported but not published by the authors.
    """

    videos: int | None = None
    expressions: int | None = None
    objects: int | None = None
    frames: int | None = None
    release: str = ""
    unsure: tuple[str, ...] = ()

    def numbers(self) -> dict[str, int]:
        """Return the fields that are told, in the order above."""
        fields = {
            "videos": self.videos,
            "expressions": self.expressions,
            "objects": self.objects,
            "frames": self.frames,
        }
        return {name: value for name, value in fields.items() if value is not None}


@dataclass(frozen=True, kw_only=True)
class DatasetEntry:
    """What is known of a data set before it is read.

    Attributes:
        module: has ``records(root, split)`` and, in its docstring, the layouts that it reads. It may have
            ``findings(record)`` and ``split_findings(root, split, records)``, which yield what only it can
            know to be wrong (see ``data/check.py``).
        splits: their names with us, whatever the folders are called.
        evaluated: the split that results are reported on.
        source: where to get it.
        licence: on what terms.
        counts: split -> published numbers, one for each release.
        reads: the function of ``module`` that gives the records.
        has_expressions: False where videos may come without sentences.
        unit: what a record is: "videos", "images" or "classes".
        needs: what has to be unpacked, in a few words.
    """

    module: str
    splits: tuple[str, ...]
    evaluated: str
    source: str
    licence: str
    counts: Mapping[str, tuple[Counts, ...]] = field(default_factory=dict)
    reads: str = "records"
    has_expressions: bool = True
    unit: str = "videos"
    needs: str = ""

    @property
    def layout(self) -> str:
        """The layouts on disk, as the docstring of the module tells them."""
        return (importlib.import_module(self.module).__doc__ or "").strip()


_REFCOCO_LICENCE = "not stated for the expressions; images of COCO under the terms of Flickr"


def _referred(
    images: int | None, objects: int, sentences: int, *, is_published: bool = True
) -> tuple[Counts, ...]:
    """Give the numbers of a split of RefCOCO; those of images are nowhere published."""
    unsure = ("videos",) if is_published else ("videos", "expressions")
    return (Counts(videos=images, expressions=sentences, objects=objects, unsure=unsure),)


DATASETS: Mapping[str, DatasetEntry] = {
    "ref-youtube-vos": DatasetEntry(
        module="deixis.data.ref_youtube_vos",
        splits=("train", "val", "test"),
        evaluated="val",
        source="links in the issues of github.com/skynbe/Refer-Youtube-VOS (its server is closed)",
        licence="annotations CC BY 4.0; videos from YouTube, for research",
        needs="train.zip, valid.zip, meta_expressions.zip, meta_expressions_test.zip",
        counts={
            "train": (Counts(videos=3471, expressions=12913, objects=6459),),
            "val": (Counts(videos=202, expressions=834, unsure=("expressions",)),),
            "test": (Counts(videos=305, expressions=1262, unsure=("expressions",)),),
        },
    ),
    "ref-davis17": DatasetEntry(
        module="deixis.data.ref_davis17",
        splits=("train", "val"),
        evaluated="val",
        source="davischallenge.org (DAVIS-2017 trainval, 480p), davis_text_annotations.zip of Khoreva et al.",
        licence="data CC BY-NC 4.0; expressions for research",
        needs="DAVIS-2017-trainval-480p.zip and davis_text_annotations.zip side by side, or a converted copy",
        counts={
            "train": (Counts(videos=60, expressions=576, frames=4209, unsure=("expressions",)),),
            "val": (Counts(videos=30, expressions=244, objects=61, frames=1999),),
        },
    ),
    "a2d-sentences": DatasetEntry(
        module="deixis.data.a2d_sentences",
        splits=("train", "test"),
        evaluated="test",
        source="web.eecs.umich.edu/~jjcorso/r/a2d, kgavrilyuk.github.io/publication/actor_action",
        licence="A2D for research; no licence stated for the sentences",
        needs="the A2D release (Release/) and the text annotations of Gavrilyuk et al.",
        counts={
            "train": (Counts(videos=3017, expressions=5359),),
            "test": (Counts(videos=737, expressions=1295),),
        },
    ),
    "youtube-vos-2018": DatasetEntry(
        module="deixis.data.youtube_vos",
        splits=("train", "val", "test"),
        evaluated="val",
        source="youtube-vos.org (YouTube-VOS 2018)",
        licence="annotations CC BY 4.0; videos from YouTube, for research",
        needs="train.zip, valid.zip, test.zip of the 2018 release",
        has_expressions=False,
        counts={
            "train": (Counts(videos=3471, objects=5945),),
            "val": (Counts(videos=474, objects=894),),
            "test": (Counts(videos=508, objects=915),),
        },
    ),
    "youtube-vos-2019": DatasetEntry(
        module="deixis.data.youtube_vos",
        splits=("train", "val", "test"),
        evaluated="val",
        source="youtube-vos.org (YouTube-VOS 2019)",
        licence="annotations CC BY 4.0; videos from YouTube, for research",
        needs="train.zip, valid.zip, test.zip of the 2019 release",
        has_expressions=False,
        counts={
            "train": (Counts(videos=3471, objects=6459),),
            "val": (Counts(videos=507, objects=1063),),
            "test": (Counts(videos=541, objects=1092, unsure=("objects",)),),
        },
    ),
    "davis16": DatasetEntry(
        module="deixis.data.davis16",
        splits=("train", "val"),
        evaluated="val",
        source="davischallenge.org (DAVIS-data.zip of 2016, or DAVIS-2017 trainval)",
        licence="data CC BY-NC 4.0; expressions for research",
        needs="DAVIS-data.zip or DAVIS-2017-trainval-480p.zip; davis_text_annotations.zip for expressions",
        has_expressions=False,
        counts={
            "train": (Counts(videos=30, frames=2079),),
            "val": (Counts(videos=20, frames=1376),),
        },
    ),
    "davis17": DatasetEntry(
        module="deixis.data.davis17",
        splits=("train", "val", "test"),
        evaluated="val",
        source="davischallenge.org (DAVIS-2017, 480p)",
        licence="data CC BY-NC 4.0",
        needs="DAVIS-2017-trainval-480p.zip; DAVIS-2017-test-dev-480p.zip for test",
        has_expressions=False,
        counts={
            "train": (Counts(videos=60, objects=144, frames=4209, unsure=("objects",)),),
            "val": (Counts(videos=30, objects=61, frames=1999),),
            "test": (Counts(videos=30, objects=89, frames=2086, unsure=("objects",)),),
        },
    ),
    "davis17-unsupervised": DatasetEntry(
        module="deixis.data.davis17",
        reads="unsupervised_records",
        splits=("train", "val"),
        evaluated="val",
        source="davischallenge.org (DAVIS-2017 Unsupervised, 480p)",
        licence="data CC BY-NC 4.0",
        needs="DAVIS-2017-Unsupervised-trainval-480p.zip",
        has_expressions=False,
        counts={
            "train": (Counts(videos=60, frames=4209),),
            "val": (Counts(videos=30, objects=66, frames=1999, unsure=("objects",)),),
        },
    ),
    "mevis": DatasetEntry(
        module="deixis.data.mevis",
        splits=("train", "val-u", "val"),
        evaluated="val-u",
        source="henghuiding.github.io/MeViS (v1 and v2)",
        licence="CC BY-NC-SA 4.0",
        needs="the folders train, valid_u and valid, the first two with mask_dict.json",
        counts={
            "train": (
                Counts(videos=1662, expressions=23051, release="v1"),
                Counts(videos=1662, expressions=27502, release="v2"),
            ),
            "val-u": (
                Counts(videos=50, expressions=793, release="v1"),
                Counts(videos=50, expressions=907, release="v2"),
            ),
            "val": (
                Counts(videos=140, expressions=2236, release="v1"),
                Counts(videos=140, expressions=2523, release="v2"),
            ),
        },
    ),
    "lvos": DatasetEntry(
        module="deixis.data.lvos",
        splits=("train", "val", "test"),
        evaluated="val",
        source="lingyihongfd.github.io/lvos.github.io (V1 and V2)",
        licence="annotations CC BY 4.0; data for non-commercial research",
        needs="train.zip, valid.zip, test.zip with their meta files",
        has_expressions=False,
        counts={
            "train": (Counts(videos=120, release="V1"), Counts(videos=420, release="V2")),
            "val": (Counts(videos=50, release="V1"), Counts(videos=140, release="V2")),
            "test": (Counts(videos=50, release="V1"), Counts(videos=160, release="V2")),
        },
    ),
    "ovis": DatasetEntry(
        module="deixis.data.ovis",
        splits=("train", "val", "test"),
        evaluated="train",
        source="songbai.site/ovis",
        licence="CC BY-NC-SA 4.0",
        needs="train.zip, valid.zip, test.zip, annotations_{train,valid,test}.json",
        has_expressions=False,
        counts={
            "train": (Counts(videos=607, unsure=("videos",)),),
            "val": (Counts(videos=140, unsure=("videos",)),),
            "test": (Counts(videos=154, unsure=("videos",)),),
        },
    ),
    "jhmdb-sentences": DatasetEntry(
        module="deixis.data.jhmdb_sentences",
        splits=("test",),
        evaluated="test",
        source="jhmdb.is.tue.mpg.de, kgavrilyuk.github.io/publication/actor_action (hosts are often down)",
        licence="JHMDB for research; no licence stated for the sentences",
        needs="Rename_Images and puppet_mask of JHMDB, jhmdb_annotation.txt of Gavrilyuk et al.",
        counts={"test": (Counts(videos=928, expressions=928),)},
    ),
    "refcoco": DatasetEntry(
        module="deixis.data.refcoco",
        splits=("train", "val", "testA", "testB"),
        evaluated="val",
        source="github.com/lichengunc/refer (its server is broken: mirrors in issue 14), cocodataset.org",
        licence=_REFCOCO_LICENCE,
        needs="refcoco.zip and train2014.zip of COCO, or a converted copy",
        unit="images",
        counts={
            "train": _referred(16994, 42404, 120624),
            "val": _referred(1500, 3811, 10834),
            "testA": _referred(750, 1975, 5657),
            "testB": _referred(750, 1810, 5095),
        },
    ),
    "refcoco+": DatasetEntry(
        module="deixis.data.refcoco",
        reads="refcoco_plus",
        splits=("train", "val", "testA", "testB"),
        evaluated="val",
        source="github.com/lichengunc/refer (its server is broken: mirrors in issue 14), cocodataset.org",
        licence=_REFCOCO_LICENCE,
        needs="refcoco+.zip and train2014.zip of COCO, or a converted copy",
        unit="images",
        counts={
            "train": _referred(16992, 42278, 120191, is_published=False),
            "val": _referred(1500, 3805, 10758, is_published=False),
            "testA": _referred(750, 1975, 5726, is_published=False),
            "testB": _referred(750, 1798, 4889, is_published=False),
        },
    ),
    "refcocog": DatasetEntry(
        module="deixis.data.refcoco",
        reads="refcocog",
        splits=("train", "val", "test"),
        evaluated="val",
        source="github.com/lichengunc/refer (its server is broken: mirrors in issue 14), cocodataset.org",
        licence=_REFCOCO_LICENCE,
        needs="refcocog.zip with refs(umd).p and train2014.zip of COCO, or a converted copy",
        unit="images",
        counts={
            "train": _referred(21899, 42226, 80512, is_published=False),
            "val": _referred(1300, 2573, 4896, is_published=False),
            "test": _referred(2600, 5023, 9602, is_published=False),
        },
    ),
    "refcocog-google": DatasetEntry(
        module="deixis.data.refcoco",
        reads="refcocog_google",
        splits=("train", "val"),
        evaluated="val",
        source="github.com/lichengunc/refer (its server is broken: mirrors in issue 14), cocodataset.org",
        licence=_REFCOCO_LICENCE,
        needs="refcocog.zip with refs(google).p and train2014.zip of COCO",
        unit="images",
        counts={
            "train": _referred(None, 44822, 85474, is_published=False),
            "val": _referred(None, 5000, 9536, is_published=False),
        },
    ),
    "visual-genome": DatasetEntry(
        module="deixis.data.visual_genome",
        splits=("train",),
        evaluated="train",
        source="homes.cs.washington.edu/~ranjay/visualgenome",
        licence="CC BY 4.0",
        needs="images.zip, images2.zip, region_descriptions.json.zip, image_data.json.zip; boxes, no masks",
        unit="images",
        counts={"train": (Counts(videos=108077),)},
    ),
    "coco": DatasetEntry(
        module="deixis.data.coco",
        splits=("train", "val"),
        evaluated="val",
        source="cocodataset.org",
        licence="annotations CC BY 4.0; images under the terms of Flickr",
        needs="annotations_trainval2017.zip, train2017.zip, val2017.zip; or those of 2014",
        unit="images",
        counts={"train": (Counts(videos=117266, unsure=("videos",)),)},
    ),
    "fss-1000": DatasetEntry(
        module="deixis.data.fss_1000",
        splits=("train", "val", "test"),
        evaluated="val",
        source="github.com/HKUSTCV/FSS-1000; lists of classes: github.com/juhongm999/hsnet, data/splits/fss",
        licence="not stated",
        needs="fewshot_data.zip, and trn.txt, val.txt, test.txt with the classes of the splits in splits/",
        has_expressions=False,
        unit="classes",
        counts={
            "train": (Counts(videos=520, frames=5200),),
            "val": (Counts(videos=240, frames=2400),),
            "test": (Counts(videos=240, frames=2400),),
        },
    ),
    "folder": DatasetEntry(
        module="deixis.data.folder",
        splits=("train", "val", "test"),
        evaluated="val",
        source="one's own data",
        licence="one's own",
        needs="dataset.json, and the frames or videos that it names",
    ),
}
"""Name -> entry. To add one: a module of this folder with ``records``, and a line here."""


def find_dataset(name: str, others: Sequence[str] = ()) -> DatasetEntry:
    """Return the entry of a data set; ``others`` are names that the caller takes besides.

    Raises:
        UnknownNameError: there is none of that name; the closest are offered.
    """
    if name not in DATASETS:
        raise UnknownNameError("data set", name, (*DATASETS, *others))
    return DATASETS[name]


def load_records(name: str, root: str | Path, split: str | None = None) -> Sequence[VideoRecord]:
    """Return the records of a split (by default the one that results are reported on).

    Raises:
        UnknownNameError: there is no such data set or split.
        MissingSplitError: the split is not there, or has no videos.
        DatasetError: files are missing or malformed.
    """
    entry = find_dataset(name)
    split = entry.evaluated if split is None else split
    if not Path(root).is_dir():
        raise DatasetError(f"there is no folder {root}; give the root folder of {name}")
    found = getattr(importlib.import_module(entry.module), entry.reads)(root, split)
    if not found:
        raise MissingSplitError(f"{name} in {root} has no {entry.unit} in the split {split!r}")
    return found
