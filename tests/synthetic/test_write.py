import json

import numpy as np
import pytest
from PIL import Image

from deixis.data import a2d_sentences, ref_youtube_vos
from deixis.data.records import VideoRecord
from deixis.errors import SinkError, UnknownNameError
from deixis.ops.masks import decode_rle
from deixis.synthetic.scene import SceneSettings
from deixis.synthetic.world import scene_record
from deixis.synthetic.write import export, render_videos

SETTINGS = SceneSettings(size=(64, 96), length=9, max_objects=4)
WHOLE = range(SETTINGS.length)


@pytest.fixture(scope="module")
def clips() -> list[VideoRecord]:
    return [scene_record(seed, SETTINGS, "val") for seed in range(4)]


def without_readers(record: VideoRecord) -> tuple:
    return record.name, record.frame_names, record.expressions, record.object_ids, record.size


@pytest.mark.parametrize("split", ["train", "val", "test"])
def test_ref_youtube_vos_reads_back_identically(clips, tmp_path, split):
    export(clips, tmp_path, "ref-youtube-vos", split, image="png")
    found = ref_youtube_vos.records(tmp_path, split)
    assert [without_readers(record) for record in found] == [without_readers(record) for record in clips]
    for written, read in zip(clips, found, strict=True):
        assert (read.frames.read(WHOLE) == written.frames.read(WHOLE)).all()
        expected = written.masks.read(WHOLE, written.object_ids)
        assert (read.masks.read(WHOLE, written.object_ids) == expected).all()


def test_the_splits_of_ref_youtube_vos_live_side_by_side(clips, tmp_path):
    for split, clip in zip(("train", "val", "test"), clips, strict=False):
        export([clip], tmp_path, "ref-youtube-vos", split)
    for split, clip in zip(("train", "val", "test"), clips, strict=False):
        (found,) = ref_youtube_vos.records(tmp_path, split)
        assert found.name == clip.name


def test_jpeg_frames_lose_little(clips, tmp_path):
    export(clips[:1], tmp_path, "ref-youtube-vos", "val")
    (found,) = ref_youtube_vos.records(tmp_path, "val")
    error = np.abs(found.frames.read(WHOLE).astype(int) - clips[0].frames.read(WHOLE))
    assert 0 < error.mean() < 3


def test_masks_are_palette_images_of_the_published_kind(clips, tmp_path):
    export(clips[:1], tmp_path, "ref-youtube-vos", "train")
    with Image.open(tmp_path / "train/Annotations" / clips[0].name / "00000.png") as image:
        assert image.mode == "P"
        assert image.getpalette()[:12] == [0, 0, 0, 128, 0, 0, 0, 128, 0, 128, 128, 0]
        assert set(np.unique(np.asarray(image))) <= {0, *clips[0].object_ids}
    content = json.loads((tmp_path / "meta_expressions/train/meta_expressions.json").read_text())
    for expression in clips[0].expressions:
        entry = content["videos"][clips[0].name]["expressions"][expression.id]
        if len(expression.object_ids) == 1:
            assert entry["obj_id"] == str(expression.object_ids[0])
    objects = json.loads((tmp_path / "train/meta.json").read_text())["videos"][clips[0].name]["objects"]
    visible = clips[0].masks.read(WHOLE, clips[0].object_ids).any(axis=(2, 3))
    for object_id, seen in zip(clips[0].object_ids, visible, strict=True):
        assert objects[str(object_id)]["frames"] == [f"{index:05d}" for index in np.flatnonzero(seen)]


@pytest.mark.parametrize("split", ["train", "test"])
def test_a2d_sentences_reads_back_what_it_has_room_for(clips, tmp_path, split):
    export(clips, tmp_path, "a2d-sentences", split)
    found = a2d_sentences.records(tmp_path, split)
    assert [record.name for record in found] == [record.name for record in clips]
    for written, read in zip(clips, found, strict=True):
        singles = [e for e in written.expressions if len(e.object_ids) == 1]
        assert [(e.text, e.object_ids) for e in read.expressions] == [(e.text, e.object_ids) for e in singles]
        assert read.object_ids == tuple(sorted({e.object_ids[0] for e in singles}))
        assert read.frame_names == tuple(f"{index + 1:05d}" for index in WHOLE)
        assert len(read.annotated_frames) == 4
        expected = written.masks.read(read.annotated_frames, read.object_ids)
        assert (read.masks.read(read.annotated_frames, read.object_ids) == expected).all()
        error = np.abs(read.frames.read(WHOLE).astype(int) - written.frames.read(WHOLE))
        assert error.mean() < 4


