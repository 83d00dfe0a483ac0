"""Folders, patterns, lists, arrays, iterators and cameras as sources; pictures of all kinds."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from video_files import SIZE, picture, write_video

from deixis.errors import SourceError
from deixis.video.images import natural_key, read_image, rgb_from_array
from deixis.video.sources import open_source, read_frames
from deixis.video.span import parse_span

ARRAY = np.stack([picture(index) for index in range(6)])


@pytest.fixture
def folder(tmp_path):
    frames = tmp_path / "frames"
    frames.mkdir()
    for index in range(12):
        Image.fromarray(picture(index)).save(frames / f"f{index}.png")
    (frames / "notes.txt").write_text("not a frame")
    (frames / ".hidden.png").write_bytes(b"not a frame either")
    return frames


def test_a_folder_in_natural_order(folder):
    source = open_source(folder)
    frames = list(source)
    assert (source.name, source.size, source.num_frames, source.frame_rate) == ("frames", SIZE, 12, None)
    assert [frame.name for frame in frames] == [f"f{index}" for index in range(12)]
    np.testing.assert_array_equal(frames[10].image, picture(10))
    assert frames[10].time == 10 / 25


def test_a_part_of_a_folder(folder):
    assert [frame.index for frame in open_source(folder, start="3f", end="11f", stride=4)] == [3, 7]
    with pytest.raises(SourceError, match="has no clock"):
        open_source(folder, start=1.5)
    source = open_source(folder, start=0.4, end=1.1, stride=2, frame_rate=10)
    assert [frame.index for frame in source] == [4, 6, 8, 10] and source.frame_rate == 5
    assert [frame.time for frame in source] == pytest.approx([0.4, 0.6, 0.8, 1.0])
    with pytest.raises(SourceError, match="after the end of frames"):
        open_source(folder, start="12f")


def test_a_pattern_and_a_picture(folder):
    assert [frame.name for frame in open_source(str(folder / "f1*.png"))] == ["f1", "f10", "f11"]
    assert [frame.name for frame in open_source(str(folder / "*"))][:3] == ["f0", "f1", "f2"]
    with pytest.raises(SourceError, match="no picture matches"):
        open_source(str(folder / "*.jpg"))
    source = open_source(folder / "f3.png")
    assert (source.name, source.num_frames) == ("f3", 1)


def test_broken_and_differing_frames_are_named(folder):
    Image.fromarray(picture(0, (48, 62))).save(folder / "f5.png")
    with pytest.raises(SourceError, match=r"f5\.png is 62x48 but the first frame is 64x48"):
        open_source(folder)
    whole = (folder / "f4.png").read_bytes()
    (folder / "f5.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(SourceError, match=r"f5\.png cannot be (decoded|read)"):
        list(open_source(folder))
    (folder / "f5.png").write_bytes(b"")
    with pytest.raises(SourceError, match=r"f5\.png is empty"):
        open_source(folder)
    (folder / "f5.png").write_bytes(b"nonsense")
    with pytest.raises(SourceError, match=r"f5\.png is not a picture"):
        open_source(folder)


def test_folders_without_pictures(tmp_path):
    with pytest.raises(SourceError, match="holds no pictures; give a folder"):
        open_source(tmp_path)
    write_video(tmp_path / "clip.mp4", 1)
    with pytest.raises(SourceError, match="give one of its videos, such as clip"):
        open_source(tmp_path)


def test_lists_of_anything(folder):
    items = [
        folder / "f0.png",
        str(folder / "f1.png"),
        picture(2),
        Image.fromarray(picture(3)),
        torch.tensor(ARRAY[4]),
    ]
    np.testing.assert_array_equal(read_frames(items), ARRAY[:5])
    np.testing.assert_array_equal(read_frames(iter(items)), ARRAY[:5])
    other = folder.parent / "other"
    other.mkdir()
    Image.fromarray(picture(0)).save(other / "f0.png")
    assert [frame.name for frame in open_source([folder / "f0.png", other / "f0.png"])] == ["00000", "00001"]
    with pytest.raises(SourceError, match="empty list"):
        open_source([])
    with pytest.raises(SourceError, match="frame 1 of frames is 10x10"):
        list(open_source([picture(0), np.zeros((10, 10, 3), np.uint8)]))
    with pytest.raises(SourceError, match="frame 1 of frames is a NoneType"):
        list(open_source([picture(0), None]))


@pytest.mark.parametrize("kind", [np.asarray, torch.tensor])
def test_arrays(kind):
    np.testing.assert_array_equal(read_frames(kind(ARRAY)), ARRAY)
    np.testing.assert_array_equal(read_frames(kind(ARRAY.transpose(0, 3, 1, 2).copy())), ARRAY)
    np.testing.assert_array_equal(read_frames(kind(ARRAY[0])), ARRAY[:1])
    grey = read_frames(kind(ARRAY[..., 0].copy()))
    np.testing.assert_array_equal(grey, np.repeat(ARRAY[..., :1], 3, axis=3))
    source = open_source(kind(ARRAY), start="1f", stride=2, frame_rate=30)
    assert (source.num_frames, source.frame_rate, [f.index for f in source]) == (3, 15, [1, 3, 5])


def test_frames_are_copies():
    frame = next(iter(open_source(ARRAY)))
    assert not np.shares_memory(frame.image, ARRAY)


def test_arrays_that_are_no_videos():
    with pytest.raises(SourceError, match="holds float32 numbers; give uint8"):
        open_source(ARRAY.astype(np.float32))
    with pytest.raises(SourceError, match="second or its last axis"):
        open_source(np.zeros((2, 3, 8, 3), np.uint8))
    with pytest.raises(SourceError, match="shape"):
        open_source(np.zeros((0, 8, 8, 3), np.uint8))
    with pytest.raises(SourceError, match="shape"):
        open_source(np.zeros((2, 8, 8, 5), np.uint8))


def test_an_iterator_is_read_lazily_and_once():
    taken = []

    def frames():
        for index in range(100):
            taken.append(index)
            yield picture(index)

    source = open_source(frames(), start="2f", stride=3)
    assert taken == [] and source.size is None and source.num_frames is None
    reading = iter(source)
    assert [next(reading).index, next(reading).index] == [2, 5] and taken[-1] == 5
    with pytest.raises(SourceError, match="only once"):
        iter(source)
    with pytest.raises(SourceError, match="no frame"):
        list(open_source(iter([])))
    with pytest.raises(SourceError, match="frame 1 of frames is 10x10"):
        list(open_source(iter([picture(0), np.zeros((10, 10, 3), np.uint8)])))


def test_cameras_that_are_not_there():
    for camera in (97, "97"):
        with pytest.raises(SourceError, match="camera 97"):
            open_source(camera)


@pytest.mark.parametrize("source", [None, 1.5, True, b"clip.mp4", {"a": 1}])
def test_other_types_are_refused(source):
    with pytest.raises(SourceError, match="a source cannot be a"):
        open_source(source)


@pytest.mark.parametrize("stride", [0, -1, 1.5, True])
def test_strides_are_whole_and_positive(stride):
    with pytest.raises(SourceError, match="stride"):
        open_source(ARRAY, stride=stride)


def test_moments():
    span = parse_span("1:02:03.5", "90:00", 1)
    assert (span.start.value, span.end.value) == (3723.5, 5400)
    assert parse_span("12.5s", None, 1).start.value == 12.5
    assert parse_span(3, "120f", 1).end == parse_span(None, "120f", 1).end
    for start, end in [("5", "4"), (4, 4), ("7f", "7f")]:
        with pytest.raises(SourceError, match="is not before end"):
            parse_span(start, end, 1)
    for moment in ["soon", "", -1, float("nan"), "1:2:3:4", "-3", True]:
        with pytest.raises(SourceError, match="give seconds"):
            parse_span(moment, None, 1)


@given(st.integers(0, 10_000), st.sampled_from([5.0, 23.976, 24, 25, 29.97, 59.94]))
def test_the_time_of_a_frame_finds_the_frame(index, rate):
    assert parse_span(index / rate, None, 1).frame_range(rate, "clip") == (index, None)


def test_natural_order(tmp_path):
    names = ["a10b", "a2b", "a1", "b", "10", "9"]
    assert [p.name for p in sorted((tmp_path / n for n in names), key=natural_key)] == [
        "9",
        "10",
        "a1",
        "a2b",
        "a10b",
        "b",
    ]


def test_kinds_of_pictures(tmp_path):
    rgb = Image.fromarray(picture(0))
    grey16 = Image.fromarray(np.full(SIZE, 0x80FF, np.uint16))
    transparent = np.concatenate([picture(0), np.zeros((*SIZE, 1), np.uint8)], axis=2)
    for name, image, expected in [
        ("grey.png", rgb.convert("L"), np.array(rgb.convert("L").convert("RGB"))),
        ("bits.png", rgb.convert("1"), np.array(rgb.convert("1").convert("RGB"))),
        ("palette.png", rgb.quantize(8), np.array(rgb.quantize(8).convert("RGB"))),
        ("grey16.png", grey16, np.full((*SIZE, 3), 0x80, np.uint8)),
        ("clear.png", Image.fromarray(transparent), np.full((*SIZE, 3), 255, np.uint8)),
        ("cmyk.tif", rgb.convert("CMYK"), np.array(rgb)),
    ]:
        image.save(tmp_path / name)
        np.testing.assert_allclose(read_image(tmp_path / name), expected, atol=2, err_msg=name)
    Image.fromarray(np.zeros(SIZE, np.float32)).save(tmp_path / "float.tif")
    with pytest.raises(SourceError, match="floating point"):
        read_image(tmp_path / "float.tif")


def test_exif_orientation_is_honoured(tmp_path):
    image = Image.fromarray(picture(0))
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: rotate by 90 degrees clockwise to see it upright
    image.save(tmp_path / "turned.png", exif=exif)
    source = open_source(tmp_path / "turned.png")
    assert source.size == SIZE[::-1]
    np.testing.assert_array_equal(next(iter(source)).image, np.rot90(picture(0), -1))


def test_half_transparent_pixels_are_laid_on_white():
    pixel = np.array([[[100, 0, 255, 128]]], np.uint8)
    np.testing.assert_allclose(rgb_from_array(pixel, "pixel")[0, 0], [177, 127, 255], atol=1)
