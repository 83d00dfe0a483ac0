"""Are the files of a prediction those that a benchmark asks for? Names only; no image is opened.

Predictions are ``VIDEO/FRAME.png`` (label maps: a pixel's value is the id of its object) or
``VIDEO/EXPRESSION/FRAME.png`` (a binary mask of each expression), at any depth of folders.
"""

import difflib
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from deixis.evaluation.checks.problems import Findings, PredictionError, Problem
from deixis.evaluation.files import Files

_FAMILIES = (
    (re.compile(r"[0-9a-f]{10}"), "YouTube-VOS or Ref-YouTube-VOS"),
    (re.compile(r"[0-9a-f]{12}"), "MeViS"),
    (re.compile(r"[A-Za-z0-9]{8}"), "LVOS"),
    (re.compile(r"[a-z]+(-[a-z]+)+"), "DAVIS"),
)
"""What names of videos look like, by data set."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """The files that a benchmark wants of one video.

    Attributes:
        video: its name.
        expressions: ids, each a folder of binary masks; None: label maps in the video's own folder.
        frames: stems that are scored.
        known_frames: stems of all frames of the video; files of those that are not scored are fine.
    """

    video: str
    expressions: tuple[str, ...] | None
    frames: tuple[str, ...]
    known_frames: tuple[str, ...]

    @property
    def folders(self) -> tuple[str, ...]:
        """Folders of masks, relative to the one that holds the videos."""
        if self.expressions is None:
            return (self.video,)
        return tuple(f"{self.video}/{expression}" for expression in self.expressions)


def find_top(files: Files, videos: Collection[str]) -> str:
    """Return the folder inside ``files`` that holds the videos' folders, "" for the top itself.

    Raises:
        PredictionError: there is none, or several have the same videos.
    """
    tops = find_tops(files, videos)
    if not tops:
        raise PredictionError(_no_video(files, videos))
    names = sorted(tops, key=lambda top: (-len(tops[top]), top))
    best = names[0]
    rivals = [name for name in names[1:] if len(tops[name] & tops[best]) * 2 > len(tops[best])]
    if rivals:
        listed = ", ".join(name or "(top)" for name in [best, *rivals][:5])
        raise PredictionError(
            f"{files.place} holds the same videos in {len(rivals) + 1} folders ({listed}); "
            "give the one that is to be scored"
        )
    return best


def find_tops(files: Files, videos: Collection[str]) -> dict[str, set[str]]:
    """Return every folder that holds folders of videos, with the videos that it holds."""
    videos = frozenset(videos)
    found: dict[str, set[str]] = defaultdict(set)
    for folder in {name.rpartition("/")[0] for name in files.names}:
        parts = folder.split("/")
        for depth, part in enumerate(parts):
            if part in videos:
                found["/".join(parts[:depth])].add(part)
                break
    return dict(found)


def check_names(
    files: Files, top: str, wanted: Sequence[Wanted], *, is_zero_allowed: bool = False
) -> Findings:
    """Compare the files under ``top`` with what is wanted.

    Args:
        files: the prediction.
        top: folder that holds the videos, from :func:`find_top`.
        wanted: one entry a video.
        is_zero_allowed: missing masks are to be scored as empty: they are notes, not problems.
    """
    findings = Findings()
    if top:
        findings.notes.append(Problem("videos found in the folder", top))
    inside = _group(files.names, top)
    known = {entry.video for entry in wanted}
    extra = sorted(set(inside) - known)
    for video in extra:
        findings.notes.append(Problem("not a video of this split, left out", video))
    for entry in wanted:
        if entry.video not in inside:
            findings.add_missing("missing videos", entry.video, is_zero_allowed=is_zero_allowed)
            continue
        shape = _wrong_depth(entry, inside[entry.video])
        if shape is not None:
            findings.problems.append(shape)
            continue
        _check_video(entry, inside[entry.video], top, findings, is_zero_allowed=is_zero_allowed)
    return findings


def _check_video(
    entry: Wanted, folders: dict[str, list[str]], top: str, findings: Findings, *, is_zero_allowed: bool
) -> None:
    """Compare the folders and frames of one video with what is wanted of it."""
    names = ("",) if entry.expressions is None else entry.expressions
    known = frozenset(entry.known_frames)
    for name in names:
        place = "/".join(part for part in (top, entry.video, name) if part)
        deeper = next((folder for folder in folders if folder.startswith(f"{name}/" if name else "")), None)
        if name not in folders and deeper is not None:
            advice = f"masks are wanted right in {name or entry.video}/"
            findings.problems.append(Problem("masks too deep in folders", f"{entry.video}/{deeper}", advice))
            continue
        if name not in folders:
            findings.add_missing("missing expressions", place, is_zero_allowed=is_zero_allowed)
            continue
        suffixes = {PurePosixPath(file).stem: PurePosixPath(file).suffix.lower() for file in folders[name]}
        lost = [frame for frame in entry.frames if frame not in suffixes]
        if lost and len(lost) == len(entry.frames):
            advice = f"frames are called {entry.frames[0]}.png; found {folders[name][0]}"
            findings.problems.append(Problem("no frame of the right name in", place, advice))
            continue
        for frame in lost:
            findings.add_missing("missing frames", f"{place}/{frame}.png", is_zero_allowed=is_zero_allowed)
        for stem, suffix in suffixes.items():
            if stem in known and suffix != ".png":
                findings.problems.append(
                    Problem(
                        "masks are not PNG", f"{place}/{stem}{suffix}", "other formats change ids; save PNG"
                    )
                )
            elif stem not in known:
                findings.notes.append(
                    Problem("not frames that are scored, left out", f"{place}/{stem}{suffix}")
                )
    if entry.expressions is not None:
        for name in sorted(set(folders) - set(names)):
            findings.notes.append(Problem("no expression of the video, left out", f"{entry.video}/{name}"))


def _wrong_depth(entry: Wanted, folders: dict[str, list[str]]) -> Problem | None:
    """Tell label maps from folders of binary masks where the other kind is wanted."""
    if entry.expressions is None and "" not in folders:
        example = f"{entry.video}/{next(iter(folders))}"
        return Problem(
            "a folder an expression, but label maps VIDEO/FRAME.png are wanted",
            example,
            "merge the objects into label maps, or choose a --protocol that scores expressions",
        )
    if entry.expressions is not None and set(folders) == {""}:
        return Problem(
            "label maps, but a folder of binary masks an expression is wanted",
            f"{entry.video}/{folders[''][0]}",
            "save VIDEO/EXPRESSION/FRAME.png, or choose a --protocol that scores label maps",
        )
    return None


def _group(names: Iterable[str], top: str) -> dict[str, dict[str, list[str]]]:
    """Return video -> folder inside it -> files, of what lies under ``top``."""
    prefix = f"{top}/" if top else ""
    found: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for name in names:
        if name.startswith(prefix):
            video, _, rest = name[len(prefix) :].partition("/")
            folder, _, file = rest.rpartition("/")
            if rest:
                found[video][folder].append(file)
    return found


def _no_video(files: Files, videos: Collection[str]) -> str:
    """Say that no video is there, what is there instead, and of which data set it seems to be."""
    folders = sorted({part for name in files.names for part in name.split("/")[:-1]})
    images = sum(name.lower().endswith((".png", ".jpg")) for name in files.names)
    message = f"{files.place} has no folder of any of the {len(videos):,} videos, such as {min(videos)}"
    if not folders:
        example = files.names[0]
        return f"{message}; it holds {len(files.names):,} files without folders, such as {example}"
    message += f"; it holds {', '.join(folders[:3])}"
    if not images:
        return f"{message}, but no image"
    close = difflib.get_close_matches(folders[0], list(videos), n=1, cutoff=0.8)
    family = next(
        (name for pattern, name in _FAMILIES if all(map(pattern.fullmatch, _deep(files.names)))), None
    )
    expected = next((name for pattern, name in _FAMILIES if pattern.fullmatch(min(videos))), None)
    if family is not None and family != expected:
        return f"{message}, which look like videos of {family}: predictions of another data set?"
    return f"{message}" + (f"; is {folders[0]} meant to be {close[0]}?" if close else "")


def _deep(names: Sequence[str]) -> list[str]:
    """Return the names of the folders that are most likely videos: those with the most different names."""
    levels: dict[int, set[str]] = defaultdict(set)
    for name in names:
        for depth, part in enumerate(name.split("/")[:-1]):
            levels[depth].add(part)
    return sorted(max(levels.values(), key=len)) if levels else []
