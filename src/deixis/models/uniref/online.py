"""UniRef in a video, frame by frame: what it remembers, and one step (UniRef, section 3.4; code).

The state holds the expressions and, of each expression or object, the first frame with its mask and the last
frame in which it was found: no more after a thousand frames than after two. Objects with the same reference
frames go through the network together and share their tensors in the state.

Objects of masks alone compete for pixels (soft aggregation); expressions do not, as two of them may mean one
object. Masks are decided at the size of the video, if the state knows it, and brought to the network's input
(nearest) to be remembered.

Axes: n objects, c channels, h w cells or pixels of the network's input, H W pixels of the video.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypedDict

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional as F

from deixis.models.uniref.output import STRIDE, UniRefVideoFeatures
from deixis.models.uniref.reference import MaskReference, concatenate, stack
from deixis.ops.masks import aligned_upsample, smooth_probabilities
from deixis.ops.merging import merge_by_product
from deixis.structures import TextFeatures

if TYPE_CHECKING:
    from deixis.models.uniref.model import UniRef

REFUSED = -20.0
"""Mask logit where an object is certainly not."""

_NEARLY_NONE = 1e-7


class Remembered(TypedDict):
    """A frame in which an object's mask is known: its index, and what :class:`MaskReference` holds."""

    frame: int
    keys: tuple[Tensor, ...]
    hidden: tuple[Tensor, ...]
    embeddings: tuple[Tensor, ...]
    values: tuple[Tensor, ...]


class State(TypedDict):
    """All that is remembered between frames: tensors and plain values.

    ``text`` holds words, their padding mask and the sentences; ``given`` masks of the next frame;
    ``input_size`` what frames had so far, padded and without padding.
    """

    frame: int
    size: tuple[int, int] | None
    input_size: tuple[int, ...] | None
    text: tuple[Tensor, Tensor, Tensor] | None
    objects: tuple[int, ...]
    given: dict[int, Tensor]
    first: dict[int, Remembered]
    previous: dict[int, Remembered]


@dataclass(frozen=True)
class Answer:
    """What is found in one frame, in the order of the state's objects.

    Attributes:
        mask_logits: ``float [n, h, w]`` over the padded input.
        scores: ``float [n]`` in [0, 1]; 1 where the mask was given.
        probabilities: ``float [n, H, W]`` of each object by itself, 0 where its score is too low.
        masks: ``bool [n, H, W]``.
    """

    mask_logits: Float[Tensor, "n h w"]
    scores: Float[Tensor, "n"]
    probabilities: Float[Tensor, "n H W"]
    masks: Bool[Tensor, "n H W"]


def first_state(
    text: TextFeatures | None, masks: Bool[Tensor, "n H W"] | None, size: tuple[int, int] | None
) -> State:
    """Return the state before the first frame (arguments: see ``UniRef.start``)."""
    if text is None and masks is None:
        raise ValueError("UniRef starts from expressions, from masks of the first frame, or from both")
    if text is not None and masks is not None and len(masks) != len(text.words):
        raise ValueError(f"{len(text.words)} expressions need as many masks, got {len(masks)}")
    if masks is not None and size is None and len(masks):
        size = (int(masks.shape[-2]), int(masks.shape[-1]))
    state = State(
        frame=0,
        size=size,
        input_size=None,
        text=None,
        objects=(),
        given={},
        first={},
        previous={},
    )
    if text is not None:
        assert text.sentence is not None
        state["text"] = (text.words, text.padding_mask, text.sentence)
        state["objects"] = tuple(range(1, len(text.words) + 1))
    return state if masks is None else with_masks(state, dict(enumerate(masks, start=1)))


def with_masks(state: State, masks: Mapping[int, Bool[Tensor, "H W"]]) -> State:
    """Return the state with ``masks`` known in the next frame (arguments: see ``UniRef.give_masks``)."""
    unknown = set(masks) - set(state["objects"])
    if unknown and state["text"] is not None:
        raise ValueError(
            f"there is no expression {min(unknown)}; expressions are 1 to {len(state['objects'])}"
        )
    if any(number < 1 for number in masks):
        raise ValueError(f"ids of objects are positive, 0 is the background; got {min(masks)}")
    objects = tuple(sorted({*state["objects"], *masks}))
    return {**state, "objects": objects, "given": {**state["given"], **masks}}


