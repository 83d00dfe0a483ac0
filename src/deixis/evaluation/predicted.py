"""The predicted masks of one video, looked over as they are read.

What is wrong with an image goes into findings rather than an exception, so that one pass over a prediction
finds everything that is wrong with it; a score is given only where nothing was.

Legend: H W pixels.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import UInt8

from deixis.evaluation.checks.pixels import Rule, check_mask, decode_mask, found_ids
from deixis.evaluation.checks.problems import Findings
from deixis.evaluation.files import Files


@dataclass(frozen=True)
class Placement:
    """Where the masks of a video lie in a prediction.

    Attributes:
        folders: key (expression, object, annotator, or "") -> folder inside the prediction.
        names: all files in those folders, sorted.
        is_file_a_key: files are named by their keys rather than by frames (data sets of images).
    """

    folders: Mapping[str, str]
    names: Sequence[str]
    is_file_a_key: bool = False

    def name(self, frame: str, key: str) -> str:
        """Return the file of a frame, in a folder that is there."""
        return f"{self.folders[key]}/{key if self.is_file_a_key else frame}.png"


@dataclass
class CheckedPrediction:
    """Reads the masks of one video (a ``VideoPrediction`` of protocols) and keeps what is wrong with them.

    Attributes:
        files: the folder or zip.
        placement: where the masks lie.
        size: of the annotation.
        rule: what pixels may hold.
        is_zero_allowed: a mask that is missing counts as empty, and that is noted.
        findings: what was wrong so far.
        seen: key -> ids that occurred in its label maps.
    """

    files: Files
    placement: Placement
    size: tuple[int, int]
    rule: Rule
    is_zero_allowed: bool
    findings: Findings = field(default_factory=Findings)
    seen: dict[str, set[int]] = field(default_factory=dict, init=False)
    _known: frozenset[str] = field(init=False)
    _reported: set[str] = field(default_factory=set, init=False)

    def __post_init__(self) -> None:
        self._known = frozenset(self.placement.names)

    def has(self, key: str = "") -> bool:
        """Tell whether there is a folder of masks for ``key``."""
        return key in self.placement.folders

    def read(self, frame: str, key: str = "") -> UInt8[np.ndarray, "H W"] | None:
        """Return the values of a mask; an empty mask where it is missing or cannot be scored."""
        if key not in self.placement.folders:
            # The check of names has said so already.
            return np.zeros(self.size, np.uint8)
        name = self.placement.name(frame, key)
        is_first = name not in self._reported
        # A protocol may read a frame once for each object: what is wrong with it is said once.
        findings = self.findings if is_first else Findings()
        self._reported.add(name)
        if name not in self._known:
            findings.add_missing("missing frames", name, is_zero_allowed=self.is_zero_allowed)
            return np.zeros(self.size, np.uint8)
        mask = decode_mask(self.files.read(name), name, findings)
        if mask is None or not check_mask(mask, name, self.size, self.rule, findings):
            return np.zeros(self.size, np.uint8)
        if not self.rule.is_binary:
            self.seen.setdefault(key, set()).update(found_ids(mask))
        return mask


def digest(files: Files, names: Sequence[str], top: str) -> str:
    """Return the SHA-256 of names (below ``top``) and contents: the same for a folder and its zip."""
    total = hashlib.sha256()
    for name in names:
        content = hashlib.sha256(files.read(name)).hexdigest()
        total.update(f"{name.removeprefix(f'{top}/')} {content}\n".encode())
    return total.hexdigest()
