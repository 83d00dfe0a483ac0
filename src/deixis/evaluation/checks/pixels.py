"""Does an image of a prediction hold what it should: ids or a binary mask, at the right size?

Legend: H W pixels.
"""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8

from deixis.evaluation.checks.problems import Findings, Problem
from deixis.ops.png import decode_label_map

VOID = 255
"""The value of pixels that a truth leaves out of account; no object's id."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What the pixels of a prediction may be.

    Attributes:
        is_binary: any non-zero pixel is foreground; otherwise a pixel's value is the id of its object.
        ids: ids that may occur in label maps; None: any from 1 to 254.
        is_union: a binary mask may be made of several ids, without a word about it.
    """

    is_binary: bool
    ids: frozenset[int] | None = None
    is_union: bool = False


def decode_mask(content: bytes, place: str, findings: Findings) -> UInt8[np.ndarray, "H W"] | None:
    """Return the values of a palette or grey image, never its colours; None where ``findings`` got a problem.

    Args:
        content: of the file.
        place: name of the file in messages.
        findings: takes what is wrong.
    """
    try:
        return decode_label_map(content)
    except ValueError as error:
        findings.problems.append(Problem("unusable images", place, str(error)))
        return None


def check_mask(
    mask: UInt8[np.ndarray, "H W"], place: str, size: tuple[int, int], rule: Rule, findings: Findings
) -> bool:
    """Tell whether a decoded mask can be scored; what is wrong or odd goes into ``findings``.

    It looks at every pixel of every mask, so it must cost little beside decoding them.
    """
    if mask.shape != size:
        findings.problems.append(
            Problem(
                f"masks of {mask.shape[0]}x{mask.shape[1]} where the truth is {size[0]}x{size[1]}",
                place,
                "nothing is resized; save masks at the size of the annotation",
            )
        )
        return False
    if rule.is_binary:
        if not rule.is_union and np.count_nonzero(mask) > np.count_nonzero(mask == max(1, mask.max())):
            findings.notes.append(
                Problem(
                    "masks with several non-zero values", place, "every non-zero pixel counts as foreground"
                )
            )
        return True
    return _check_ids(found_ids(mask), place, rule.ids, findings)


def found_ids(mask: UInt8[np.ndarray, "H W"]) -> list[int]:
    """Return the values above 0 that occur, in order."""
    # Searching bytes for one value takes some ten microseconds, counting all values a hundred times that.
    content = mask.tobytes()
    return [value for value in range(1, int(mask.max(initial=0)) + 1) if value in content]


def _check_ids(values: list[int], place: str, ids: Collection[int] | None, findings: Findings) -> bool:
    """Tell whether the values of a label map are ids that may occur."""
    if values == [VOID] and (ids is None or VOID not in ids):
        findings.problems.append(
            Problem(
                "masks of 0 and 255 where object ids are wanted",
                place,
                "save 1, 2, ... for the objects, 0 for the background",
            )
        )
        return False
    if VOID in values and (ids is None or VOID not in ids):
        findings.problems.append(
            Problem("void (255) in the prediction", place, "only the truth has void pixels; save ids or 0")
        )
        return False
    unknown = [value for value in values if ids is not None and value not in ids]
    if unknown:
        known = ", ".join(map(str, sorted(ids or ())[:20])) or "none"
        findings.problems.append(
            Problem(
                f"objects that the truth lacks (ids {', '.join(map(str, unknown[:10]))})",
                place,
                f"the video's objects are {known}",
            )
        )
        return False
    return True
