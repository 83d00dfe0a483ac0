"""Which frames of a video make a clip: the rules of the papers, as functions of lengths and chance alone."""

from collections.abc import Sequence

import numpy as np

LOCAL_REACH = 3
"""How far the two neighbours of ReferFormer's rule may be from its frame."""


def window_around(frame: int, num_frames: int, length: int) -> tuple[tuple[int, ...], int]:
    """Return ``length`` indices around ``frame``, clamped to the video, and the position of ``frame``.

    From ``frame - length // 2`` to ``frame + (length + 1) // 2 - 1`` (MTTR, code, on A2D-Sentences and JHMDB;
    ReferFormer, code, where it evaluates on them).
    """
    first = frame - length // 2
    return tuple(min(max(index, 0), num_frames - 1) for index in range(first, first + length)), length // 2


def tiling_windows(num_frames: int, length: int) -> list[tuple[int, ...]]:
    """Cut a video into consecutive windows (MTTR, code, on Refer-YouTube-VOS).

    A short last window becomes the last ``length`` frames; a video shorter than a window repeats its last
    frame.
    """
    if num_frames < length:
        return [tuple(min(index, num_frames - 1) for index in range(length))]
    starts = [*range(0, num_frames - length + 1, length)]
    if num_frames % length:
        starts.append(num_frames - length)
    return [tuple(range(start, start + length)) for start in starts]


def random_window(
    num_frames: int, length: int, stride: int, generator: np.random.Generator
) -> tuple[int, ...]:
    """Return ``length`` indices ``stride`` apart at a random place; a short video repeats its last frame."""
    span = (length - 1) * stride + 1
    start = int(generator.integers(0, max(num_frames - span, 0) + 1))
    return tuple(min(start + stride * index, num_frames - 1) for index in range(length))


def local_and_global(
    frame: int,
    num_frames: int,
    length: int,
    generator: np.random.Generator,
    *,
    repeats_last: bool = False,
) -> tuple[int, ...]:
    """Return ``length`` sorted indices: ``frame``, a neighbour on each side, and others from afar.

    The neighbours are 1 to 3 frames away, clamped to the video, so that ``frame`` may come twice at its ends.
    The other ``length - 3`` are drawn without replacement from the frames outside of these three; where there
    are not more than that, from all frames; a video of fewer frames than that is repeated. A clip of one
    frame is ``frame`` alone, one of two the first two of the three (ReferFormer, code, on Ref-YouTube-VOS,
    Ref-DAVIS17 and A2D-Sentences; MeViS trains with it too).

    Args:
        frame: index that the clip is drawn around.
        num_frames: of the video.
        length: of the clip.
        generator: chance.
        repeats_last: count the last of the three among the frames outside of them, too, as the published code
            does by mistake; it may then come twice.
    """
    if length == 1:
        return (frame,)
    before, after = (int(reach) for reach in generator.integers(1, LOCAL_REACH + 1, 2))
    near = [frame, max(0, frame - before), min(num_frames - 1, frame + after)]
    wanted = length - len(near)
    if wanted > 0:
        outside = [*range(min(near)), *range(max(near) + (not repeats_last), num_frames)]
        near += _draw(outside if len(outside) > wanted else range(num_frames), wanted, generator)
    return tuple(sorted(near)[:length])


def reference_and_current(
    num_frames: int, length: int, generator: np.random.Generator, reach: int = 10
) -> tuple[int, ...]:
    """Return ``length`` sorted indices: one anywhere, the others within ``reach`` of it and not itself.

    With two, the earlier is the reference frame and the later the current one (UniRef, code, video stage,
    with a reach of 10). Of more, several may be the same. A video of one frame repeats it: a still image is
    taken twice (UniRef, supplement, "pseudo videos").
    """
    first = int(generator.integers(num_frames))
    around = [*range(max(0, first - reach), first), *range(first + 1, min(num_frames, first + reach + 1))]
    if not around:
        return (first,) * length
    others = generator.choice(around, length - 1)
    return tuple(sorted([first, *map(int, others)]))


def jumping_frames(
    num_frames: int, length: int, generator: np.random.Generator, reach: int
) -> tuple[int, ...]:
    """Return ``length`` indices, each 1 to ``reach + 1`` after the one before; in half of the draws reversed.

    Near the end of a video jumps are cut short: the i-th lands at ``num_frames - reach // i`` at the latest,
    so that a short video may give a frame twice (STCN, code, video stages, three frames).
    """
    reach = min(num_frames, reach)
    frames = [int(generator.integers(min(num_frames - reach, num_frames - 1) + 1))]
    for place in range(1, length):
        wanted = frames[-1] + 1 + int(generator.integers(reach + 1))
        frames.append(min(wanted, num_frames - reach // place, num_frames - 1))
    return tuple(frames if generator.random() < 0.5 else frames[::-1])


def with_frame_at(
    frame: int, position: int, num_frames: int, length: int, generator: np.random.Generator
) -> tuple[int, ...]:
    """Draw a clip like those of :func:`local_and_global` in which ``frame`` stands at ``position``.

    The clips of a batch are predicted at one position, while the published rule leaves it to chance: here as
    many frames from afar come before as the position asks for. Close to the ends of a video, where there
    are not so many, some come several times.
    """
    if length == 1:
        return (frame,)
    before, after = (int(reach) for reach in generator.integers(1, LOCAL_REACH + 1, 2))
    first, last = max(0, frame - before), min(num_frames - 1, frame + after)
    num_before = position - 1
    earlier = _draw(range(first) or [first], num_before, generator)
    later = _draw(range(last + 1, num_frames) or [last], max(length - 3 - num_before, 0), generator)
    return tuple(sorted([*earlier, first, frame, last, *later])[:length])


def position_among(length: int, generator: np.random.Generator) -> int:
    """Draw where :func:`local_and_global` puts its frame, in the middle of a long video.

    One neighbour comes before it, and each of the frames from afar does so in half of the draws.
    """
    return 0 if length < 2 else 1 + int(generator.binomial(max(length - 3, 0), 0.5))


def _draw(frames: Sequence[int], count: int, generator: np.random.Generator) -> list[int]:
    """Draw ``count`` of ``frames`` without replacement, after taking all of them as often as they fit."""
    times, rest = divmod(count, len(frames))
    if rest == 0 and times == 1:
        return [*frames]
    places = generator.choice(len(frames), rest, replace=False)
    return [*frames] * times + [frames[int(place)] for place in places]
