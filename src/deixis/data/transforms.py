"""What training does to the clip: still images set in motion, mirror, size, colours.

Axes: t frames, k annotated ones, n objects, H W pixels.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from deixis.flow.motion import mirrored_motion
from deixis.ops.words import swap_sides, swap_sides_published

from .affine import crop_share, to_grey, warp_frames
from .clips import Sample
from .cropping import change_size, one_by_one
from .photometric import Distortion, distort, draw_distortion, jitter_colours
from .pseudo_video import set_in_motion
from .rules import Affine, Transforms

WORD_SWAPS: dict[str, Callable[[str], str]] = {
    "whole-word": swap_sides,
    "published-substring": swap_sides_published,
}
"""How expressions change when a clip is mirrored."""


def transform(sample: Sample, change: Transforms, generator: np.random.Generator) -> Sample:
    """Change frames, masks and expressions of ``sample`` together, as ``change`` says."""
    if change.per_frame:
        alone = replace(change, per_frame=False)
        return one_by_one(sample, lambda part: transform(part, alone, generator))
    is_mirrored = generator.random() < change.flip
    jitter = generator.uniform(-change.colour_jitter, change.colour_jitter, 5)
    if change.pseudo_video:
        sample = set_in_motion(sample, generator)
    if is_mirrored:
        sample = mirror(sample, WORD_SWAPS[change.swap_words])
    if change.colour_jitter > 0:
        sample = replace(sample, frames=jitter_colours(sample.frames, *jitter))
    if change.grey and generator.random() < change.grey:
        sample = replace(sample, frames=to_grey(sample.frames))
    if change.affine != Affine():
        sample = warp_frames(sample, change.affine, generator)
    if change.area_crop:
        return crop_share(sample, (change.area_crop[0], change.area_crop[1]), change.square, generator)
    wraps = change.photometric == "referformer-published"
    distortions = [] if change.photometric == "none" else [draw_distortion(generator) for _ in sample.frames]
    if wraps:
        return change_size(distort_frames(sample, distortions, wraps=True), change, generator)
    sample = change_size(sample, change, generator)
    return distort_frames(sample, distortions) if distortions else sample


def mirror(sample: Sample, swap: Callable[[str], str] = swap_sides) -> Sample:
    """Flip frames, masks and motion from left to right, and ``swap`` the sides that the expressions name."""
    return replace(
        sample,
        frames=sample.frames[:, :, ::-1],
        masks=sample.masks[..., ::-1],
        expressions=tuple(swap(expression) for expression in sample.expressions),
        flow=None if sample.flow is None else mirrored_motion(sample.flow),
    )


def distort_frames(sample: Sample, distortions: list[Distortion], *, wraps: bool = False) -> Sample:
    """Change the colours of each frame by a distortion of its own."""
    frames = [
        distort(frame, distortion, wraps=wraps)
        for frame, distortion in zip(sample.frames, distortions, strict=True)
    ]
    return replace(sample, frames=np.stack(frames))
