"""The simplest propagator: objects stay where they are."""

from collections.abc import Collection
from dataclasses import dataclass

import torch
from jaxtyping import Bool, UInt8
from torch import Tensor

from deixis.propagators.base import ObjectMasks, PropagatedMasks, check_dropped, check_step, find_nothing


@dataclass(frozen=True)
class CopyState:
    """The last masks."""

    ids: tuple[int, ...]
    masks: Bool[Tensor, "k H W"] | None


class CopyPropagator:
    """Repeats the masks that were given last: what any other propagator has to beat."""

    def start(self) -> CopyState:
        """Return the state that knows no object."""
        return CopyState((), None)

    def step(
        self,
        frame: UInt8[Tensor, "3 H W"],
        state: CopyState,
        given: ObjectMasks | None = None,
        *,
        is_last: bool = False,
    ) -> tuple[PropagatedMasks, CopyState]:
        """Return the masks of the frame before, with those that are given put on top of them."""
        size = None if state.masks is None else (state.masks.shape[-2], state.masks.shape[-1])
        given = check_step(frame, size, given)
        if given is not None:
            state = _joined(state, given)
        if state.masks is None:
            return find_nothing(frame), state
        presence = state.masks.flatten(1).any(dim=1).float()
        return PropagatedMasks(state.ids, state.masks.float(), presence), state

    def drop(self, state: CopyState, ids: Collection[int]) -> CopyState:
        """Return the state without some of its objects."""
        kept = check_dropped(ids, state.ids)
        if state.masks is None or not kept:
            return self.start()
        return CopyState(kept, state.masks[[state.ids.index(number) for number in kept]])


def _joined(state: CopyState, given: ObjectMasks) -> CopyState:
    """Add and replace objects; where masks overlap, the later given one is seen."""
    covered = torch.zeros_like(given.masks[0])
    masks = []
    for mask in given.masks.flip(0):
        masks.append(mask & ~covered)
        covered = covered | mask
    known = dict(zip(given.ids, reversed(masks), strict=True))
    old = {} if state.masks is None else dict(zip(state.ids, state.masks & ~covered, strict=True))
    joined = {**old, **known}
    return CopyState(tuple(joined), torch.stack(list(joined.values())))
