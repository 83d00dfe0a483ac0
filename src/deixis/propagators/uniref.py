"""UniRef and UniRef++ as propagators: objects known by their first and their last mask (UniRef, section 3.4).

The network and what it remembers are the model's own (``models.uniref.online``): a state of one size however
long the video is. Here frames are brought to it.

Axes: k objects, H W pixels of the video.
"""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from deixis.errors import CheckpointError
from deixis.models.clip import fit_frame, make_clip
from deixis.models.loading import load as load_model
from deixis.models.uniref.model import UniRef
from deixis.models.uniref.online import State, first_state, take_step, with_masks, without_objects
from deixis.propagators.base import ObjectMasks, PropagatedMasks, check_dropped, check_step, find_nothing


@dataclass(frozen=True)
class UniRefState:
    """What the model remembers."""

    model: State

    @property
    def ids(self) -> tuple[int, ...]:
        """Numbers of the objects, sorted: of two that are as likely, the lower one is seen."""
        return self.model["objects"]


class UniRefPropagator:
    """Finds objects by fusing their masks in the first and the previous frame into the pixels of this one.

    Attributes:
        network: the model, in evaluation mode.
        config: the model's.
    """

    def __init__(self, network: UniRef) -> None:
        """Take ``network`` where it is.

        Raises:
            ValueError: it looks at expressions alone.
        """
        if network.config.references == "none":
            raise ValueError("this model looks at expressions alone (references: none) and follows no masks")
        self.network = network.eval()
        self.config = network.config

    def start(self) -> UniRefState:
        """Return the state that knows no object."""
        return UniRefState(first_state(None, torch.zeros(0, 1, 1, dtype=torch.bool), None))

    @torch.inference_mode()
    def step(
        self,
        frame: UInt8[Tensor, "3 H W"],
        state: UniRefState,
        given: ObjectMasks | None = None,
        *,
        is_last: bool = False,
    ) -> tuple[PropagatedMasks, UniRefState]:
        """Find the objects of ``state``; given masks are put in place of what is found there.

        Raises:
            ValueError: as the contract says.
        """
        known = state.model
        given = check_step(frame, known["size"], given)
        if given is None and not state.ids:
            return find_nothing(frame), state
        inputs, device = self.config.inputs, self.network.level_embedding.device
        features = self.network.encode_video(make_clip([fit_frame(frame, inputs)], inputs, device))
        if given is not None:
            known = with_masks(known, dict(zip(given.ids, given.masks.to(device), strict=True)))
        size = (int(frame.shape[-2]), int(frame.shape[-1]))
        answer, after = take_step(self.network, features, State(**{**known, "size": size}))
        probabilities = competing(answer.probabilities).to(frame.device)
        found = PropagatedMasks(after["objects"], probabilities, answer.scores.to(frame.device))
        return found, UniRefState(after)

    def drop(self, state: UniRefState, ids: Collection[int]) -> UniRefState:
        """Return the state without some of its objects."""
        kept = check_dropped(ids, state.ids)
        return UniRefState(without_objects(state.model, ids)) if kept else self.start()


def competing(probabilities: Float[Tensor, "k H W"]) -> Float[Tensor, "k H W"]:
    """Divide each pixel among the objects and the background, which is what none of them is.

    Who wins a pixel stays as it is.
    """
    background = (1 - probabilities).prod(dim=0)
    return probabilities / (probabilities.sum(dim=0) + background)


def load(
    name: str, checkpoint: str | Path | None, *, device: str | torch.device = "auto"
) -> UniRefPropagator:
    """Build the variant ``name`` with published weights or those of a folder of ours.

    Raises:
        CheckpointError: weights that are missing, broken, unsafe, or of another model.
        DeviceError: a device that this machine does not have.
    """
    model = load_model(name, checkpoint, device=device)
    if not isinstance(model, UniRef):
        raise CheckpointError(f"{name} is a {type(model).__name__}, which follows no masks; name a UniRef")
    return UniRefPropagator(model)
