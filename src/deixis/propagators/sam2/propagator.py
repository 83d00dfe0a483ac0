"""Trackers of the SAM 2 family behind the contract of propagators (propagation, section 5.3).

Network, preprocessing and postprocessing are those of ``transformers``. Ours is what is remembered (see
``layers.tracker_memory``), that objects never touch one another before the end, and how they compete for
pixels then.

Axes: k objects, H W pixels of the video, h w of the network's masks, s the side of its square input.
"""

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from deixis.layers.tracker_memory import ObjectMemory, read_session
from deixis.propagators.base import ObjectMasks, PropagatedMasks, check_dropped, check_step, find_nothing
from deixis.propagators.stcn.network import aggregate

from .config import Sam2Config


@dataclass(frozen=True)
class Sam2State:
    """What is known of the frames before.

    Attributes:
        objects: number -> what is remembered of it.
        index: of the next frame.
        positions: of the cells of all remembered maps; None before the first frame.
        size: height and width of the frames.
    """

    objects: dict[int, ObjectMemory] = field(default_factory=dict)
    index: int = 0
    positions: Tensor | None = None
    size: tuple[int, int] | None = None

    @property
    def ids(self) -> tuple[int, ...]:
        """Numbers of the objects."""
        return tuple(self.objects)

    @property
    def tensors(self) -> list[Tensor]:
        """All that is stored."""
        frames = [item for memory in self.objects.values() for item in (*memory.given, *memory.found)]
        stored = [item.pointer for item in frames] + [item.features for item in frames]
        return [tensor for tensor in (*stored, self.positions) if tensor is not None]

    @property
    def num_bytes(self) -> int:
        """Bytes of all tensors."""
        return sum(tensor.numel() * tensor.element_size() for tensor in self.tensors)


class _Found(NamedTuple):
    """One object in one frame."""

    mask: Float[Tensor, "h w"]
    presence: Float[Tensor, ""]
    memory: ObjectMemory


