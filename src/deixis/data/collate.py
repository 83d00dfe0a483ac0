"""Samples to a batch: padded together as bytes, normalised where the network runs.

Axes: b clips, t frames, k annotated ones, n objects, e expressions, m motion channels, H W padded pixels.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int, UInt8
from torch import Tensor

from deixis.structures import Batch, Clip, Target, Tokens

from .clips import References, Sample
from .cropping import flow_at_frames


@dataclass(frozen=True)
class PixelBatch:
    """A batch in bytes: a quarter of the size of its normalised form, for the way from loader to device.

    Attributes:
        frames: ``uint8 [b, t, H, W, 3]``.
        padding_mask: ``bool [b, t, H, W]``, True on padding.
        annotated_frames: positions that are predicted, the same for all clips; None: all.
        masks: ``bool [n, k, H, W]`` of each clip, shared by its expressions.
        tokens: of all expressions.
        video_index: ``int64 [e]``, the clip of each expression.
        referents: indices into the masks of its clip, for each expression.
        has_visibility: of each clip.
        labels: ``int64 [n]`` of each clip, classes of its objects; None: there is one class.
        flow: ``float [b, t, m, H, W]``, what moves in each frame, 0 on padding; None: not asked for.
        references: what is shown of objects (``structures.Batch``).
    """

    frames: UInt8[Tensor, "b t H W 3"]
    padding_mask: Bool[Tensor, "b t H W"]
    annotated_frames: tuple[int, ...] | None
    masks: tuple[Bool[Tensor, "_n k H W"], ...]
    tokens: Tokens
    video_index: Int[Tensor, "e"]
    referents: tuple[tuple[int, ...], ...]
    has_visibility: tuple[bool, ...]
    labels: tuple[Int[Tensor, "_n"] | None, ...]
    flow: Float[Tensor, "b t m H W"] | None = None
    references: References = "words"

    @property
    def num_expressions(self) -> int:
        """How many expressions there are."""
        return len(self.referents)

    def pin_memory(self) -> "PixelBatch":
        """Return the batch in page-locked memory, which copies to a GPU in the background."""
        return PixelBatch(
            self.frames.pin_memory(),
            self.padding_mask.pin_memory(),
            self.annotated_frames,
            tuple(masks.pin_memory() for masks in self.masks),
            Tokens(self.tokens.ids.pin_memory(), self.tokens.padding_mask.pin_memory()),
            self.video_index.pin_memory(),
            self.referents,
            self.has_visibility,
            self.labels,
            None if self.flow is None else self.flow.pin_memory(),
            self.references,
        )

    def normalised(
        self,
        mean: Sequence[float],
        std: Sequence[float],
        device: torch.device | str = "cpu",
        *,
        channels_last: bool = False,
    ) -> Batch:
        """Return the batch on ``device``: frames as float ``(value / 255 - mean) / std``, 0 on padding.

        With ``channels_last`` the frames keep the memory order ``b t H W 3`` behind their shape ``b t 3 H
        W``.
        """
        padding_mask = self.padding_mask.to(device, non_blocking=True)
        frames = normalise(
            self.frames.to(device, non_blocking=True),
            mean,
            std,
            padding_mask if self.padding_mask.any() else None,
            channels_last=channels_last,
        )
        flow = None if self.flow is None else self.flow.to(device, non_blocking=True)
        clip = Clip(frames, padding_mask, self.annotated_frames, flow)
        tokens, video_index = self.tokens.to(device), self.video_index.to(device)
        return Batch(clip, tokens, video_index, self.targets(device), self.references)

    def targets(self, device: torch.device | str = "cpu") -> tuple[Target, ...]:
        """Return one target an expression on ``device``; the expressions of a clip share its masks."""
        masks = [clip_masks.to(device, non_blocking=True) for clip_masks in self.masks]
        labels = [None if one is None else one.to(device) for one in self.labels]
        return tuple(
            Target(masks[video], referents, self.has_visibility[video], labels=labels[video])
            for video, referents in zip(self.video_index.tolist(), self.referents, strict=True)
        )


def normalise(
    frames: UInt8[Tensor, "b t H W 3"],
    mean: Sequence[float],
    std: Sequence[float],
    padding_mask: Bool[Tensor, "b t H W"] | None = None,
    *,
    channels_last: bool = False,
) -> Float[Tensor, "b t 3 H W"]:
    """Return ``(value / 255 - mean) / std``, 0 on padding.

    With ``channels_last`` the result keeps the memory order ``b t H W 3`` behind its shape.
    """
    scale = 1 / (255 * torch.tensor(std, device=frames.device))
    shift = torch.tensor(mean, device=frames.device) / torch.tensor(std, device=frames.device)
    values = frames.permute(0, 1, 4, 2, 3)  # b t 3 H W
    # Moved as bytes, and one channel at a time: a factor that changes with every value is slow on a CPU.
    values = (values if channels_last else values.contiguous()).float()
    values.mul_(scale[:, None, None]).sub_(shift[:, None, None])
    return values if padding_mask is None else values.masked_fill_(padding_mask[:, :, None], 0)


def collate(
    samples: Sequence[Sample], tokenize: Callable[[Sequence[str]], Tokens], multiple: int = 1
) -> PixelBatch:
    """Pad ``samples`` at the bottom, right and end of time to the largest, and encode their expressions.

    Height and width become multiples of ``multiple``.

    Raises:
        ValueError: the clips have different annotated positions or references, which one batch cannot hold.
    """
    annotated = samples[0].annotated_frames
    if any(sample.annotated_frames != annotated for sample in samples):
        raise ValueError("the clips of a batch must have the same annotated positions; use one clip rule")
    references = samples[0].references
    if any(sample.references != references for sample in samples):
        raise ValueError(
            "the clips of a batch must have the same references; make run_length the clips of one part"
        )
    t, height, width = (max(sample.frames.shape[axis] for sample in samples) for axis in range(3))
    height, width = (-(-side // multiple) * multiple for side in (height, width))
    k = t if annotated is None else len(annotated)
    frames = torch.zeros(len(samples), t, height, width, 3, dtype=torch.uint8)
    padding_mask = torch.ones(len(samples), t, height, width, dtype=torch.bool)
    masks = []
    flow = (
        None
        if samples[0].flow is None
        else torch.zeros(*frames.shape[:2], samples[0].flow.shape[1], height, width)
    )
    for index, sample in enumerate(samples):
        clip_t, h, w = sample.frames.shape[:3]
        frames[index, :clip_t, :h, :w] = torch.from_numpy(np.ascontiguousarray(sample.frames))
        for place, (frame_h, frame_w) in enumerate(sample.frame_sizes or ((h, w),) * clip_t):
            padding_mask[index, place, :frame_h, :frame_w] = False
        if flow is not None:
            flow[index, :clip_t, :, :h, :w] = torch.from_numpy(flow_at_frames(sample))
        padded = torch.zeros(sample.masks.shape[0], k, height, width, dtype=torch.bool)
        padded[:, : sample.masks.shape[1], :h, :w] = torch.from_numpy(np.ascontiguousarray(sample.masks))
        masks.append(padded)
    counts = torch.tensor([len(sample.expressions) for sample in samples])
    return PixelBatch(
        frames,
        padding_mask,
        annotated,
        tuple(masks),
        tokenize([expression for sample in samples for expression in sample.expressions]),
        torch.arange(len(samples)).repeat_interleave(counts),
        tuple(referents for sample in samples for referents in sample.referents),
        tuple(sample.has_visibility for sample in samples),
        tuple(
            None if sample.labels is None else torch.tensor(sample.labels, dtype=torch.int64)
            for sample in samples
        ),
        flow,
        references,
    )
