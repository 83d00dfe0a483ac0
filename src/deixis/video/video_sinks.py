"""Sinks that write video files."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from deixis.errors import SinkError
from deixis.video.encoder import VideoEncoder
from deixis.video.formats import cut_mask
from deixis.video.frames import ASSUMED_FRAME_RATE, AudioTrack
from deixis.video.legend import Legend
from deixis.video.overlay import draw, side_by_side
from deixis.video.palette import Colour, overlay_colour
from deixis.video.results import FrameResult
from deixis.video.sinks import Sink


class _VideoSink(Sink):
    """A sink that makes one picture a frame: H.264 in mp4, with the source's own times and sound."""

    def __init__(
        self,
        path: str | Path,
        *,
        frame_rate: float | None,
        audio_from: AudioTrack | None,
        crf: int,
        overwrite: bool,
    ) -> None:
        super().__init__(path, overwrite=overwrite)
        if self.path.suffix.lower() != ".mp4":
            raise SinkError(f"{path} would be an mp4 video; give a name that ends in .mp4")
        self._frame_rate = ASSUMED_FRAME_RATE if frame_rate is None else frame_rate
        self._audio_from = audio_from
        self._crf = crf
        self._encoder: VideoEncoder | None = None

    def _picture(self, result: FrameResult) -> UInt8[np.ndarray, "H _W 3"]:
        raise NotImplementedError

    def _write(self, result: FrameResult, partial: Path) -> None:
        picture = self._picture(result)
        if self._encoder is None:
            self._encoder = VideoEncoder(
                partial, picture.shape[:2], self._frame_rate, audio=self._audio_from, crf=self._crf
            )
        self._encoder.write(picture, result.frame.time)

    def _finish(self, partial: Path) -> None:
        if self._encoder is not None:
            self._encoder.close()

    def _abandon(self) -> None:
        if self._encoder is not None:
            self._encoder.abort()


class OverlayVideo(_VideoSink):
    """The video with the masks drawn on it, which plays in browsers."""

    def __init__(
        self,
        path: str | Path,
        expressions: Sequence[str],
        *,
        frame_rate: float | None = None,
        audio_from: AudioTrack | None = None,
        colours: Sequence[Colour] | None = None,
        alpha: float = 0.45,
        has_legend: bool = True,
        is_side_by_side: bool = False,
        crf: int = 18,
        overwrite: bool = False,
    ) -> None:
        """Prepare the video.

        Args:
            path: ends in ``.mp4``.
            expressions: the sentences, for the legend.
            frame_rate: of the source as delivered (``Source.frame_rate``); None: 25. Frames keep their own
                times.
            audio_from: the sound to keep (``Source.audio``).
            colours: one an expression; None: :func:`~deixis.video.palette.overlay_colour`.
            alpha: strength of the tint in [0, 1].
            has_legend: write the sentences and their colours into a corner.
            is_side_by_side: put the frame as it was on the left.
            crf: quality of H.264, from 0 (lossless) to 51.
            overwrite: replace an existing file.
        """
        super().__init__(path, frame_rate=frame_rate, audio_from=audio_from, crf=crf, overwrite=overwrite)
        self._expressions = tuple(expressions)
        count = len(self._expressions)
        self._colours = colours or [overlay_colour(number) for number in range(count)]
        self._alpha = alpha
        self._has_legend = has_legend
        self._is_side_by_side = is_side_by_side
        self._legend: Legend | None = None

    def _picture(self, result: FrameResult) -> UInt8[np.ndarray, "H _W 3"]:
        image = result.frame.image
        if self._has_legend and self._expressions and self._legend is None:
            self._legend = Legend(self._expressions, self._colours, result.frame.size)
        drawn = draw(image, result.masks, colours=self._colours, alpha=self._alpha, legend=self._legend)
        return side_by_side(image, drawn) if self._is_side_by_side else drawn


class CutOutVideo(_VideoSink):
    """The referents as they are on a background of one colour."""

    def __init__(
        self,
        path: str | Path,
        *,
        background: Colour = (0, 177, 64),
        expression: int | None = None,
        frame_rate: float | None = None,
        audio_from: AudioTrack | None = None,
        crf: int = 18,
        overwrite: bool = False,
    ) -> None:
        """Prepare the video.

        Args:
            path: ends in ``.mp4``.
            background: RGB; the default is the green of chroma keys.
            expression: the index of the one to cut out, None: all of them together.
            frame_rate: as for :class:`OverlayVideo`.
            audio_from: as for :class:`OverlayVideo`.
            crf: as for :class:`OverlayVideo`.
            overwrite: replace an existing file.
        """
        super().__init__(path, frame_rate=frame_rate, audio_from=audio_from, crf=crf, overwrite=overwrite)
        self._background = np.array(background, dtype=np.uint8)
        self._expression = expression

    def _picture(self, result: FrameResult) -> UInt8[np.ndarray, "H _W 3"]:
        mask = cut_mask(result.masks, self._expression)
        return np.where(mask[:, :, None], result.frame.image, self._background)
