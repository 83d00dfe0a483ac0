"""Video files as sources: times, rotation, parts, damage."""

import gc
import logging
import resource
from pathlib import Path

import av
import numpy as np
import pytest
from video_files import MEDIA, SIZE, cut, picture, quarters, write_sound, write_video

from deixis.errors import SourceError
from deixis.video.sources import open_source, read_frames

FASTSTART = {"movflags": "+faststart"}
CONTAINERS = [
    ("clip.mp4", {}),
    ("clip.mov", {}),
    ("clip.mkv", {}),
    ("clip.webm", {"codec": "libvpx-vp9"}),
    ("old.webm", {"codec": "libvpx"}),
    ("clip.avi", {"codec": "mpeg4"}),
    ("clip.ts", {}),
    ("clip.gif", {"codec": "gif", "pix_fmt": "rgb8"}),
]


@pytest.mark.parametrize(("name", "options"), CONTAINERS)
def test_every_container_gives_all_frames_with_their_times(tmp_path, name, options):
    source = open_source(write_video(tmp_path / name, **options))
    frames = list(source)
    assert (source.name, source.size, source.num_frames) == (name.split(".")[0], SIZE, 30)
    assert source.frame_rate == pytest.approx(25)
    assert [frame.index for frame in frames] == list(range(30))
    np.testing.assert_allclose([frame.time for frame in frames], np.arange(30) / 25, atol=1e-3)
    assert frames[7].name == "00007" and frames[7].image.dtype == np.uint8
    assert quarters(frames[7].image) == [0, 1, 2, 3]


@pytest.mark.parametrize(("name", "options"), CONTAINERS)
def test_a_part_is_the_same_frames_as_in_the_whole(tmp_path, name, options):
    path = write_video(tmp_path / name, **options)
    whole = list(open_source(path))
    part = open_source(path, start="20f", end=1.16, stride=3)
    frames = list(part)
    assert [frame.index for frame in frames] == [20, 23, 26]
    assert part.num_frames == 3 and part.frame_rate == pytest.approx(25 / 3)
    for frame in frames:
        np.testing.assert_array_equal(frame.image, whole[frame.index].image)
        assert frame.time == whole[frame.index].time


def test_a_file_can_be_read_again(tmp_path):
    source = open_source(write_video(tmp_path / "clip.mp4", 5))
    assert [frame.time for frame in source] == [frame.time for frame in source]


@pytest.mark.parametrize(
    ("rotation", "flip", "expected"),
    # Where the four quarters of the stored picture stand when a player shows it.
    [
        (0, False, [0, 1, 2, 3]),
        (90, False, [1, 3, 0, 2]),
        (180, False, [3, 2, 1, 0]),
        (-90, False, [2, 0, 3, 1]),
    ],
)
def test_rotation_is_honoured(tmp_path, rotation, flip, expected):
    source = open_source(write_video(tmp_path / "clip.mp4", 3, rotation=rotation, flip=flip))
    frames = list(source)
    assert source.size == frames[0].image.shape[:2] == (SIZE if rotation in (0, 180) else SIZE[::-1])
    assert quarters(frames[0].image) == expected


def test_a_mirrored_picture_is_mirrored_back(tmp_path):
    plain = quarters(next(iter(open_source(write_video(tmp_path / "a.mp4", 1, rotation=90)))).image)
    mirrored = quarters(
        next(iter(open_source(write_video(tmp_path / "b.mp4", 1, rotation=90, flip=True)))).image
    )
    assert mirrored in ([plain[i] for i in (1, 0, 3, 2)], [plain[i] for i in (2, 3, 0, 1)])


@pytest.mark.parametrize("name", ["clip.mp4", "clip.mkv"])
def test_variable_frame_rate_keeps_true_times(tmp_path, name):
    times = [0, 40, 80, 500, 540, 1000, 1010, 1400, 2000, 2040]
    path = write_video(tmp_path / name, len(times), times=times)
    source = open_source(path)
    np.testing.assert_allclose([frame.time for frame in source], np.array(times) / 1000, atol=1e-3)
    assert source.frame_rate == pytest.approx(9 / 2.04, rel=0.01)
    part = list(open_source(path, start=0.5, end="0:01.4"))
    assert [frame.index for frame in part] == [3, 4, 5, 6]


def test_sound_is_known_with_its_part(tmp_path):
    path = write_video(tmp_path / "clip.mp4", audio="aac")
    audio = open_source(path, start=0.4, end=0.8).audio
    assert audio.path == path and audio.start == pytest.approx(0.4) and audio.end == pytest.approx(0.8)
    assert open_source(write_video(tmp_path / "silent.mp4")).audio is None


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("clip.mp4", {"options": FASTSTART}),
        ("clip.mkv", {}),
        ("clip.webm", {"codec": "libvpx-vp9"}),
        ("clip.avi", {"codec": "mpeg4"}),
    ],
)
def test_a_cut_off_file_is_found_at_once_and_its_beginning_can_be_had(tmp_path, name, options):
    path = cut(write_video(tmp_path / name, 100, gop=5, **options), 0.6)
    with pytest.raises(SourceError, match=r"is cut off: only \d+ of its frames are there .* \('\d+f'\)"):
        open_source(path)
    if name != "clip.avi":  # without its index next to nothing of an AVI file can be found
        assert [frame.index for frame in open_source(path, end="20f")] == list(range(20))


