"""Small real video files, written for the tests."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from deixis.video.frames import Frame, index_name
from deixis.video.results import FrameResult

MEDIA = Path(__file__).parents[2] / ".." / "shared" / "media" / "video"
SIZE = (48, 64)
QUARTERS = ((200, 30, 30), (30, 180, 30), (30, 30, 200), (200, 200, 40))


def picture(index, size=SIZE):
    """Four colours, so that any turn or flip shows; a bright column tells the index."""
    height, width = size
    image = np.zeros((height, width, 3), dtype=np.uint8)
    image[: height // 2, : width // 2], image[: height // 2, width // 2 :] = QUARTERS[:2]
    image[height // 2 :, : width // 2], image[height // 2 :, width // 2 :] = QUARTERS[2:]
    image[height // 4 : height // 2, (2 * index) % width :][:, :2] = 255
    return image


def quarters(image):
    """The colours in the middle of the outer parts of the four quarters, as indices into QUARTERS."""
    height, width = image.shape[:2]
    points = [(height // 8, width // 4), (height // 8, 3 * width // 4)]
    points += [(7 * height // 8, width // 4), (7 * height // 8, 3 * width // 4)]
    colours = np.array(QUARTERS)
    return [int(np.abs(colours - image[row, column]).sum(axis=1).argmin()) for row, column in points]


def write_video(
    path, num_frames=30, *, size=SIZE, rate=25, codec="libx264", pix_fmt="yuv420p", times=None, rotation=None,
    flip=False, audio=None, options=None, gop=12,
):  # fmt: skip
    """Write a clip of :func:`picture`; ``times`` in milliseconds; ``audio`` names a codec, for a tone."""
    with av.open(str(path), "w", options=options or {}) as output:
        stream = output.add_stream(codec, rate)
        stream.height, stream.width, stream.pix_fmt = *size, pix_fmt
        if codec == "libx264":
            stream.codec_context.gop_size = gop
        if rotation is not None:
            stream.set_display_rotation(rotation, hflip=flip)
        if times is not None:
            stream.codec_context.time_base = Fraction(1, 1000)
        sound = None if audio is None else output.add_stream(audio, 44100, layout="mono")
        for index in range(num_frames):
            frame = av.VideoFrame.from_ndarray(picture(index, size))
            if times is not None:
                frame.pts, frame.time_base = times[index], Fraction(1, 1000)
            output.mux(stream.encode(frame))
        output.mux(stream.encode())
        if sound is not None:
            write_tone(output, sound, num_frames / rate)
    return path


def write_tone(output, stream, seconds):
    """Encode a tone of 440 Hz."""
    count = int(44100 * seconds)
    wave = (8000 * np.sin(2 * np.pi * 440 * np.arange(count) / 44100)).astype(np.int16)
    for start in range(0, count, 1024):
        frame = av.AudioFrame.from_ndarray(wave[None, start : start + 1024], format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = 44100, start, Fraction(1, 44100)
        output.mux(stream.encode(frame))
    output.mux(stream.encode())


def write_sound(path, seconds=0.5):
    """Write a file without pictures."""
    with av.open(str(path), "w") as output:
        write_tone(output, output.add_stream("aac", 44100, layout="mono"), seconds)
    return path


def cut(path, share):
    """Keep the first part of a file."""
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    return path


EXPRESSIONS = ("the dog on the left", "die Katze, 犬", "nothing")


def results(count=6, size=SIZE, times=None, step=1):
    generator = np.random.default_rng(0)
    for index in range(0, count * step, step):
        masks = np.zeros((3, *size), dtype=bool)
        masks[0, 5:25, 5 + index % 10 : 30] = True
        masks[1, 20:40, 20:50] = True
        time = index / 25 if times is None else times[index] / 1000
        frame = Frame(index, time, index_name(index), picture(index, size))
        yield FrameResult(frame, masks, generator.random(3), generator.random(3))
