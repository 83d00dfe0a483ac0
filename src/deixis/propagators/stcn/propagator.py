"""STCN behind the contract of propagators: frames as they come from a video, and what is remembered of them.

Axes: k objects, n = k + 1 with the background first, H W pixels of the video, h w of the network's frame.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from jaxtyping import Float, UInt8
from torch import Tensor
from torch.nn import functional as F

from deixis.ops.device import find_device
from deixis.ops.padding import padded_to
from deixis.propagators.base import ObjectMasks, PropagatedMasks, check_dropped, check_step, find_nothing
from deixis.propagators.weights import fill_network

from .config import SHAPES, VARIANTS, StcnConfig
from .convert import to_ours
from .memory import MemoryBank, keep_newest, read, remember
from .network import FrameKey, StcnNetwork, aggregate

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class StcnState:
    """What is known of the frames before.

    Attributes:
        ids: of the objects.
        bank: their memory; None before the first frame.
        since: frames after the last memory frame that stays.
        is_temporary: the last memory frame does not stay.
        size: height and width of the frames.
    """

    ids: tuple[int, ...] = ()
    bank: MemoryBank | None = None
    since: int = 0
    is_temporary: bool = False
    size: tuple[int, int] | None = None


class StcnPropagator:
    """Finds objects by comparing each place of a frame with the places of remembered frames.

    Attributes:
        network: in evaluation mode.
        config: how frames are seen and remembered.
    """

    def __init__(self, network: StcnNetwork, config: StcnConfig | None = None) -> None:
        """Take ``network`` where it is."""
        self.network = network.eval()
        self.config = config or StcnConfig()

    def start(self) -> StcnState:
        """Return the state that knows no object."""
        return StcnState()

    @torch.inference_mode()
    def step(
        self,
        frame: UInt8[Tensor, "3 H W"],
        state: StcnState,
        given: ObjectMasks | None = None,
        *,
        is_last: bool = False,
    ) -> tuple[PropagatedMasks, StcnState]:
        """Find the objects of ``state``; given masks are put in place of what is found there.

        Raises:
            ValueError: as the contract says, or a given mask is empty: there is nothing to follow.
        """
        given = check_step(frame, state.size, given)
        if given is None and not state.ids:
            return find_nothing(frame), state
        device = self.network.key_projection.weight.device
        image = self.prepare(frame.to(device))  # 3 h w
        size = (int(frame.shape[-2]), int(frame.shape[-1]))
        if given is not None:
            masks = given.masks.to(device)[:, None].float()
            given = ObjectMasks(given.ids, F.interpolate(masks, image.shape[-2:])[:, 0] > 0)
        padded, after = self.advance(image, state, given, is_last=is_last)
        probabilities = fit_probabilities(
            padded, (image.shape[-2], image.shape[-1]), size, self.network.stride
        )[1:]
        probabilities = probabilities.to(frame.device)
        presence = probabilities.flatten(1).amax(dim=1)
        return PropagatedMasks(after.ids, probabilities, presence), replace(after, size=size)

    def drop(self, state: StcnState, ids: Collection[int]) -> StcnState:
        """Return the state without some of its objects, nor the frames that only they were in."""
        kept = check_dropped(ids, state.ids)
        if not kept:
            return self.start()
        assert state.bank is not None
        places = [state.ids.index(number) for number in kept]
        return replace(state, ids=kept, bank=state.bank.of_objects(places))

    def prepare(self, frame: UInt8[Tensor, "3 H W"]) -> Float[Tensor, "3 h w"]:
        """Normalise a frame, then resize its short side: bicubic, without antialiasing, as published."""
        mean, std = (torch.tensor(values, device=frame.device)[:, None, None] for values in (MEAN, STD))
        image = (frame.float() / 255 - mean) / std
        height, width = image.shape[-2:]
        wanted = self.config.short_side
        if wanted is None or min(height, width) == wanted:
            return image
        is_wide = height < width
        size = (wanted, int(wanted * width / height)) if is_wide else (int(wanted * height / width), wanted)
        return F.interpolate(image[None], size, mode="bicubic", align_corners=False)[0]

    @torch.inference_mode()
    def advance(
        self,
        image: Float[Tensor, "3 h w"],
        state: StcnState,
        given: ObjectMasks | None = None,
        *,
        is_last: bool = False,
    ) -> tuple[Float[Tensor, "n _h _w"], StcnState]:
        """Make a step with a frame that is prepared; ``given`` has its size.

        Returns:
            Probabilities of the background and the objects over the frame padded to whole cells, in the order
            of the ids of the state, and the state.
        """
        padded = pad_evenly(image[None], self.network.stride)  # 1 3 _ _
        key = self.network.encode_key(padded)
        if given is None:
            assert state.bank is not None
            everything = self._find(key, state.bank)
            ids = state.ids
        else:
            found = padded.new_zeros(len(state.ids), 1, *padded.shape[-2:])
            if state.bank is not None and not set(state.ids) <= set(given.ids):
                found = self._find(key, state.bank)[1:]
            masks = pad_evenly(given.masks[:, None].float(), self.network.stride)
            probabilities, ids = put_given(found, state.ids, masks, given.ids)
            everything = aggregate(probabilities)
        after = replace(state, ids=ids)
        if not is_last:
            after = self._remember(padded, key, everything[1:], after, is_given=given is not None)
        return everything[:, 0], after

    def _find(self, key: FrameKey, bank: MemoryBank) -> Float[Tensor, "n 1 _h _w"]:
        """Return probabilities of the background and of the objects of ``bank``."""
        readout = read(bank, key.key, self.config.top_k)
        parts = readout.split(self.config.object_batch)
        return aggregate(torch.cat([self.network.decode(part, key).sigmoid() for part in parts]))

    def _remember(
        self,
        padded: Float[Tensor, "1 3 _h _w"],
        key: FrameKey,
        probabilities: Float[Tensor, "k 1 _h _w"],
        state: StcnState,
        *,
        is_given: bool,
    ) -> StcnState:
        """Return the state after a frame, with the frame in its memory where it belongs there."""
        config, bank, since = self.config, state.bank, state.since + 1
        stays = is_given or since >= config.memory_every
        if not stays and not config.include_last:
            return replace(state, since=since)
        if bank is not None and state.is_temporary:
            bank = bank.without(bank.num_frames - 1)
        value = self.network.encode_value(padded, key, probabilities, config.object_batch)
        bank = remember(bank, key.key, value, is_given=is_given)
        if stays and config.max_frames is not None:
            bank = keep_newest(bank, config.max_frames)
        return replace(state, bank=bank, since=0 if stays else since, is_temporary=not stays)


def load(name: str, checkpoint: str | Path, *, device: str | torch.device = "auto") -> StcnPropagator:
    """Build the variant ``name`` with published weights, or with a ``.safetensors`` file of ours.

    Raises:
        CheckpointError: weights that are missing, broken, unsafe, or of another network.
        DeviceError: a device that this machine does not have.
    """
    network = StcnNetwork(SHAPES[name])
    fill_network(network, checkpoint, to_ours)
    return StcnPropagator(network.to(find_device(device)), VARIANTS[name])


def pad_evenly(x: Float[Tensor, "_n _c h w"], stride: int) -> Float[Tensor, "_n _c _h _w"]:
    """Pad with zeros to whole cells: half of it before, what is left of an odd number after."""
    return F.pad(x, _pads((x.shape[-2], x.shape[-1]), stride))


def fit_probabilities(
    padded: Float[Tensor, "n _h _w"], inner: tuple[int, int], size: tuple[int, int], stride: int
) -> Float[Tensor, "n H W"]:
    """Cut the padding off probabilities over a frame of ``inner``, and resize them to ``size``, bilinear."""
    left, _, top, _ = _pads(inner, stride)
    cut = padded[:, top : top + inner[0], left : left + inner[1]]
    if inner == size:
        return cut
    return F.interpolate(cut[None], size, mode="bilinear", align_corners=False)[0]


def put_given(
    probabilities: Float[Tensor, "k 1 _h _w"],
    ids: tuple[int, ...],
    masks: Float[Tensor, "_g 1 _h _w"],
    given_ids: tuple[int, ...],
) -> tuple[Float[Tensor, "_k 1 _h _w"], tuple[int, ...]]:
    """Put given masks in place of what was found, nothing of which stays under them; new objects join.

    Raises:
        ValueError: the mask of a new object is empty.
    """
    is_covered = masks.amax(dim=0, keepdim=True) > 0.5
    joined = dict(zip(ids, probabilities.masked_fill(is_covered, 0), strict=True))
    for number, mask in zip(given_ids, masks, strict=True):
        if number not in joined and not bool(mask.any()):
            raise ValueError(f"the mask of object {number} is empty; there is nothing to follow")
        joined[number] = mask
    return torch.stack(list(joined.values())), tuple(joined)


def _pads(size: tuple[int, int], stride: int) -> tuple[int, int, int, int]:
    """Return what is missing to whole cells at the left, the right, the top and the bottom."""
    rows, columns = (whole - own for own, whole in zip(size, padded_to(size, stride), strict=True))
    return columns // 2, columns - columns // 2, rows // 2, rows - rows // 2