def test_a_cut_off_file_without_its_index_is_refused(tmp_path):
    with pytest.raises(SourceError, match=r"cannot be read as a video .* damaged, cut off|no picture"):
        open_source(cut(write_video(tmp_path / "clip.mp4"), 0.7))


def test_damage_inside_leaves_frames_out_and_is_told(tmp_path, caplog):
    path = write_video(tmp_path / "clip.mkv", 60, gop=10)
    whole = path.read_bytes()
    middle = len(whole) // 2
    path.write_bytes(whole[:middle] + bytes(300) + whole[middle + 300 :])
    with caplog.at_level(logging.WARNING):
        try:
            frames = list(open_source(path))
        except SourceError as error:  # the container itself broke at this place
            assert "cut off" in str(error)
        else:
            assert len(frames) < 60
            assert "damaged and left out" in caplog.text


def test_files_that_are_no_videos(tmp_path):
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "text.mp4").write_text("no video at all\n" * 100)
    (tmp_path / "noise.mp4").write_bytes(np.random.default_rng(0).bytes(5000))
    for name, message in [
        ("missing.mp4", "there is no file or folder"),
        ("empty.mp4", "is empty"),
        ("text.mp4", "cannot be read as a video|no picture"),
        ("noise.mp4", "cannot be read as a video"),
    ]:
        with pytest.raises(SourceError, match=message) as caught:
            open_source(tmp_path / name)
        assert "\n" not in str(caught.value) and name in str(caught.value)
    with pytest.raises(SourceError, match="holds only sound"):
        open_source(write_sound(tmp_path / "sound.mp4"))
    with pytest.raises(SourceError, match="holds only sound"):
        open_source(write_sound(tmp_path / "sound.m4a"))


@pytest.mark.parametrize(
    ("name", "codec"), [("none.mkv", "mpeg4"), ("none.avi", "mpeg4"), ("none.mp4", "libx264")]
)
def test_a_video_without_frames(tmp_path, name, codec):
    with av.open(str(tmp_path / name), "w") as output:
        stream = output.add_stream(codec, 25)
        stream.height, stream.width, stream.pix_fmt = 48, 64, "yuv420p"
        output.start_encoding()
    with pytest.raises(SourceError, match=r"without frames|cannot be read|no picture"):
        open_source(tmp_path / name)


def test_parts_that_hold_nothing(tmp_path):
    path = write_video(tmp_path / "clip.mp4")
    with pytest.raises(SourceError, match=r"start \(1.2 s\) is after the end of .* \(1\.20 s\)"):
        open_source(path, start=1.2)
    with pytest.raises(SourceError, match=r"start \(frame 30\) is after the end"):
        open_source(path, start="30f")
    with pytest.raises(SourceError, match=r"no frame of .* lies between"):
        open_source(path, start="20f", end=0.4)
    assert [frame.index for frame in open_source(path, start="29f")] == [29]
    assert open_source(path, end=99).num_frames == 30


def test_odd_sizes(tmp_path):
    path = write_video(tmp_path / "odd.mp4", 2, size=(47, 63), pix_fmt="yuv444p")
    assert read_frames(path).shape == (2, 47, 63, 3)


def test_frames_are_freed_one_by_one_without_the_garbage_collector(tmp_path):
    path = write_video(tmp_path / "clip.mp4", 400, size=(240, 320))  # 230 kB a frame, 90 MB in all
    list(open_source(path, end="50f"))  # warm the decoder's and allocator's pools
    gc.disable()
    try:
        before = resident_megabytes()
        assert sum(1 for _ in open_source(path)) == 400
        assert resident_megabytes() - before < 15
    finally:
        gc.enable()


def resident_megabytes():
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


@pytest.mark.skipif(not MEDIA.is_dir(), reason="needs the shared clips")
@pytest.mark.parametrize(
    ("name", "size", "count", "rate"),
    [
        ("dog.mp4", (720, 1280), 289, 29.97),
        ("juggle.mp4", (720, 1280), 247, 24),
        ("bag.avi", (360, 480), 196, 25),
    ],
)
def test_real_clips(name, size, count, rate):
    source = open_source(MEDIA / name, start="190f", stride=2)
    assert source.size == size and source.frame_rate == pytest.approx(rate / 2, rel=1e-4)
    assert [frame.index for frame in source] == list(range(190, count, 2))


def test_decoded_pixels_are_the_encoded_ones(tmp_path):
    path = write_video(tmp_path / "clip.mp4", 3, pix_fmt="yuv444p", options={"crf": "1"})
    decoded = read_frames(path)
    for index in range(3):
        inner = np.abs(decoded[index].astype(int) - picture(index)).mean()
        assert inner < 6
