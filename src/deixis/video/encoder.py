"""Video files that play in browsers: H.264 in mp4, true timestamps, with the sound of the source."""

import logging
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from deixis.errors import SinkError
from deixis.video.frames import AudioTrack

logger = logging.getLogger(__name__)

_COPIED_CODECS = ("aac", "mp3")  # what every browser plays in mp4; anything else becomes AAC
_AAC_RATES = (48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000)
_MAX_DRIFT = 0.1  # seconds
_BT709 = 1  # its number as matrix, primaries and transfer (ITU-T H.273)
_LIMITED_RANGE = 1


class VideoEncoder:
    """Writes frames of one size to an mp4 file: 4:2:0 colour, BT.709, the index in front of the pictures.

    Odd heights and widths are made even by repeating the last row or column.
    """

    def __init__(
        self,
        path: Path,
        size: tuple[int, int],
        frame_rate: float,
        *,
        audio: AudioTrack | None = None,
        crf: int = 18,
        preset: str = "veryfast",
    ) -> None:
        """Open the file.

        Args:
            path: any name; the format is mp4.
            size: height and width of the frames.
            frame_rate: the nominal rate; timestamps of frames need not follow it.
            audio: the sound to keep.
            crf: quality, from 0 (lossless) to 51.
            preset: of x264, speed against size of the file.

        Raises:
            SinkError: the file cannot be written.
        """
        import av

        self._name = str(path).removesuffix(".partial")
        self._audio = None
        rate = Fraction(frame_rate).limit_denominator(1001)
        # Ticks that hit constant rates exactly and variable ones to 0.1 ms.
        ticks = rate.numerator * max(1, -(-10000 // rate.numerator))
        self._time_base = Fraction(1, ticks)
        self._frame_ticks = max(1, round(ticks / rate))
        self._last = -1
        self._origin: float | None = None
        with self._reported_errors():
            self._output = av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"})
            self._stream = self._output.add_stream("libx264", rate, {"crf": str(crf), "preset": preset})
        height, width = size
        self._stream.height, self._stream.width = height + height % 2, width + width % 2
        self._stream.pix_fmt = "yuv420p"
        context = self._stream.codec_context
        context.time_base = self._time_base
        context.colorspace = context.color_primaries = context.color_trc = _BT709
        context.color_range = _LIMITED_RANGE
        if audio is not None:
            self._audio = AudioCopy(audio, self._output)

    def write(self, image: UInt8[np.ndarray, "H W 3"], time: float) -> None:
        """Add a frame that is shown at ``time`` seconds, counted from any origin; times must rise.

        Raises:
            SinkError: the file cannot be written.
        """
        import av
        from av.video.reformatter import Colorspace

        self._origin = time if self._origin is None else self._origin
        odd = ((0, image.shape[0] % 2), (0, image.shape[1] % 2), (0, 0))
        padded = np.pad(image, odd, mode="edge") if odd[0][1] or odd[1][1] else np.ascontiguousarray(image)
        picture = av.VideoFrame.from_ndarray(padded, format="rgb24")
        picture = picture.reformat(format="yuv420p", dst_colorspace=Colorspace.ITU709)
        self._last = max(round((time - self._origin) / self._time_base), self._last + 1)
        picture.pts, picture.time_base = self._last, self._time_base
        with self._reported_errors():
            self._mux(self._stream.encode(picture))
            if self._audio is not None:
                self._audio.copy_until(time - self._origin)

    def close(self) -> None:
        """Write what is left, and the index.

        Raises:
            SinkError: the file cannot be written.
        """
        with self._reported_errors():
            self._mux(self._stream.encode())
            if self._audio is not None:
                self._audio.copy_until(float((self._last + self._frame_ticks) * self._time_base))
                self._audio.close()
            self._output.close()

    def abort(self) -> None:
        """Let go of the file, which is then worthless."""
        with suppress(SinkError), self._reported_errors():
            if self._audio is not None:
                self._audio.close()
            self._output.close()

    def _mux(self, packets: list[Any]) -> None:
        for packet in packets:
            packet.duration = packet.duration or self._frame_ticks
            self._output.mux(packet)

    @contextmanager
    def _reported_errors(self) -> Generator[None]:
        import av

        try:
            yield
        except (av.FFmpegError, OSError) as error:
            reason = (getattr(error, "strerror", None) or str(error)).lower()
            message = f"{self._name} cannot be written ({reason}); free space or choose another folder"
            raise SinkError(message) from error


class AudioCopy:
    """Copies the sound of a source in step with the frames; damaged packets are left out."""

    def __init__(self, track: AudioTrack, output: Any) -> None:
        """Open the file of ``track`` and add a stream to the ``output`` container."""
        import av

        self._track = track
        self._output = output
        self._input = av.open(str(track.path))
        source = self._input.streams.audio[0]
        self._is_copied = source.codec_context.codec.canonical_name in _COPIED_CODECS
        if self._is_copied:
            self._stream = output.add_stream_from_template(source)
        else:
            rate = source.codec_context.sample_rate
            self._stream = output.add_stream("aac", rate if rate in _AAC_RATES else _AAC_RATES[0])
            self._stream.layout = "mono" if source.codec_context.layout.nb_channels == 1 else "stereo"
        self._origin = (self._input.start_time or 0) / 1_000_000 + track.start
        if track.start > 0:
            self._input.seek(int(self._origin * 1_000_000))
        self._pieces = self._read(source)
        self._next = 0
        self._waiting: tuple[float, Any] | None = None

    def copy_until(self, seconds: float) -> None:
        """Write all sound that begins before ``seconds`` after the first frame, and within the track."""
        while True:
            self._waiting = self._waiting or next(self._pieces, None)
            if self._waiting is None:
                return
            time, piece = self._waiting
            if time >= seconds:
                return
            self._waiting = None
            if self._is_copied:
                piece.stream = self._stream
                self._output.mux(piece)
            else:
                self._output.mux(self._stream.encode(piece))

    def close(self) -> None:
        """Write the last sounds of the encoder and close the source's file."""
        if not self._is_copied:
            self._output.mux(self._stream.encode())
        self._input.close()

    def _read(self, source: Any) -> Iterator[tuple[float, Any]]:
        """Yield packets (to copy) or frames (to encode) from the beginning of the track, at times from 0."""
        import av

        length = None if self._track.end is None else self._track.end - self._track.start
        packets = self._input.demux(source)
        while True:
            try:
                packet = next(packets, None)
                pieces = [] if packet is None else [packet] if self._is_copied else packet.decode()
            except av.FFmpegError:
                logger.warning("%s: part of the sound is damaged and left out", self._track.path)
                continue
            if packet is None:
                return
            for piece in pieces:
                if piece.pts is None:
                    continue
                time = float(piece.pts * piece.time_base) - self._origin
                if length is not None and time >= length:
                    return
                if time > -1e-3:
                    self._stamp(piece, max(0.0, time))
                    yield max(0.0, time), piece

    def _stamp(self, piece: Any, time: float) -> None:
        """Give ``piece`` a timestamp near ``time``, after the last: some containers tell times coarsely."""
        if self._is_copied:
            piece.pts = piece.dts = self._next = max(round(time / piece.time_base), self._next)
            self._next += 1
            return
        # Samples follow one another without a gap, unless the source has one.
        start = round(time * piece.sample_rate)
        self._next = start if start - self._next > _MAX_DRIFT * piece.sample_rate else self._next
        piece.pts, piece.time_base = self._next, Fraction(1, piece.sample_rate)
        self._next += piece.samples
