"""Which files of a prediction belong to which video, and are they what the protocol scores?"""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from deixis.evaluation.checks.names import Wanted, check_names, find_top, find_tops
from deixis.evaluation.checks.pixels import Rule, check_mask, decode_mask
from deixis.evaluation.checks.problems import Findings, PredictionError
from deixis.evaluation.files import FolderFiles, ZipFiles, open_files
from deixis.evaluation.predicted import Placement
from deixis.evaluation.protocols.base import Options, VideoProtocol, VideoTruth
from deixis.evaluation.scoring import Task, truth_size

_NUM_ANNOTATORS = 4


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Predictions that were found, ready to be scored.

    Attributes:
        files: the folder or zip.
        top: folder in it that holds the videos, "" for the top itself or where there are several.
        tasks: one a video.
        findings: what is wrong or odd about the names.
    """

    files: FolderFiles | ZipFiles
    top: str
    tasks: tuple[Task, ...]
    findings: Findings


def make_plan(path: Path, truths: Sequence[VideoTruth], protocol: VideoProtocol, options: Options) -> Plan:
    """Find the videos in a folder or zip and compare the names of all files with what is wanted.

    Raises:
        DatasetError: ``path`` is neither a folder nor a zip, or a zip that leads elsewhere.
        PredictionError: no video is found, or it is not clear which folder is meant.
    """
    files = open_files(path)
    findings = Findings()
    videos = [truth.name for truth in truths]
    tops = _annotators(files, videos) if protocol.unit == "annotator" else {"": find_top(files, videos)}
    wanted = [_wanted(truth, protocol, options) for truth in truths]
    for top in tops.values():
        findings += check_names(files, top, wanted, is_zero_allowed=options.missing == "zero")
    folders: dict[str, list[str]] = defaultdict(list)
    for name in files.names:
        folders[name.rpartition("/")[0]].append(name)
    return Plan(
        files=files,
        top=next(iter(tops.values())) if len(tops) == 1 else "",
        tasks=tuple(
            Task(truth=truth, placement=_place(truth, protocol, tops, folders), rule=_rule(truth, protocol))
            for truth in truths
        ),
        findings=findings,
    )


def probe(plan: Plan) -> Findings:
    """Look at one image of each video: what is wrong with a whole prediction shows at once."""
    findings = Findings()
    for task in plan.tasks:
        names = [name for name in task.placement.names if name.endswith(".png")]
        if names:
            name = names[len(names) // 2]
            mask = decode_mask(plan.files.read(name), name, findings)
            if mask is not None:
                check_mask(mask, name, truth_size(task.truth), task.rule, findings)
    # What is merely odd will be found again, and counted, when all images are scored.
    findings.notes.clear()
    return findings


def _annotators(files: FolderFiles | ZipFiles, videos: Sequence[str]) -> Mapping[str, str]:
    """Return annotator -> folder: by the number at the end of its name, as in ``anno_0`` to ``anno_3``."""
    tops = find_tops(files, videos)
    most = max((len(found) for found in tops.values()), default=0)
    whole = sorted(top for top, found in tops.items() if 2 * len(found) > most)
    if not whole:
        # Says what is there instead.
        find_top(files, videos)
    if len(whole) == 1:
        raise PredictionError(
            f"{files.place} holds one folder of masks ({whole[0] or 'at its top'}), but the protocol "
            "averages over four annotators, anno_0 to anno_3; give all four, or score the one as DAVIS with "
            "--protocol davis17-unsupervised (davis17-semi: by id)"
        )
    numbers = [re.search(r"(\d+)$", top) for top in whole]
    if len(whole) != _NUM_ANNOTATORS or not all(numbers):
        raise PredictionError(
            f"{files.place} holds the videos in {len(whole)} folders ({', '.join(whole[:5])}); "
            "the protocol needs four, called anno_0 to anno_3"
        )
    ordered = sorted(zip((int(number[1]) for number in numbers if number), whole, strict=True))
    return {str(index): top for index, (_, top) in enumerate(ordered)}


def _wanted(truth: VideoTruth, protocol: VideoProtocol, options: Options) -> Wanted:
    """Return the files that a protocol reads of one video.

    Of objects with ranges of their own, and of samples, only the protocol knows the frames; they are looked
    for when scored.
    """
    frames = truth.frames
    if _is_listed(truth) or ("oIoU" in protocol.columns and len(frames) > 1):
        frames = ()
    elif (options.frames or protocol.frames) == "inner":
        frames = frames[1:-1]
    keys = _keys(truth, protocol)
    if _is_file_a_key(protocol):
        return Wanted(video=truth.name, expressions=None, frames=keys or (), known_frames=keys or ())
    return Wanted(video=truth.name, expressions=keys, frames=frames, known_frames=truth.frames)


def _keys(truth: VideoTruth, protocol: VideoProtocol) -> tuple[str, ...] | None:
    """Return what has masks of its own in a video; None where a label map holds all."""
    if protocol.unit == "expression" and truth.expressions:
        return tuple(expression.id for expression in truth.expressions)
    if protocol.unit in ("expression", "object"):
        return tuple(map(str, truth.object_ids))
    return None


def _is_file_a_key(protocol: VideoProtocol) -> bool:
    """Tell whether the files of a video are named by expressions rather than by frames."""
    return protocol.layout.endswith("{video}/{key}.png")


def _place(
    truth: VideoTruth, protocol: VideoProtocol, tops: Mapping[str, str], folders: Mapping[str, Sequence[str]]
) -> Placement:
    """Return where the masks of a video lie; what is not there is left out."""
    wanted: dict[str, str] = {}
    for annotator, top in tops.items():
        base = f"{top}/{truth.name}" if top else truth.name
        keys = _keys(truth, protocol)
        if keys is None:
            wanted[annotator] = base
        elif _is_file_a_key(protocol):
            wanted |= dict.fromkeys(keys, base)
        else:
            wanted |= {key: f"{base}/{key}" for key in keys}
    found = {key: folder for key, folder in wanted.items() if folder in folders}
    return Placement(
        folders=found,
        names=tuple(sorted(name for folder in {*found.values()} for name in folders[folder])),
        is_file_a_key=_is_file_a_key(protocol),
    )


def _rule(truth: VideoTruth, protocol: VideoProtocol) -> Rule:
    """Return what a video's pixels may hold.

    Where the metadata lists the objects, no others may occur. Else only the protocol knows how many there
    may be, and says so when it scores.
    """
    if protocol.pixels == "mask":
        return Rule(is_binary=True, is_union=not protocol.unit)
    return Rule(is_binary=False, ids=frozenset(truth.object_ids) if _is_listed(truth) else None)


def _is_listed(truth: VideoTruth) -> bool:
    """Tell whether the metadata says of each object in which frames it counts."""
    return any(info.frames is not None for info in truth.objects)
