"""Sinks: what they write, that it is whole or absent, and what they say when they cannot."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import textwrap
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image
from video_files import EXPRESSIONS, MEDIA, SIZE, picture, results, write_video

from deixis.errors import SinkError, SourceError, UnknownNameError
from deixis.video.formats import expression_folder, palette_ids, read_records
from deixis.video.outputs import OUTPUTS, open_output, output_path
from deixis.video.palette import davis_palette
from deixis.video.partial import existing_outputs
from deixis.video.results import FrameResult, mask_box
from deixis.video.sinks import Arrays, BinaryPngs, CutOutPngs, PalettePngs, RleJsonLines
from deixis.video.sources import open_source, read_frames
from deixis.video.video_sinks import CutOutVideo, OverlayVideo

SOURCES = str(Path(__file__).parents[2] / "src")


def write(sink, written=None):
    written = list(results() if written is None else written)
    with sink:
        for result in written:
            sink.write(result)
    return written


def test_palette_pngs_hold_ids(tmp_path):
    written = write(PalettePngs(tmp_path / "masks"))
    assert sorted(path.name for path in (tmp_path / "masks").iterdir()) == [f"0000{i}.png" for i in range(6)]
    for result in written:
        image = Image.open(tmp_path / "masks" / f"{result.frame.name}.png")
        assert image.mode == "P" and tuple(image.getpalette()[:12]) == davis_palette()[:12]
        ids = np.array(image)
        both = result.masks[0] & result.masks[1]
        winner = 1 if result.scores[0] > result.scores[1] else 2
        assert both.any() and (ids[both] == winner).all()
        np.testing.assert_array_equal(ids[~both] == 1, result.masks[0][~both])
        np.testing.assert_array_equal(ids[~both] == 2, result.masks[1][~both])


def test_palette_rules():
    masks = np.ones((3, 1, 1), dtype=bool)
    assert palette_ids(masks, np.array([0.5, 0.7, 0.7]))[0, 0] == 2
    assert palette_ids(masks[:0].reshape(0, 1, 1), np.zeros(0))[0, 0] == 0
    assert (
        davis_palette()[:12] == (0, 0, 0, 128, 0, 0, 0, 128, 0, 128, 128, 0) and len(davis_palette()) == 768
    )


def test_binary_pngs(tmp_path):
    written = write(BinaryPngs(tmp_path / "binary", EXPRESSIONS))
    folders = ["1-the-dog-on-the-left", "2-die-katze-犬", "3-nothing"]
    assert sorted(path.name for path in (tmp_path / "binary").iterdir()) == folders
    for number, folder in enumerate(folders):
        image = Image.open(tmp_path / "binary" / folder / "00003.png")
        assert image.mode == "L"
        np.testing.assert_array_equal(np.array(image), written[3].masks[number] * 255)


def test_folder_names_of_expressions():
    assert expression_folder(0, "../../etc") == "1-etc"
    assert expression_folder(1, "!?") == "2"
    assert len(expression_folder(2, "word " * 1000)) < 50


def test_rle_lines_read_back(tmp_path):
    written = write(RleJsonLines(tmp_path / "masks.jsonl", EXPRESSIONS))
    lines = (tmp_path / "masks.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 6 and "犬" in lines[0]
    for result, (record, masks) in zip(written, read_records(tmp_path / "masks.jsonl"), strict=True):
        np.testing.assert_array_equal(masks, result.masks)
        assert (record["frame"], record["time"]) == (result.frame.index, pytest.approx(result.frame.time))
        assert record["size"] == list(SIZE)
        assert [item["expression"] for item in record["objects"]] == list(EXPRESSIONS)
        np.testing.assert_allclose([item["score"] for item in record["objects"]], result.scores, atol=1e-6)
        np.testing.assert_allclose(
            [item["presence"] for item in record["objects"]], result.presence, atol=1e-6
        )
        left = 5 + result.frame.index % 10
        assert record["objects"][0]["box"] == [left, 5, 30 - left, 20] and record["objects"][2]["box"] is None
    (tmp_path / "bad.jsonl").write_text(lines[0] + "\n{}\n")
    with pytest.raises(SourceError, match="line 2"):
        list(read_records(tmp_path / "bad.jsonl"))


@given(arrays(np.bool_, st.tuples(st.just(2), st.integers(1, 9), st.integers(1, 9))))
def test_boxes_and_run_lengths_of_any_mask(masks):
    from deixis.ops.masks import decode_rle, encode_rle

    np.testing.assert_array_equal(decode_rle(json.loads(json.dumps(encode_rle(masks)))), masks)
    for mask in masks:
        box = mask_box(mask)
        assert (box is None) == (not mask.any())
        if box is not None:
            left, top, width, height = box
            inside = mask[top : top + height, left : left + width]
            assert inside.sum() == mask.sum()
            assert inside[0].any() and inside[-1].any() and inside[:, 0].any() and inside[:, -1].any()


def test_cut_outs(tmp_path):
    written = write(CutOutPngs(tmp_path / "all"))
    write(CutOutPngs(tmp_path / "second", expression=1))
    rgba = np.array(Image.open(tmp_path / "all" / "00002.png"))
    both = written[2].masks.any(axis=0)
    np.testing.assert_array_equal(rgba[..., 3], both * 255)
    np.testing.assert_array_equal(rgba[both][:, :3], written[2].frame.image[both])
    second = np.array(Image.open(tmp_path / "second" / "00002.png"))
    np.testing.assert_array_equal(second[..., 3], written[2].masks[1] * 255)
    write(CutOutVideo(tmp_path / "cut.mp4", background=(0, 0, 255), frame_rate=25))
    colour = read_frames(tmp_path / "cut.mp4")[2][44, 60]
    assert np.abs(colour.astype(int) - (0, 0, 255)).max() < 12


def test_arrays_in_memory_and_on_disk(tmp_path):
    sink = Arrays()
    written = write(sink)
    np.testing.assert_array_equal(sink.masks, [result.masks for result in written])
    np.testing.assert_array_equal(sink.scores, [result.scores for result in written])
    write(Arrays(tmp_path / "masks.npz"))
    with np.load(tmp_path / "masks.npz") as stored:
        shape = stored["shape"]
        flat = np.unpackbits(stored["packed_masks"], axis=1, count=np.prod(shape[1:]))
        np.testing.assert_array_equal(flat.reshape(shape).astype(bool), sink.masks)
        np.testing.assert_array_equal(stored["presence"], sink.presence)
        np.testing.assert_array_equal(stored["indices"], range(6))


def test_overlay_video_plays_in_browsers(tmp_path):
    path = tmp_path / "deep" / "folder" / "overlay.mp4"
    write(OverlayVideo(path, EXPRESSIONS, frame_rate=25))
    with av.open(str(path)) as video:
        stream = video.streams.video[0]
        assert video.format.name.startswith("mov,mp4")
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
        assert (stream.width, stream.height, stream.average_rate, stream.frames) == (64, 48, 25, 6)
        assert float(stream.duration * stream.time_base) == pytest.approx(6 / 25)
    content = path.read_bytes()
    assert content.find(b"moov") < content.find(b"mdat")  # plays before it is loaded
    assert sorted(item.name for item in path.parent.iterdir()) == ["overlay.mp4"]


def test_overlay_keeps_the_colours_of_the_frame(tmp_path):
    write(OverlayVideo(tmp_path / "o.mp4", ["x"] * 3, has_legend=False, crf=4))
    frame = read_frames(tmp_path / "o.mp4")[0]
    corner = (slice(44, 48), slice(56, 64))
    assert np.abs(frame[corner].astype(int) - picture(0)[corner]).max() < 10
    inside = frame[10, 10].astype(int)
    expected = 0.55 * picture(0)[10, 10] + 0.45 * np.array((0, 160, 255))
    assert np.abs(inside - expected).max() < 12


def test_odd_sizes_lose_no_pixel(tmp_path):
    write(OverlayVideo(tmp_path / "odd.mp4", ["x"] * 3), results(3, size=(47, 63)))
    assert read_frames(tmp_path / "odd.mp4").shape == (3, 48, 64, 3)
    write(OverlayVideo(tmp_path / "two.mp4", ["x"] * 3, is_side_by_side=True), results(3, size=(47, 63)))
    assert read_frames(tmp_path / "two.mp4").shape == (3, 48, 126, 3)


def test_true_times_are_kept(tmp_path):
    times = [0, 40, 80, 500, 540, 1000, 1010, 1400]
    write(OverlayVideo(tmp_path / "vfr.mp4", ["x"] * 3, frame_rate=5.6), results(8, times=times))
    read = [frame.time for frame in open_source(tmp_path / "vfr.mp4")]
    np.testing.assert_allclose(read, np.array(times) / 1000, atol=2e-4)


@pytest.mark.parametrize("rate", [23.976023976, 29.97002997, 12.5, 59.94005994, 25 / 3])
def test_constant_rates_stay_constant(tmp_path, rate):
    times = {index: 1000 * index / rate for index in range(40)}
    write(OverlayVideo(tmp_path / "cfr.mp4", ["x"] * 3, frame_rate=rate), results(40, times=times))
    with av.open(str(tmp_path / "cfr.mp4")) as video:
        ticks = [packet.pts for packet in video.demux(video=0) if packet.size]
        assert float(video.streams.video[0].average_rate) == pytest.approx(rate, rel=1e-4)
    assert len({after - before for before, after in pairwise(sorted(ticks))}) <= 2


@pytest.mark.parametrize(
    ("name", "codec", "expected"),
    [("a.mp4", "aac", "aac"), ("a.mkv", "libopus", "aac"), ("a.avi", "libmp3lame", "mp3")],
)
@pytest.mark.parametrize("part", [{}, {"start": 0.8, "end": 1.6, "stride": 2}])
def test_sound_is_kept_and_trimmed_with_the_frames(tmp_path, name, codec, expected, part):
    video_codec = "mpeg4" if name.endswith("avi") else "libx264"
    path = tmp_path / name
    if codec == "libopus":
        write_opus(path)
    else:
        write_video(path, 50, codec=video_codec, audio=codec)
    source = open_source(path, **part)
    with open_output("overlay", tmp_path, EXPRESSIONS, source) as sink:
        for frame in source:
            sink.write(FrameResult(frame, np.zeros((3, *SIZE), bool), np.ones(3), np.ones(3)))
    duration = 0.8 if part else 2.0
    with av.open(str(tmp_path / "overlay.mp4")) as video:
        assert video.streams.audio[0].codec_context.codec.canonical_name == expected
        sound = [packet for packet in video.demux(audio=0) if packet.size]
        first = float(sound[0].pts * sound[0].time_base)
        last = float((sound[-1].pts + sound[-1].duration) * sound[-1].time_base)
    assert -0.05 <= first <= 0.05 and last == pytest.approx(duration, abs=0.08)
    with av.open(str(tmp_path / "overlay.mp4")) as video:
        samples = np.concatenate([frame.to_ndarray().mean(axis=0) for frame in video.decode(audio=0)])
    assert np.abs(samples).max() > 0.1  # the tone, not silence


def write_opus(path):
    """Opus wants 48 kHz, so its tone is made here."""
    write_video(path.with_suffix(".mp4"), 50, audio="aac")
    with av.open(str(path.with_suffix(".mp4"))) as given, av.open(str(path), "w") as output:
        picture_in, sound_in = given.streams.video[0], given.streams.audio[0]
        picture_out = output.add_stream_from_template(picture_in)
        sound_out = output.add_stream("libopus", 48000, layout="mono")
        for packet in given.demux(picture_in, sound_in):
            if packet.stream is picture_in and packet.size:
                packet.stream = picture_out
                output.mux(packet)
            elif packet.stream is sound_in:
                for frame in packet.decode():
                    output.mux(sound_out.encode(frame))
        output.mux(sound_out.encode())


@pytest.mark.parametrize("name", sorted(OUTPUTS))
def test_nothing_stands_under_its_name_before_the_end_nor_after_an_error(tmp_path, name):
    path = output_path(name, tmp_path)
    with open_output(name, tmp_path, EXPRESSIONS, None) as sink:
        for result in results():
            sink.write(result)
            assert not path.exists()
    assert path.exists() and existing_outputs([path, tmp_path / "other"]) == [path]
    assert [item.name for item in tmp_path.iterdir()] == [path.name]
    before = path.stat().st_mtime_ns

    with pytest.raises(SinkError, match="exists already"), open_output(name, tmp_path, EXPRESSIONS, None):
        pass
    failing = open_output(name, tmp_path, EXPRESSIONS, None, overwrite=True)
    with pytest.raises(RuntimeError, match="midway"), failing:
        for result in results(3):
            failing.write(result)
        raise RuntimeError("midway")
    assert path.stat().st_mtime_ns == before and [item.name for item in tmp_path.iterdir()] == [path.name]
    with open_output(name, tmp_path, EXPRESSIONS, None, overwrite=True) as sink:
        sink.write(next(results(1)))
    assert [item.name for item in tmp_path.iterdir()] == [path.name]
    if path.is_dir():
        assert len([item for item in path.rglob("*.png")]) == (3 if name == "binary" else 1)


@pytest.mark.parametrize("name", sorted(OUTPUTS))
def test_no_frames_leave_nothing(tmp_path, name):
    with (
        pytest.raises(SinkError, match="no frame to write"),
        open_output(name, tmp_path, EXPRESSIONS, None),
    ):
        pass
    assert not list(tmp_path.iterdir())


def test_a_killed_run_leaves_nothing_that_looks_whole(tmp_path):
    program = textwrap.dedent(
        f"""
        import contextlib, sys, time
        sys.path[:0] = [{SOURCES!r}, {str(Path(__file__).parent)!r}]
        from deixis.video.outputs import OUTPUTS, open_output
        from video_files import EXPRESSIONS, results
        with contextlib.ExitStack() as stack:
            names = [name for name in OUTPUTS]
            sinks = [stack.enter_context(open_output(n, {str(tmp_path)!r}, EXPRESSIONS, None)) for n in names]
            for result in results(60):
                for sink in sinks:
                    sink.write(result)
            print("midway", flush=True)
            time.sleep(60)
        """
    )
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    with process:
        assert process.stdout.readline() == "midway\n"
        os.kill(process.pid, signal.SIGKILL)
    paths = [output_path(name, tmp_path) for name in OUTPUTS]
    assert not existing_outputs(paths)
    assert all(item.name.endswith(".partial") for item in tmp_path.iterdir())
    with contextlib.ExitStack() as stack:  # the next run clears up
        for name in OUTPUTS:
            stack.enter_context(open_output(name, tmp_path, EXPRESSIONS, None)).write(next(results(1)))
    assert existing_outputs(paths) == paths and len(list(tmp_path.iterdir())) == len(paths)
    assert len(list((tmp_path / "masks").iterdir())) == 1


@pytest.mark.parametrize("name", sorted(OUTPUTS))
def test_folders_that_cannot_be_written(tmp_path, name):
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file", Path("/proc/nowhere")):
        with pytest.raises(SinkError, match="cannot be written") as caught:
            open_output(name, folder, EXPRESSIONS, None).__enter__()
        assert "\n" not in str(caught.value)


def test_a_full_disk(tmp_path):
    # A limit on the size of files stands in for a full disk: the system refuses the write in the same place.
    names = ["overlay", "json", "cutout", "cutout-video", "arrays"]
    program = textwrap.dedent(
        f"""
        import resource, sys
        sys.path[:0] = [{SOURCES!r}, {str(Path(__file__).parent)!r}]
        import numpy as np
        from deixis.errors import SinkError
        from deixis.video.outputs import open_output
        from deixis.video.results import FrameResult
        from deixis.video.frames import Frame
        generator = np.random.default_rng(0)
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
        for name in {names!r}:
            try:
                with open_output(name, {str(tmp_path)!r}, ["x"], None) as sink:
                    for index in range(80):
                        image = generator.integers(0, 256, (96, 128, 3), dtype=np.uint8)
                        frame = Frame(index, index / 25, f"{{index:05d}}", image)
                        mask = generator.random((1, 96, 128)) > 0.5
                        sink.write(FrameResult(frame, mask, np.ones(1), np.ones(1)))
            except SinkError as error:
                print(error)
        """
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    lines = done.stdout.splitlines()
    assert len(lines) == len(names) and not done.stderr, done.stdout + done.stderr
    for name, line in zip(names, lines, strict=True):
        assert line.startswith(
            f"{output_path(name, tmp_path)} cannot be written (file too large); free space"
        )
    assert not list(tmp_path.iterdir())


def test_misuse():
    with pytest.raises(SinkError, match=r"ends in \.mp4"):
        OverlayVideo("overlay.avi", EXPRESSIONS)
    with pytest.raises(UnknownNameError, match="did you mean overlay"):
        output_path("overlays", "out")
    with pytest.raises(SinkError, match="with"):
        PalettePngs("masks").write(next(results(1)))
    result = next(results(1))
    with pytest.raises(ValueError, match="needs bool"):
        FrameResult(result.frame, result.masks[:, 1:], result.scores, result.presence)
    with pytest.raises(ValueError, match="as many scores"):
        FrameResult(result.frame, result.masks, result.scores[:2], result.presence)


@pytest.mark.skipif(not MEDIA.is_dir(), reason="needs the shared clips")
def test_a_real_clip_keeps_rate_and_sound(tmp_path):
    source = open_source(MEDIA / "dog.mp4", start=1, end=2)
    with open_output("overlay", tmp_path, ["the dog"], source) as sink:
        for frame in source:
            sink.write(FrameResult(frame, np.zeros((1, 720, 1280), bool), np.ones(1), np.ones(1)))
    again = open_source(tmp_path / "overlay.mp4")
    assert (again.size, again.num_frames) == ((720, 1280), source.num_frames)
    assert again.frame_rate == pytest.approx(source.frame_rate) and again.audio is not None
