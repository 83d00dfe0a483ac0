"""CFBI behind the contract of propagators: frames as they come from a video, and the frames that are known.

Axes: n objects with the background first, H W pixels of the video, h w of the network's frame.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from jaxtyping import Float, Integer, UInt8
from torch import Tensor
from torch.nn import functional as F

from deixis.ops.device import find_device
from deixis.propagators.base import ObjectMasks, PropagatedMasks, check_dropped, check_step, find_nothing
from deixis.propagators.weights import fill_network

from .config import VARIANTS, CfbiConfig
from .convert import to_ours
from .features import FrameFeatures
from .matching import one_hot
from .network import CfbiNetwork, KnownFrame
from .plus import CfbiPlusNetwork

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of red, green and blue, but applied to blue, green and red: published weights expect it."""


@dataclass(frozen=True)
class CfbiState:
    """What is known of the frames before.

    Attributes:
        ids: of the objects; labels of known frames count them from 1.
        references: frames in which masks were given.
        previous: the frame before.
    """

    ids: tuple[int, ...] = ()
    references: tuple[KnownFrame, ...] = ()
    previous: KnownFrame | None = None


class CfbiPropagator:
    """Finds objects by comparing each place with the frames in which they were given and with the last one.

    Its memory grows with the number of frames in which masks are given, not with the video.

    Attributes:
        network: in evaluation mode.
        config: the network's.
    """

    def __init__(self, network: CfbiNetwork | CfbiPlusNetwork) -> None:
        """Take ``network`` where it is."""
        self.network = network.eval()
        self.config = network.config

    def start(self) -> CfbiState:
        """Return the state that knows no object."""
        return CfbiState()

    @torch.inference_mode()
    def step(
        self,
        frame: UInt8[Tensor, "3 H W"],
        state: CfbiState,
        given: ObjectMasks | None = None,
        *,
        is_last: bool = False,
    ) -> tuple[PropagatedMasks, CfbiState]:
        """Find the objects of ``state``; given masks lie over what is found, the later over the earlier.

        Raises:
            ValueError: as the contract says, or the mask of a new object is empty.
        """
        known = None if state.previous is None else state.previous.labels
        size = None if known is None else (known.shape[0], known.shape[1])
        given = check_step(frame, size, given)
        if given is None and not state.ids:
            return find_nothing(frame), state
        device = self.network.background_bias.device
        own = (int(frame.shape[-2]), int(frame.shape[-1]))
        features = self.network.encode(self.prepare(frame.to(device))[None])
        if state.previous is not None:
            probabilities = self.find(features, state, own)
            labels = probabilities.argmax(dim=0)
        else:
            labels = torch.zeros(own, dtype=torch.long, device=device)
            probabilities = one_hot(labels, 1).float()
        ids = state.ids
        if given is not None:
            labels, ids = put_given(labels, ids, replace(given, masks=given.masks.to(device)))
            probabilities = one_hot(labels, len(ids) + 1).float()
        after = self.remember(features, replace(state, ids=ids), labels, is_given=given is not None)
        objects = probabilities[1:].to(frame.device)
        return PropagatedMasks(ids, objects, objects.flatten(1).amax(dim=1)), after

    def drop(self, state: CfbiState, ids: Collection[int]) -> CfbiState:
        """Return the state without some of its objects, nor the references that show none of the others.

        The newest reference stays in any case: the others may have been given as absent.
        """
        kept = check_dropped(ids, state.ids)
        if not kept or state.previous is None:
            return self.start()
        places = [state.ids.index(number) + 1 for number in kept]
        *older, newest = [of_objects(known, places) for known in state.references]
        references = (*(known for known in older if known.labels.any()), newest)
        return CfbiState(kept, references, of_objects(state.previous, places))

    def prepare(self, frame: UInt8[Tensor, "3 H W"]) -> Float[Tensor, "3 h w"]:
        """Turn the colours around, resize bicubic without antialiasing, normalise, as published."""
        mean, std = (torch.tensor(values, device=frame.device)[:, None, None] for values in (MEAN, STD))
        size = network_size((int(frame.shape[-2]), int(frame.shape[-1])), self.config.long_side)
        image = frame.flip(0).float()
        if size != tuple(image.shape[-2:]):
            image = F.interpolate(image[None], size, mode="bicubic", align_corners=False)[0]
        return (image / 255 - mean) / std

    def find(
        self, features: FrameFeatures, state: CfbiState, size: tuple[int, int]
    ) -> Float[Tensor, "n H W"]:
        """Return the probabilities of the background and the objects of ``state`` at the video's size."""
        assert state.previous is not None
        logits = self.network.score(features, state.references, state.previous, len(state.ids) + 1)
        sized = F.interpolate(logits[None], size, mode="bilinear", align_corners=True)[0]
        return sized.softmax(dim=0)

    def remember(
        self,
        features: FrameFeatures,
        state: CfbiState,
        labels: Integer[Tensor, "H W"],
        *,
        is_given: bool,
    ) -> CfbiState:
        """Return the state after a frame with ``labels``; it becomes a reference where masks were given."""
        known = KnownFrame(features.embeddings, labels)
        references = (*state.references, known) if is_given else state.references
        return replace(state, references=references, previous=known)


def load(name: str, checkpoint: str | Path, *, device: str | torch.device = "auto") -> CfbiPropagator:
    """Build the variant ``name`` with published weights, or with a ``.safetensors`` file of ours.

    Raises:
        CheckpointError: weights that are missing, broken, unsafe, or of another network.
        DeviceError: a device that this machine does not have.
    """
    network = build_network(name)
    fill_network(network, checkpoint, to_ours)
    return CfbiPropagator(network.to(find_device(device)))


def build_network(name: str) -> CfbiNetwork | CfbiPlusNetwork:
    """Build the network of the variant ``name`` with PyTorch's initial weights."""
    config = VARIANTS[name]
    return CfbiNetwork(config) if isinstance(config, CfbiConfig) else CfbiPlusNetwork(config)


def network_size(size: tuple[int, int], long_side: int) -> tuple[int, int]:
    """Return the size of a frame in the network: sides 1 above multiples of 16, the nearest ones."""
    longest = max(size)
    scale = long_side / longest if longest > long_side else 1.0
    height, width = (int(side * scale) for side in size)
    return round((height - 1) / 16) * 16 + 1, round((width - 1) / 16) * 16 + 1


def of_objects(known: KnownFrame, places: list[int]) -> KnownFrame:
    """Return a known frame with the objects at ``places`` alone, which then count from 1."""
    labels = torch.zeros_like(known.labels)
    for label, place in enumerate(places, start=1):
        labels[known.labels == place] = label
    return replace(known, labels=labels)


def put_given(
    labels: Integer[Tensor, "H W"], ids: tuple[int, ...], given: ObjectMasks
) -> tuple[Integer[Tensor, "H W"], tuple[int, ...]]:
    """Lay given masks over ``labels``; new objects join, and nothing else is left of those given again.

    Raises:
        ValueError: the mask of a new object is empty.
    """
    labels = labels.clone()
    for number, mask in zip(given.ids, given.masks, strict=True):
        if number not in ids:
            if not bool(mask.any()):
                raise ValueError(f"the mask of object {number} is empty; there is nothing to follow")
            ids = (*ids, number)
        else:
            labels[labels == ids.index(number) + 1] = 0
    for number, mask in zip(given.ids, given.masks, strict=True):
        labels[mask] = ids.index(number) + 1
    return labels, ids