def test_both_splits_of_a2d_sentences_share_their_tables(clips, tmp_path):
    export(clips[:2], tmp_path, "a2d-sentences", "train")
    export(clips[2:], tmp_path, "a2d-sentences", "test")
    assert [len(a2d_sentences.records(tmp_path, split)) for split in ("train", "test")] == [2, 2]


def test_a_split_is_not_written_twice(clips, tmp_path):
    for layout in ("ref-youtube-vos", "a2d-sentences"):
        root = export(clips[:1], tmp_path / layout, layout, "train")
        with pytest.raises(SinkError, match="already"):
            export(clips[:1], root, layout, "train")


def test_unknown_layouts_splits_and_images_are_refused(clips, tmp_path):
    with pytest.raises(UnknownNameError, match="layout"):
        export(clips, tmp_path, "ref-youtube", "train")
    with pytest.raises(UnknownNameError, match="split of a2d-sentences"):
        export(clips, tmp_path, "a2d-sentences", "val")
    with pytest.raises(ValueError, match="jpg or png"):
        export(clips, tmp_path, "ref-youtube-vos", "train", image="bmp")
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_written_to(clips, tmp_path):
    blocker = tmp_path / "file"
    blocker.write_text("")
    with pytest.raises(SinkError, match="cannot write"):
        export(clips[:1], blocker / "root", "ref-youtube-vos")
    with pytest.raises(SinkError, match="cannot write"):
        render_videos(clips[:1], blocker / "out")


class Broken:
    """Frames that fail half-way."""

    def read(self, indices):
        raise OSError("no space left on device")


def test_a_run_that_fails_leaves_nothing_that_looks_whole(clips, tmp_path):
    broken = VideoRecord("broken", ("00000",), Broken(), (), (1,), clips[0].masks)
    with pytest.raises(SinkError, match="no space left"):
        export([clips[0], broken], tmp_path, "ref-youtube-vos", "train")
    assert not (tmp_path / "meta_expressions").exists()
    assert not list(tmp_path.rglob("*.part"))
    with pytest.raises(ValueError, match="held back"):
        export([VideoRecord("x", ("0",), clips[0].frames, ())], tmp_path / "other", "ref-youtube-vos")


def test_videos_come_with_their_annotations(clips, tmp_path):
    paths = render_videos(clips[:2], tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        f"{record.name}.{suffix}" for record in clips[:2] for suffix in ("mp4", "json")
    )
    record, content = clips[0], json.loads(paths[0].with_suffix(".json").read_text())
    assert [entry["text"] for entry in content["expressions"]] == [e.text for e in record.expressions]
    assert content["size"] == [64, 96] and content["frames"] == list(record.frame_names)
    truth = record.masks.read(WHOLE, record.object_ids)
    for entry, track in zip(content["objects"], truth, strict=True):
        for code, box, mask in zip(entry["masks"], entry["boxes"], track, strict=True):
            assert (code is None) == (box is None) == (not mask.any())
            if code is not None:
                assert (decode_rle([code])[0] == mask).all()
                x, y, width, height = box
                assert mask[y : y + height, x : x + width].sum() == mask.sum()
                assert mask[y].any() and mask[:, x + width - 1].any()
    from deixis.data.readers import VideoFile

    error = np.abs(VideoFile(paths[0]).read(WHOLE).astype(int) - record.frames.read(WHOLE))
    assert error.mean() < 3


def test_written_videos_are_left_alone(clips, tmp_path):
    (path,) = render_videos(clips[:1], tmp_path)
    path.write_bytes(b"kept")
    render_videos(clips[:1], tmp_path)
    assert path.read_bytes() == b"kept"
    render_videos(clips[:1], tmp_path, overwrite=True)
    assert path.read_bytes() != b"kept"


def test_odd_sizes_make_a_video_of_the_same_size(tmp_path):
    from deixis.data.readers import VideoFile

    (path,) = render_videos([scene_record(1, SceneSettings(size=(61, 97), length=2))], tmp_path)
    assert VideoFile(path).read([0, 1]).shape == (2, 61, 97, 3)