def without_objects(state: State, ids: Collection[int]) -> State:
    """Return the state that does not follow the objects (or expressions) ``ids`` any more."""
    rows = [row for row, number in enumerate(state["objects"]) if number not in ids]
    words = state["text"]
    text = None if words is None else (words[0][rows], words[1][rows], words[2][rows])
    return {
        **state,
        "text": text,
        "objects": tuple(state["objects"][row] for row in rows),
        "given": {number: mask for number, mask in state["given"].items() if number not in ids},
        "first": {number: frame for number, frame in state["first"].items() if number not in ids},
        "previous": {number: frame for number, frame in state["previous"].items() if number not in ids},
    }


@dataclass(frozen=True)
class _Sizes:
    """Heights and widths of a frame: of the network's input with and without padding, and of the video."""

    padded: tuple[int, int]
    valid: tuple[int, int]
    video: tuple[int, int]


@torch.no_grad()
def take_step(model: "UniRef", frame: UniRefVideoFeatures, state: State) -> tuple[Answer, State]:
    """Find all objects of ``state`` in ``frame`` (one clip of one frame)."""
    sizes = _check(model, frame, state)
    given = {number: mask.to(frame.frames.device) for number, mask in state["given"].items()}
    known = State(**{**state, "given": given})
    if given:
        fresh = _remember(model, frame, given, sizes, state["frame"])
        first, previous = {**state["first"], **fresh}, {**state["previous"], **fresh}
        known = State(**{**known, "first": first, "previous": previous})
    answer = _find(model, frame, known, sizes)
    seen = {
        number: mask
        for number, mask in zip(state["objects"], answer.masks, strict=True)
        if number not in given and model.config.references != "none" and mask.any()
    }
    first, previous = known["first"], known["previous"]
    if seen:
        fresh = _remember(model, frame, seen, sizes, state["frame"])
        first, previous = {**fresh, **first}, {**previous, **fresh}
    after = State(
        frame=state["frame"] + 1,
        size=state["size"],
        input_size=(*sizes.padded, *sizes.valid),
        text=state["text"],
        objects=state["objects"],
        given={},
        first=first,
        previous=previous,
    )
    return answer, after


