"""What a tracker of the SAM 2 family remembers of each object, and nothing that it will not read again.

For the trackers themselves (``deixis.propagators.sam2``) and for SAM 3, which finds objects by words and
follows them by such a tracker (``deixis.models.sam3``).

The sessions of ``transformers`` keep every frame and every mask of a video, although attention reads the
given frames, the newest few maps and the newest few pointers alone (propagation, section 5.3). A session is
therefore made anew for each frame from what is kept here, and thrown away after it: results are the same bit
for bit, states are values, and their size does not depend on the number of frames.

Axes: c channels.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True)
class FrameMemory:
    """One object in one frame.

    Attributes:
        index: of the frame, counted from the first of the state.
        pointer: one vector of the object, ``float [1, 1, c]``.
        features: map of frame and mask, as the network stores it; None: too old to be read.
    """

    index: int
    pointer: Float[Tensor, "1 1 c"]
    features: Tensor | None

    def as_output(self, positions: Tensor | None) -> dict[str, Tensor]:
        """Return what a session of ``transformers`` stores of a frame, as far as it is read again."""
        stored = {"object_pointer": self.pointer}
        if self.features is not None and positions is not None:
            stored |= {"maskmem_features": self.features, "maskmem_pos_enc": positions}
        return stored


@dataclass(frozen=True)
class ObjectMemory:
    """One object in the frames before; the oldest first.

    Attributes:
        given: frames in which its mask was given. Their pointers are kept for good.
        found: frames in which it was found.
    """

    given: tuple[FrameMemory, ...] = ()
    found: tuple[FrameMemory, ...] = ()

    def with_frame(self, memory: FrameMemory, *, is_given: bool) -> "ObjectMemory":
        """Return the memory with one frame more."""
        if is_given:
            return replace(self, given=(*self.given, memory))
        return replace(self, found=(*self.found, memory))

    def pruned(self, index: int, config: Any) -> "ObjectMemory":
        """Leave out what no frame from ``index`` on reads.

        Args:
            index: of the next frame.
            config: of the tracker, in ``transformers``: how many frames it reads.
        """
        num_maps, num_pointers = config.num_maskmem - 1, config.max_object_pointers_in_encoder - 1
        found = tuple(
            item if item.index >= index - num_maps else replace(item, features=None)
            for item in self.found
            if item.index >= index - max(num_maps, num_pointers)
        )
        if config.max_cond_frame_num == -1:
            return replace(self, found=found)
        # The newest given frames are read as such, others as any frame that was just seen.
        first = len(self.given) - config.max_cond_frame_num
        given = tuple(
            item if place >= first or item.index >= index - num_maps else replace(item, features=None)
            for place, item in enumerate(self.given)
        )
        return ObjectMemory(given, found)

    def as_plain(self) -> dict[str, Any]:
        """Return tuples and tensors, which ``torch.save`` takes; :meth:`from_plain` undoes it."""
        return {
            key: tuple((item.index, item.pointer, item.features) for item in frames)
            for key, frames in (("given", self.given), ("found", self.found))
        }

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> "ObjectMemory":
        """Return the memory of which :meth:`as_plain` told."""
        return cls(*(tuple(FrameMemory(*item) for item in plain[key]) for key in ("given", "found")))

    def put_into(self, session: Any, number: int, positions: Tensor | None) -> None:
        """Tell a fresh session of ``transformers`` of the object ``number``."""
        stored = session.output_dict_per_obj[session.obj_id_to_idx(number)]
        for key, memories in (("cond_frame_outputs", self.given), ("non_cond_frame_outputs", self.found)):
            stored[key] = {memory.index: memory.as_output(positions) for memory in memories}


def read_session(
    session: Any, number: int, index: int, *, is_given: bool
) -> tuple[FrameMemory, Tensor | None]:
    """Return what a session has written of one object in the frame ``index``, and the maps' positions.

    Positions depend on the size of the maps alone, so that one copy serves all frames and objects.
    """
    key = "cond_frame_outputs" if is_given else "non_cond_frame_outputs"
    written: Mapping[str, Tensor] = session.output_dict_per_obj[session.obj_id_to_idx(number)][key][index]
    # Objects are slices of one tensor; a copy keeps none of the others alive.
    features = written["maskmem_features"].clone()
    return FrameMemory(index, written["object_pointer"], features), written["maskmem_pos_enc"].clone()