class Sam2Propagator:
    """Finds objects by attention to maps and pointers of remembered frames.

    Attributes:
        network: a video model of ``transformers`` with the sessions of SAM 2, in evaluation mode.
        processor: the one that belongs to it.
        config: which tracker it is.
    """

    def __init__(self, network: nn.Module, processor: Any, config: Sam2Config) -> None:
        """Take ``network`` where it is."""
        self.network: Any = network.eval()
        self.processor = processor
        self.config = config

    def start(self) -> Sam2State:
        """Return the state that knows no object."""
        return Sam2State()

    @torch.inference_mode()
    def step(
        self,
        frame: UInt8[Tensor, "3 H W"],
        state: Sam2State,
        given: ObjectMasks | None = None,
        *,
        is_last: bool = False,
    ) -> tuple[PropagatedMasks, Sam2State]:
        """Find the objects of ``state``; given masks are put in place of what is found there.

        The given mask of an object may be empty: it is not in this frame.

        Raises:
            ValueError: as the contract says.
        """
        given = check_step(frame, state.size, given)
        if given is None and not state.objects:
            return find_nothing(frame), state
        size = (int(frame.shape[-2]), int(frame.shape[-1]))
        logits, presence, after = self.advance(self.prepare(frame), state, given, is_last=is_last)
        probabilities = self.fit_logits(logits, size).sigmoid().to(frame.device)
        if given is not None:
            probabilities = _put_given(probabilities, after.ids, given)
        competing = aggregate(probabilities[:, None])[1:, 0]
        found = PropagatedMasks(after.ids, competing, presence.sigmoid().to(frame.device))
        return found, replace(after, size=size)

    def drop(self, state: Sam2State, ids: Collection[int]) -> Sam2State:
        """Return the state without some of its objects."""
        kept = check_dropped(ids, state.ids)
        if not kept:
            return self.start()
        return replace(state, objects={number: state.objects[number] for number in kept})

    def prepare(self, frame: UInt8[Tensor, "3 H W"]) -> Float[Tensor, "3 s s"]:
        """Bring a frame to the network's square input, as its processor does."""
        network = self.network
        prepared = self.processor.image_processor(images=frame, return_tensors="pt", device=network.device)
        return prepared["pixel_values"][0].to(network.device, network.dtype)

    def fit_logits(self, logits: Float[Tensor, "k h w"], size: tuple[int, int]) -> Float[Tensor, "k H W"]:
        """Resize mask logits to ``size``, as the processor does."""
        fitted = self.processor.post_process_masks([logits[:, None]], [list(size)], binarize=False)
        return fitted[0][:, 0]

    @torch.inference_mode()
    def advance(
        self,
        image: Float[Tensor, "3 s s"],
        state: Sam2State,
        given: ObjectMasks | None = None,
        *,
        is_last: bool = False,
    ) -> tuple[Float[Tensor, "k h w"], Float[Tensor, "k"], Sam2State]:
        """Make a step with a frame that is prepared.

        Returns:
            Mask logits and logits of presence in the order of the ids of the state, and the state. Objects
            have not competed yet.
        """
        # Given masks have a session of their own: where one object of a session is given, the memory of all
        # is made from binary masks. The features of the frame serve both.
        known = () if given is None else given.ids
        followed = {number: memory for number, memory in state.objects.items() if number not in known}
        session, positions, found = self._new_session(), state.positions, {}
        if followed:
            found, positions = self._run(session, image, state, followed, None, is_last=is_last)
        if given is not None:
            features, session = session.cache, self._new_session()
            session.cache = features
            fixed = {number: state.objects.get(number, ObjectMemory()) for number in known}
            more, positions = self._run(session, image, state, fixed, given, is_last=is_last)
            found |= more
        ids = (*state.objects, *(number for number in known if number not in state.objects))
        after = replace(state, index=state.index + 1)
        memories = {number: found[number].memory for number in ids}
        after = replace(after, objects=memories, positions=positions)
        logits = torch.stack([found[number].mask for number in ids])
        return logits, torch.stack([found[number].presence for number in ids]), after

    def _new_session(self) -> Any:
        """Return a session of ``transformers`` that knows nothing."""
        network = self.network
        return self.processor.init_video_session(inference_device=network.device, dtype=network.dtype)

    def _run(
        self,
        session: Any,
        image: Float[Tensor, "3 s s"],
        state: Sam2State,
        objects: dict[int, ObjectMemory],
        given: ObjectMasks | None,
        *,
        is_last: bool,
    ) -> tuple[dict[int, _Found], Tensor | None]:
        """Find ``objects``, or take their given masks; return them and the positions of the maps."""
        index, is_given = state.index, given is not None
        for number, memory in objects.items():
            memory.put_into(session, number, state.positions)
        if given is not None:
            masks = list(given.masks.to(self.network.device))
            self.processor.add_inputs_to_inference_session(session, index, list(given.ids), input_masks=masks)
        output = self.network(
            inference_session=session, frame=image, frame_idx=index, run_mem_encoder=not is_last
        )
        presence = output.object_score_logits.flatten()
        rows = zip(objects.items(), output.pred_masks[:, 0].float(), presence.float(), strict=True)
        found, positions = {}, state.positions
        for (number, memory), mask, score in rows:
            if not is_last:
                written, positions = read_session(session, number, index, is_given=is_given)
                memory = memory.with_frame(written, is_given=is_given).pruned(index + 1, self.network.config)
            found[number] = _Found(mask, score, memory)
        return found, state.positions if positions is None else positions


def _put_given(
    probabilities: Float[Tensor, "k H W"], ids: tuple[int, ...], given: ObjectMasks
) -> Float[Tensor, "k H W"]:
    """Put given masks in place of what was found; under them nothing stays of the other objects."""
    masks = given.masks.to(probabilities.device)
    placed = probabilities.masked_fill(masks.any(dim=0), 0)
    for number, mask in zip(given.ids, masks, strict=True):
        placed[ids.index(number)] = mask.float()
    return placed