def _find(model: "UniRef", frame: UniRefVideoFeatures, state: State, sizes: _Sizes) -> Answer:
    """Run the network for all objects that are not given, and settle what belongs to whom."""
    n, device = len(state["objects"]), frame.frames.device
    is_competing = state["text"] is None
    threshold = model.config.mask_threshold if is_competing else model.config.expression_threshold
    scale = 1 if is_competing else STRIDE
    scores = torch.ones(n, device=device)
    logits = torch.full((n, *(-(-extent // scale) for extent in sizes.padded)), REFUSED, device=device)
    probabilities = torch.zeros(n, *sizes.video, device=device)
    for rows, text, masks in _groups(state, model):
        output = model(frame, text, masks=masks)
        best = output.scores.max(dim=2)  # k 1
        found = output.mask_logits(best.indices[..., None])[:, 0].float()  # k 1 h w
        found = aligned_upsample(found, STRIDE) if is_competing else found
        is_found = (best.values > threshold)[..., None]  # k 1 1
        scores[rows] = best.values[:, 0]
        logits[rows] = torch.where(is_found, found[:, 0], REFUSED)
        soft = smooth_probabilities(found[:, 0], sizes.padded, sizes.valid, sizes.video)
        probabilities[rows] = soft * is_found
    for row, number in enumerate(state["objects"]):
        if number in state["given"]:
            mask = state["given"][number]
            probabilities[row] = _enlarged(mask, sizes.video)
            shown = _to_input(mask, sizes)[None, None].float()
            shown = F.interpolate(shown, size=logits.shape[-2:], mode="nearest")[0, 0]
            logits[row] = REFUSED * (1 - 2 * shown)
    if not is_competing:
        return Answer(logits, scores, probabilities, probabilities > 0.5)
    exact = {number for number, mask in state["given"].items() if tuple(mask.shape) == sizes.video}
    is_given = torch.tensor([number in exact for number in state["objects"]], device=device)
    if is_given.any():
        # What is given at the video's size is seen, also where another object is as sure; a mask of the
        # network's size competes, as published.
        is_covered = (probabilities[is_given] == 1).any(dim=0)
        probabilities[~is_given] = probabilities[~is_given].masked_fill(is_covered, 0)
    labels = torch.from_numpy(merge_by_product(probabilities.cpu().numpy())).to(device)
    masks = labels == torch.arange(1, n + 1, device=device)[:, None, None]
    return Answer(margins(logits.sigmoid()), scores, probabilities, masks)


def margins(probabilities: Float[Tensor, "n h w"]) -> Float[Tensor, "n h w"]:
    """Return the logarithm of how many times as likely each object is as its likeliest rival.

    The background, one of the rivals, is as likely as the absence of all objects. A single object has its own
    logit. Ties go to the background, then to the first object.
    """
    if not len(probabilities):
        return probabilities
    background = (1 - probabilities).prod(dim=0, keepdim=True)
    every = torch.cat((background, probabilities)).clamp(min=_NEARLY_NONE).log()  # (1 + n) h w
    best, second = every.topk(2, dim=0).values
    is_winner = every.argmax(dim=0) == torch.arange(1, len(every), device=every.device)[:, None, None]
    return torch.where(is_winner, (best - second).clamp(min=_NEARLY_NONE), every[1:] - best)


def _groups(
    state: State, model: "UniRef"
) -> Iterable[tuple[list[int], TextFeatures | None, MaskReference | None]]:
    """Yield the objects that are not given, those of the same reference frames together, as rows."""
    groups: dict[tuple[int, ...], list[int]] = {}
    for row, number in enumerate(state["objects"]):
        if number not in state["given"]:
            frames = tuple(reference["frame"] for reference in _looked_at(state, number, model))
            groups.setdefault(frames, []).append(row)
    for rows in groups.values():
        remembered = [_looked_at(state, state["objects"][row], model) for row in rows]
        parts = [stack([_reference(each) for each in column]) for column in zip(*remembered, strict=True)]
        text = None if state["text"] is None else TextFeatures(*state["text"])[rows]
        yield rows, text, concatenate(parts) if parts else None


def _looked_at(state: State, number: int, model: "UniRef") -> list[Remembered]:
    """Return the references of an object: of the first and the previous frame, once if they are the same."""
    kind = model.config.references
    if kind == "none" or number not in state["first"]:
        return []
    first, previous = state["first"][number], state["previous"][number]
    if kind == "first" or (kind == "both" and first["frame"] == previous["frame"]):
        return [first]
    return [previous] if kind == "previous" else [first, previous]


def _reference(remembered: Remembered) -> MaskReference:
    return MaskReference(
        remembered["keys"], remembered["hidden"], remembered["embeddings"], remembered["values"]
    )


def _remember(
    model: "UniRef",
    frame: UniRefVideoFeatures,
    masks: Mapping[int, Bool[Tensor, "_h _w"]],
    sizes: _Sizes,
    index: int,
) -> dict[int, Remembered]:
    """Make references of ``masks`` in ``frame``; each object owns its values, all share the frame's."""
    made = model.encode_masks(frame, torch.stack([_to_input(mask, sizes) for mask in masks.values()]))
    keys = tuple(level.contiguous() for level in made.keys)
    return {
        number: Remembered(
            frame=index,
            keys=keys,
            hidden=made.hidden,
            embeddings=made.embeddings,
            values=tuple(level[row : row + 1].clone() for level in made.values),
        )
        for row, number in enumerate(masks)
    }


def _check(model: "UniRef", frame: UniRefVideoFeatures, state: State) -> _Sizes:
    """Return the sizes of a frame, the same for all frames of a state; raise where something does not fit."""
    if frame.frames.shape[:2] != (1, 1):
        raise ValueError(f"a step takes one frame, got {tuple(frame.frames.shape[:2])} clips and frames")
    width, height = (int(extent) for extent in frame.frame_sizes[0])
    padded, valid = (int(frame.frames.shape[-2]), int(frame.frames.shape[-1])), (height, width)
    before = state["input_size"]
    if before not in (None, (*padded, *valid)):
        raise ValueError(f"a frame of {valid} after frames of {before[2:]}; bring all to one size first")
    size = state["size"] or valid
    for mask in state["given"].values():
        if tuple(mask.shape) not in (valid, size):
            raise ValueError(f"a mask of {tuple(mask.shape)} for a frame of {size}, {valid} in the network")
    if state["given"] and model.config.references == "none":
        raise ValueError("this model looks at expressions alone (references: none) and takes no masks")
    return _Sizes(padded, valid, size)


def _to_input(mask: Bool[Tensor, "_h _w"], sizes: _Sizes) -> Bool[Tensor, "h w"]:
    """Bring a mask to the network's input (nearest), padding left out of it."""
    resized = F.interpolate(mask[None, None].float(), size=sizes.valid, mode="nearest")[0, 0]
    missing = (sizes.padded[1] - sizes.valid[1], sizes.padded[0] - sizes.valid[0])
    return F.pad(resized, (0, missing[0], 0, missing[1])).bool()


def _enlarged(mask: Bool[Tensor, "_h _w"], size: tuple[int, int]) -> Float[Tensor, "H W"]:
    """Bring a mask to the video's size; one of the network's size gets soft edges, as published."""
    return F.interpolate(mask[None, None].float(), size=size, mode="bilinear", align_corners=False)[0, 0]
