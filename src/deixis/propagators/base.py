"""The contract of propagators: masks of some frames in, masks of the others out (propagation, section 3).

    state = propagator.start()
    found, state = propagator.step(frame, state, given)     # the frame whose masks are known
    found, state = propagator.step(frame, state)            # every frame after it, in order of distance
    state = propagator.drop(state, (3,))                    # an object that need not be followed any more

Objects join, are corrected and are dropped at any frame; without objects nothing is found. Backward is the
same from a fresh state, fed with the frames in reverse order. States go to disk by ``propagators.states``.

Axes: k objects, H W pixels of the video.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import torch
from jaxtyping import Bool, Float, UInt8
from torch import Tensor


@dataclass(frozen=True)
class ObjectMasks:
    """Masks that are given for one frame.

    Attributes:
        ids: positive numbers of the objects, each once.
        masks: ``bool [k, H, W]``, at the video's size.
    """

    ids: tuple[int, ...]
    masks: Bool[Tensor, "k H W"]

    def __post_init__(self) -> None:
        if len(set(self.ids)) != len(self.ids) or len(self.ids) != len(self.masks):
            raise ValueError(f"{len(self.masks)} masks need as many ids, each once; got {self.ids}")
        if any(number < 1 for number in self.ids):
            raise ValueError(f"ids are positive, 0 is the background; got {self.ids}")


@dataclass(frozen=True)
class PropagatedMasks:
    """What a propagator says of one frame.

    Attributes:
        ids: of the objects.
        probabilities: ``float [k, H, W]`` in [0, 1] at the video's size, after the objects have competed:
            what they leave of 1 is the background's.
        presence: ``float [k]`` in [0, 1]: is the object in this frame.
    """

    ids: tuple[int, ...]
    probabilities: Float[Tensor, "k H W"]
    presence: Float[Tensor, "k"]

    @property
    def masks(self) -> Bool[Tensor, "k H W"]:
        """Each object where it is likelier than the others and the background; the first on ties."""
        background = 1 - self.probabilities.sum(dim=0, keepdim=True)
        winner = torch.cat((background, self.probabilities)).argmax(dim=0)  # H W
        numbers = torch.arange(1, len(self.ids) + 1, device=winner.device)
        return winner == numbers[:, None, None]


@runtime_checkable
class Propagator(Protocol):
    """A method that follows masks from frame to frame.

    Whatever is its own, the order of colours, resizing, padding and the policy of its memory, is settled when
    it is built. A state is made of tensors, plain values, tuples, dictionaries and frozen data classes of
    these and is never changed in place: an old one can be used again, and one that is saved goes on where it
    was (``propagators.states``).
    """

    def start(self) -> Any:
        """Return the state that knows no object."""
        ...

    def step(
        self,
        frame: UInt8[Tensor, "3 H W"],
        state: Any,
        given: ObjectMasks | None = None,
        *,
        is_last: bool = False,
    ) -> tuple[PropagatedMasks, Any]:
        """Find the objects of ``state`` in the next frame.

        Args:
            frame: RGB at the video's size, the same for all frames of a state.
            state: of the frames before.
            given: masks that are known in this frame. New ids join; masks of known ids are corrected.
            is_last: no frame follows, so that nothing need be remembered.

        Returns:
            What is found, of no object where none is known yet, and the state after the frame.

        Raises:
            ValueError: the frame has another size than those before, or a given mask does not fit it.
        """
        ...

    def drop(self, state: Any, ids: Collection[int]) -> Any:
        """Return the state without some of its objects; without all of them it is as at the start.

        Raises:
            ValueError: the state has no such object.
        """
        ...


def check_step(
    frame: UInt8[Tensor, "3 H W"], size: tuple[int, int] | None, given: ObjectMasks | None
) -> ObjectMasks | None:
    """Raise where a step breaks the contract; for propagators to call first.

    Args:
        frame: of the step.
        size: height and width of the frames before; None at the first.
        given: of the step.

    Returns:
        ``given``, None where it holds no mask.
    """
    own = (int(frame.shape[-2]), int(frame.shape[-1]))
    if size is not None and own != size:
        raise ValueError(f"the frames of a video have one size: {own} after {size}")
    if given is not None and tuple(given.masks.shape[-2:]) != own:
        raise ValueError(f"masks of {tuple(given.masks.shape[-2:])} for a frame of {own}")
    return given if given is not None and given.ids else None


def find_nothing(frame: UInt8[Tensor, "3 H W"]) -> PropagatedMasks:
    """Return what is said of a frame when there is no object to look for."""
    empty = torch.zeros(0, *frame.shape[-2:], device=frame.device)
    return PropagatedMasks((), empty, empty[:, 0, 0])


def check_dropped(ids: Collection[int], known: Collection[int]) -> tuple[int, ...]:
    """Return the objects that stay when ``ids`` are dropped; for propagators to call first.

    Raises:
        ValueError: there is no such object.
    """
    unknown = sorted(set(ids) - set(known))
    if unknown:
        listed = ", ".join(map(str, known)) or "none"
        raise ValueError(f"there is no object {unknown[0]} to drop; followed are: {listed}")
    return tuple(number for number in known if number not in ids)
