"""Everything in one call: a source and what to look for in, masks out."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from deixis import propagators
from deixis.models.base import ReferringModel
from deixis.models.registry import DEFAULT
from deixis.propagators.base import Propagator

from .examples import Finder
from .following import Follower
from .prediction import Prediction
from .progress import Progress
from .segmenter import Segmenter
from .windows import WindowRule


def segment(
    source: Any,
    expressions: str | Sequence[str] | None = None,
    *,
    masks: Any = None,
    examples: Any = None,
    model: ReferringModel | str | Path = DEFAULT,
    checkpoint: str | Path | None = None,
    device: str | torch.device = "auto",
    dtype: str = "auto",
    windows: str | WindowRule | None = None,
    propagator: Propagator | str | None = None,
    propagator_checkpoint: str | Path | None = None,
    start: float | str | None = None,
    end: float | str | None = None,
    stride: int = 1,
    progress: bool | Progress = False,
) -> Prediction:
    """Segment a video in one call: :class:`Segmenter` says what the arguments mean.

    With ``masks`` in place of expressions, their objects are followed by ``propagator``; see
    :class:`~deixis.inference.following.Follower`. With both, the model is told where what the sentences name
    is in some frames. With ``examples``, images of a thing and its masks, ``model`` finds the like of it in
    every frame; see :class:`~deixis.inference.examples.Finder`.

    Raises:
        DeixisError: as ``Segmenter``, ``Follower`` and ``Finder``.
        ValueError: there is nothing to look for, or what the model does not take together.

    Example:
        >>> deixis.segment("dog.mp4", ["the dog on the left", "the woman"]).save("out")  # doctest: +SKIP
        >>> deixis.segment("dog.mp4", masks="first_frame.png").save("out")  # doctest: +SKIP
        >>> deixis.segment("dog.jpg", examples={"a.jpg": "a.png"}, model="runs/model")  # doctest: +SKIP
    """
    if examples is not None:
        if expressions is not None or masks is not None or propagator is not None:
            raise ValueError("examples alone say what to find; leave expressions, masks and propagator out")
        finder = Finder(model, checkpoint=checkpoint, device=device, dtype=dtype)
        return finder(source, examples, start=start, end=end, stride=stride, progress=progress)
    if expressions is None and masks is None:
        raise ValueError("say what to segment: give expressions or masks, or examples")
    if expressions is None:
        follower = Follower(
            propagator or propagators.DEFAULT, checkpoint=propagator_checkpoint, device=device
        )
        return follower(source, masks, start=start, end=end, stride=stride, progress=progress)
    segmenter = Segmenter(
        model,
        checkpoint=checkpoint,
        device=device,
        dtype=dtype,
        windows=windows,
        propagator=propagator,
        propagator_checkpoint=propagator_checkpoint,
    )
    return segmenter(source, expressions, masks=masks, start=start, end=end, stride=stride, progress=progress)
