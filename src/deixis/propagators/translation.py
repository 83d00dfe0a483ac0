"""A propagator without weights: each object is a picture that slides over the frames.

Axes: k objects, c colours, h w pixels of an object's box, y x displacements, H W pixels of the video.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float, UInt8
from torch import Tensor
from torch.nn import functional as F

from deixis.propagators.base import ObjectMasks, PropagatedMasks, check_dropped, check_step, find_nothing

MIN_VISIBLE = 0.25
"""Share of an object that must lie inside the frame for a place to be compared."""


@dataclass(frozen=True)
class SlidingObject:
    """One object: what it looks like, and where it is.

    Attributes:
        picture: ``float [3, h, w]`` colours in [0, 1] inside its box, as given.
        mask: ``bool [h, w]``.
        top, left: corner of the box; may lie outside the frame.
    """

    picture: Float[Tensor, "3 h w"]
    mask: Bool[Tensor, "h w"]
    top: int
    left: int

    def drawn(self, size: tuple[int, int]) -> Bool[Tensor, "H W"]:
        """Return the mask over a frame of ``size``."""
        drawn = torch.zeros(size, dtype=torch.bool, device=self.mask.device)
        height, width = self.mask.shape
        top, left = max(self.top, 0), max(self.left, 0)
        bottom, right = min(self.top + height, size[0]), min(self.left + width, size[1])
        if bottom > top and right > left:
            inside = self.mask[top - self.top : bottom - self.top, left - self.left : right - self.left]
            drawn[top:bottom, left:right] = inside
        return drawn


@dataclass(frozen=True)
class TranslationState:
    """The objects by id, and the size of the frames."""

    objects: tuple[tuple[int, SlidingObject], ...]
    size: tuple[int, int] | None


class TranslationPropagator:
    """Moves each mask as a whole to where its picture fits best, near where it was.

    Good for objects that keep shape and colours; it knows neither turning nor growing nor being hidden. Where
    objects overlap, the one that fits better is seen.

    Attributes:
        radius: pixels that an object may move from one frame to the next, along each axis.
    """

    def __init__(self, radius: int = 16) -> None:
        if radius < 1:
            raise ValueError(f"radius must be at least 1 pixel, got {radius}")
        self.radius = radius

    def start(self) -> TranslationState:
        """Return the state that knows no object."""
        return TranslationState((), None)

    def step(
        self,
        frame: UInt8[Tensor, "3 H W"],
        state: TranslationState,
        given: ObjectMasks | None = None,
        *,
        is_last: bool = False,
    ) -> tuple[PropagatedMasks, TranslationState]:
        """Move the objects of ``state``; those that are given are where they are given.

        Raises:
            ValueError: as the contract says, or a given mask is empty: there is nothing to follow.
        """
        given = check_step(frame, state.size, given)
        if given is None and not state.objects:
            return find_nothing(frame), state
        colours = frame.float() / 255
        size = (int(frame.shape[-2]), int(frame.shape[-1]))
        fresh = {} if given is None else _cut_out(colours, given)
        found = {number: (item, 0.0) for number, item in fresh.items()}
        for number, item in state.objects:
            if number not in fresh:
                found[number] = self._move(item, colours)
        drawn = {number: found[number][0].drawn(size) for number in found}
        covered = torch.zeros(size, dtype=torch.bool, device=frame.device)
        for number in sorted(found, key=lambda number: found[number][1]):
            drawn[number] = drawn[number] & ~covered
            covered = covered | drawn[number]
        masks = torch.stack([drawn[number] for number in found])
        presence = masks.flatten(1).any(dim=1).float()
        objects = tuple((number, item) for number, (item, _) in found.items())
        return PropagatedMasks(tuple(found), masks.float(), presence), TranslationState(objects, size)

    def drop(self, state: TranslationState, ids: Collection[int]) -> TranslationState:
        """Return the state without some of its objects."""
        kept = check_dropped(ids, [number for number, _ in state.objects])
        objects = tuple((number, item) for number, item in state.objects if number in kept)
        return replace(state, objects=objects) if objects else self.start()

    def _move(self, item: SlidingObject, colours: Float[Tensor, "3 H W"]) -> tuple[SlidingObject, float]:
        """Return the object where it fits best, and the mean squared difference of colours there."""
        r = self.radius
        height, width = item.mask.shape
        window, inside = _window(
            colours, (item.top - r, item.left - r), (height + 2 * r, width + 2 * r)
        )  # 3 _ _, 1 _ _
        kernel = item.mask.float()[None]  # 1 h w
        squares = (window * window).sum(dim=0, keepdim=True)
        own = (item.picture * item.picture).sum(dim=0, keepdim=True) * kernel
        errors = (
            _slide(squares, kernel) - 2 * _slide(window, item.picture * kernel) + _slide(inside, own)
        )  # y x
        counts = _slide(inside, kernel)
        means = (errors / counts.clamp(min=1)).clamp(min=0)
        means = means.masked_fill(counts < MIN_VISIBLE * kernel.sum(), torch.inf)
        steps = torch.arange(-r, r + 1, device=means.device)
        # Of places that fit alike the nearest: objects of one colour do not drift.
        distances = (steps[:, None].square() + steps[None].square()) * 1e-7
        best = int((means + distances).argmin())
        if not bool(means.flatten()[best].isfinite()):
            return item, torch.inf  # out of sight: waits at the edge
        moved = replace(
            item,
            top=item.top + best // len(steps) - r,
            left=item.left + best % len(steps) - r,
        )
        return moved, float(means.flatten()[best])


def _cut_out(colours: Float[Tensor, "3 H W"], given: ObjectMasks) -> dict[int, SlidingObject]:
    """Take the pictures of the given objects out of a frame."""
    found = {}
    for number, mask in zip(given.ids, given.masks, strict=True):
        if not bool(mask.any()):
            raise ValueError(f"the mask of object {number} is empty; there is nothing to follow")
        rows, columns = mask.any(dim=1).nonzero()[:, 0], mask.any(dim=0).nonzero()[:, 0]
        top, left = int(rows[0]), int(columns[0])
        box = (slice(top, int(rows[-1]) + 1), slice(left, int(columns[-1]) + 1))
        found[number] = SlidingObject(colours[:, *box].clone(), mask[box].clone(), top, left)
    return found


def _window(
    colours: Float[Tensor, "3 H W"], corner: tuple[int, int], size: tuple[int, int]
) -> tuple[Float[Tensor, "3 _h _w"], Float[Tensor, "1 _h _w"]]:
    """Cut a window that may reach beyond the frame; zeros there, and where the frame is."""
    (top, left), (height, width) = corner, size
    pads = (-left, left + width - colours.shape[2], -top, top + height - colours.shape[1])
    everywhere = torch.cat((colours, torch.ones_like(colours[:1])))
    cut = F.pad(everywhere, pads)
    return cut[:3], cut[3:]


def _slide(maps: Float[Tensor, "c _h _w"], kernel: Float[Tensor, "c h w"]) -> Float[Tensor, "y x"]:
    """Correlate at every displacement: through the frequencies, at a cost that hardly depends on the size."""
    size = (int(maps.shape[-2]), int(maps.shape[-1]))
    # In double precision the rounding stays far below the preference for the nearer place.
    spectrum = torch.fft.rfft2(maps.double()) * torch.fft.rfft2(kernel.double(), s=size).conj()
    places = torch.fft.irfft2(spectrum.sum(dim=0), s=size)
    return places[: size[0] - kernel.shape[-2] + 1, : size[1] - kernel.shape[-1] + 1]
