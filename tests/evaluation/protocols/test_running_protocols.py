"""Files, processes and refusals, the same for all protocols."""

import tracemalloc
import zipfile
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from seeded_videos import VIDEOS, draw_video
from stored_masks import ArrayLabels

from deixis.data.readers import LabelFolder
from deixis.data.records import Expression, ObjectInfo, VideoRecord
from deixis.errors import DatasetError
from deixis.evaluation.files import open_files
from deixis.evaluation.protocols.base import Options, VideoTruth
from deixis.evaluation.protocols.run import score_videos
from deixis.evaluation.protocols.sources import (
    PredictedArrays,
    predicted_videos,
    truth_of_folder,
    truth_of_record,
)
from deixis.evaluation.protocols.table import DEFAULTS, PROTOCOLS

NAMES = ("brook", "crane")
SEMI = PROTOCOLS["davis17-semi"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("davis")
    for name in NAMES:
        maps = draw_video(name)
        for kind in ("truth", "by_id"):
            (root / kind / name).mkdir(parents=True)
            for index, labels in enumerate(maps[kind]):
                image = Image.fromarray(labels)
                image.putpalette(list(range(256)) * 3)
                image.save(root / kind / name / f"{index:05d}.png")
    return root


def truths(folder) -> list[VideoTruth]:
    return [truth_of_folder(name, folder / "truth" / name) for name in NAMES]


def predictions(folder, **options):
    return predicted_videos(open_files(folder / "by_id"), SEMI.layout, NAMES, **options)


def test_the_table_is_whole():
    assert set(DEFAULTS.values()) <= set(PROTOCOLS)
    for name, protocol in PROTOCOLS.items():
        assert protocol.name == name and protocol.columns and protocol.description
        if hasattr(protocol, "layout"):
            assert ("{key}" in protocol.layout) is bool(protocol.unit)


def test_processes_give_the_same_as_one(folder):
    alone = score_videos(SEMI, truths(folder), predictions(folder))
    seen = []
    together = score_videos(
        SEMI,
        truths(folder),
        predictions(folder),
        workers=2,
        on_video=lambda name, rows: seen.append((name, len(rows))),
    )
    assert dict(together.table) == dict(alone.table)
    assert [(row.video, row.name) for row in together.rows] == [(row.video, row.name) for row in alone.rows]
    assert sorted(seen) == [(name, VIDEOS[name][3]) for name in NAMES]


def test_videos_of_a_broken_run_are_not_scored_again(folder):
    done = {"brook": SEMI.score_video(truths(folder)[0], predictions(folder)["brook"], Options())}
    seen = []
    score = score_videos(
        SEMI, truths(folder), predictions(folder), done=done, on_video=lambda name, _: seen.append(name)
    )
    assert seen == ["crane"]
    assert score.table == score_videos(SEMI, truths(folder), predictions(folder)).table


def test_zips_and_prefixes_read_as_folders(folder, tmp_path):
    path = tmp_path / "masks.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted((folder / "by_id").rglob("*.png")):
            archive.write(file, f"results/{file.relative_to(folder / 'by_id').as_posix()}")
    zipped = predicted_videos(open_files(path), SEMI.layout, NAMES, prefix="results/")
    expected = score_videos(SEMI, truths(folder), predictions(folder))
    for workers in (1, 2):
        assert score_videos(SEMI, truths(folder), zipped, workers=workers).table == expected.table
    assert zipped["brook"].has() and not predictions(folder, prefix="results/")["brook"].has()


def test_records_give_the_same_truth_as_folders(folder):
    for reader in (LabelFolder, OneByOne):
        records = []
        for name in NAMES:
            frames = truth_of_folder(name, folder / "truth" / name).frames
            ids = tuple(range(1, VIDEOS[name][3] + 1))
            masks = reader(folder / "truth" / name, frames)
            objects = tuple(ObjectInfo(label, first_frame=1, frames=(1, 2)) for label in ids)
            records.append(VideoRecord(name, frames, None, (), ids, masks, objects=objects))
        described = [truth_of_record(record) for record in records]
        assert described[0].objects[0].first_frame == "00001"
        assert described[0].objects[0].frames == ("00001", "00002")
        found = score_videos(SEMI, described, predictions(folder))
        assert found.table == score_videos(SEMI, truths(folder), predictions(folder)).table
    with pytest.raises(DatasetError, match="brook is held back"):
        truth_of_record(replace(records[0], masks=None))


class OneByOne:
    """A reader that is not known to hold label maps: masks are asked for one by one."""

    def __init__(self, folder, names):
        self.reader = LabelFolder(folder, names)

    def read(self, indices, object_ids):
        return self.reader.read(indices, object_ids)


def test_missing_files_are_errors_or_empty_as_asked(folder):
    held = predictions(folder)
    held["crane"] = replace(held["crane"], names=held["crane"].names - {"crane/00002.png"})
    with pytest.raises(DatasetError, match="no mask is predicted for frame 00002 of crane"):
        score_videos(SEMI, truths(folder), held)
    score = score_videos(SEMI, truths(folder), held, Options(missing="zero"))
    row = next(row for row in score.rows if row.video == "crane")
    assert row.region[1] == 0 and score.parameters["missing"] == "zero"
    with pytest.raises(ValueError, match="no predictions are given for 1 videos, the first: crane"):
        score_videos(SEMI, truths(folder), {"brook": held["brook"]})
    with pytest.raises(ValueError, match="workers is 0"):
        score_videos(SEMI, truths(folder), held, workers=0)


def small_truth(**changes) -> VideoTruth:
    labels = np.zeros((4, 8, 12), np.uint8)
    labels[:, :4], labels[:, 4:] = 1, 2
    frames = ("0", "1", "2", "3")
    truth = VideoTruth(name="clip", frames=frames, labels=ArrayLabels(labels, frames))
    return replace(truth, **changes)


def everywhere(pixels: np.ndarray, keys=("",)) -> dict[str, PredictedArrays]:
    return {"clip": PredictedArrays({(key, frame): pixels for key in keys for frame in "0123"})}


@pytest.mark.parametrize(
    ("protocol", "pixels", "message"),
    [
        ("davis17-semi", np.full((8, 12), 3), "id 3, above the 2 objects that its first frame has"),
        ("davis17-semi", np.full((8, 12), 255), "255 is no object: save ids, not grey values"),
        ("davis17-unsupervised", np.full((8, 12), 21), "id 21, above the 20 proposals that are allowed"),
        ("davis17-semi", np.ones((12, 8)), "predicted at 12x8, but annotated at 8x12"),
        ("davis16", np.ones((8, 13)), "frame 1 of clip is predicted at 8x13"),
    ],
)
def test_masks_that_cannot_be_scored_are_refused(protocol, pixels, message):
    with pytest.raises(DatasetError, match=message):
        score_videos(PROTOCOLS[protocol], [small_truth()], everywhere(pixels.astype(np.uint8)))


def test_truth_that_cannot_be_scored_is_refused(tmp_path):
    pixels = np.ones((8, 12), np.uint8)
    with pytest.raises(DatasetError, match="of which none are scored"):
        score_videos(SEMI, [small_truth(frames=("0", "1"))], everywhere(pixels))
    empty = small_truth(labels=ArrayLabels(np.zeros((4, 8, 12), np.uint8), ("0", "1", "2", "3")))
    with pytest.raises(DatasetError, match="first annotated frame of clip has no object"):
        score_videos(SEMI, [empty], everywhere(pixels))
    with pytest.raises(DatasetError, match="clip has no expressions"):
        score_videos(PROTOCOLS["mevis"], [small_truth()], everywhere(pixels))
    twice = small_truth(expressions=(Expression("0", "a", (1,)), Expression("0", "b", (2,))))
    with pytest.raises(DatasetError, match="several expressions of the id 0"):
        score_videos(PROTOCOLS["mevis"], [twice], everywhere(pixels, ("0",)))
    with pytest.raises(DatasetError, match="holds no PNG"):
        truth_of_folder("clip", tmp_path)


def test_proposals_beyond_the_objects_and_too_few_of_them():
    labels = small_truth().labels.read("0")
    swapped = np.where(labels == 1, 7, 3).astype(np.uint8)
    score = score_videos(PROTOCOLS["davis17-unsupervised"], [small_truth()], everywhere(swapped))
    assert [row.extra["proposal"] for row in score.rows] == [7, 3]
    assert score.table["J&F-Mean"] == 1
    one = np.where(labels == 2, 1, 0).astype(np.uint8)
    score = score_videos(PROTOCOLS["davis17-unsupervised"], [small_truth()], everywhere(one))
    assert [row.region.mean() for row in score.rows] == [0, 1]


def test_videos_without_any_file_score_as_each_protocol_demands():
    spoken = small_truth(expressions=(Expression("0", "a", (1,), ("location",)), Expression("1", "none")))
    nothing = {"clip": PredictedArrays({})}
    score = score_videos(PROTOCOLS["mevis"], [spoken], nothing)
    assert (score.table["J"], score.table["F"]) == (0, 0) and np.isnan(score.table["N-acc"])
    assert "1 videos have no predicted file and score 0, as the protocol demands" in score.notes[0]
    with pytest.raises(DatasetError, match=r"frame 0 of clip \(0\)"):
        score_videos(PROTOCOLS["ref-youtube-vos"], [spoken], nothing)


def test_presence_and_kinds_of_expressions():
    spoken = small_truth(
        expressions=(
            Expression("0", "a", (1,), ("location",)),
            Expression("1", "b", (2,), ("location", "motion")),
            Expression("2", "none", (), ("absent",)),
        )
    )
    labels = small_truth().labels.read("0")
    masks = {("0", frame): labels == 1 for frame in "0123"}
    masks |= {("1", frame): np.zeros((8, 12), bool) for frame in "0123"}
    masks |= {("2", frame): np.full((8, 12), frame == "0") for frame in "0123"}
    score = score_videos(PROTOCOLS["per-expression"], [spoken], {"clip": PredictedArrays(masks)})
    assert score.groups["kind"]["motion"]["J"] == 0 and score.groups["kind"]["location"]["J"] == 0.5
    presence = score.groups["presence"]["all"]
    assert presence == {"N-acc": 0, "T-acc": 0.5, "absent": 1, "empty": 0.75, "presence": 0.5}
    assert tuple(score.table) == PROTOCOLS["per-expression"].columns


def test_attributes_split_davis16():
    pixels = (small_truth().labels.read("0") == 1).astype(np.uint8)
    tables = {
        name: small_truth(name=name, attributes=attributes)
        for name, attributes in (("easy", ("EA", "FM")), ("hard", ("FM", "OCC", "LR")))
    }
    full = np.ones((8, 12), np.uint8)
    predicted = {"easy": everywhere(full)["clip"], "hard": everywhere(pixels)["clip"]}
    groups = score_videos(PROTOCOLS["davis16"], list(tables.values()), predicted).groups["attribute"]
    assert groups["OCC"]["J-Mean"] == 0.5 and groups["FM"]["J-Mean"] == 0.75
    assert list(groups) == ["LR", "FM", "OCC", "EA"]


def test_sentences_of_two_annotators_split_by_attribute():
    """A mean over the videos of each annotator, then over the annotators."""
    said = tuple(Expression(str(n), "a", (1,), annotator=n) for n in range(2))
    pixels = small_truth().labels.read("0") == 1
    videos = {
        name: small_truth(name=name, attributes=attributes, expressions=said[:count])
        for name, attributes, count in (("both", ("FM",), 2), ("one", ("FM", "OCC"), 1))
    }
    full = np.ones((8, 12), bool)  # J 0.5
    predicted = {
        name: PredictedArrays({(key, frame): mask for key, mask in masks.items() for frame in "0123"})
        for name, masks in (("both", {"0": full, "1": pixels}), ("one", {"0": pixels}))
    }
    score = score_videos(PROTOCOLS["davis16-referring"], list(videos.values()), predicted)
    assert {name: table["J-Mean"] for name, table in score.groups["annotator"].items()} == {
        "annotator 0": 0.75,
        "annotator 1": 1,
    }
    assert score.table["J-Mean"] == 0.875
    attributes = {name: table["J-Mean"] for name, table in score.groups["attribute"].items()}
    assert attributes == {"FM": 0.875, "OCC": 1}
    assert all(row.frames == ("1", "2") for row in score.rows)


def test_memory_does_not_grow_with_the_length(tmp_path):
    labels = np.zeros((480, 854), np.uint8)
    labels[100:200, 50:700], labels[300:400, 300:500] = 1, 2
    image = Image.fromarray(labels)
    image.putpalette(list(range(256)) * 3)
    image.save(tmp_path / "frame.png")
    peaks = []
    for name, length in (("short", 12), ("long", 120)):
        for kind in ("truth", "masks"):
            (tmp_path / kind / name).mkdir(parents=True)
            for index in range(length):
                (tmp_path / kind / name / f"{index:05d}.png").symlink_to(tmp_path / "frame.png")
        truth = truth_of_folder(name, tmp_path / "truth" / name)
        masks = predicted_videos(open_files(tmp_path / "masks"), SEMI.layout, [name])
        tracemalloc.start()
        assert score_videos(SEMI, [truth], masks).table["J&F-Mean"] == 1
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 200_000 < 10_000_000


def test_long_sequences_tell_that_the_decay_differs():
    frames = tuple(f"{index:05d}" for index in range(300))
    labels = np.ones((1, 4, 6), np.uint8)
    truth = VideoTruth(name="clip", frames=frames, labels=Repeated(labels[0]))
    predicted = {"clip": PredictedArrays(dict.fromkeys((("", frame) for frame in frames), labels[0]))}
    score = score_videos(SEMI, [truth], predicted)
    assert "8-bit edges overflow" in score.notes[0] and score.table["J-Decay"] == 0
    published = score_videos(SEMI, [truth], predicted, Options(decay_in_8_bits=True))
    assert np.isnan(published.table["J-Decay"]) and not published.notes


class Repeated:
    def __init__(self, labels):
        self.labels = labels

    def read(self, frame):
        return self.labels
