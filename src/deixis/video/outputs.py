"""The outputs that a user can ask for by name, and where they lie in an output folder."""

from collections.abc import Sequence
from pathlib import Path

from deixis.errors import UnknownNameError
from deixis.video.frames import Source
from deixis.video.sinks import Arrays, BinaryPngs, CutOutPngs, PalettePngs, RleJsonLines, Sink
from deixis.video.video_sinks import CutOutVideo, OverlayVideo

#: Name of an output and what it is called in the output folder.
OUTPUTS = {
    "overlay": "overlay.mp4",
    "masks": "masks",
    "binary": "binary",
    "json": "masks.jsonl",
    "cutout": "cutout",
    "cutout-video": "cutout.mp4",
    "arrays": "masks.npz",
}


def output_path(name: str, folder: str | Path) -> Path:
    """Return where output ``name`` lies in ``folder``; it exists exactly when it is complete.

    Raises:
        UnknownNameError: there is no such output.
    """
    if name not in OUTPUTS:
        raise UnknownNameError("output", name, OUTPUTS)
    return Path(folder) / OUTPUTS[name]


def open_output(
    name: str,
    folder: str | Path,
    expressions: Sequence[str],
    source: Source | None,
    *,
    object_ids: Sequence[int] | None = None,
    overwrite: bool = False,
) -> Sink:
    """Return the sink of output ``name``, not yet entered.

    Args:
        name: one of ``OUTPUTS``.
        folder: made when the sink is entered.
        expressions: the sentences.
        source: gives videos their rate and sound; None: 25 frames a second, silent.
        object_ids: of the objects that the sentences stand for, for palette PNGs; None: 1, 2, ...
        overwrite: replace what is there.

    Raises:
        UnknownNameError: there is no such output.
    """
    path = output_path(name, folder)
    frame_rate, audio = (None, None) if source is None else (source.frame_rate, source.audio)
    match name:
        case "overlay":
            return OverlayVideo(
                path, expressions, frame_rate=frame_rate, audio_from=audio, overwrite=overwrite
            )
        case "cutout-video":
            return CutOutVideo(path, frame_rate=frame_rate, audio_from=audio, overwrite=overwrite)
        case "masks":
            return PalettePngs(path, object_ids=object_ids, overwrite=overwrite)
        case "binary":
            return BinaryPngs(path, expressions, overwrite=overwrite)
        case "json":
            return RleJsonLines(path, expressions, overwrite=overwrite)
        case "cutout":
            return CutOutPngs(path, overwrite=overwrite)
        case _:
            return Arrays(path, overwrite=overwrite)
