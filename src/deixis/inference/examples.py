"""Examples of a thing, and the like of it found in images and videos (few-shot segmentation).

    Finder("uniref-plus-resnet50", checkpoint="image_r50.pth")("street.jpg", {"a.jpg": "a.png"}).save("out")

The examples are looked at once. Every image or frame is then asked by itself, so a video needs no memory; the
best answer is given however low its score, as published, where the thing is always there to be found.

Axes: k examples, H W pixels of an image, h w those that the network sees.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, UInt8
from torch import Tensor
from torch.nn import functional as F

from deixis.configuration import to_plain
from deixis.errors import MaskError, SourceError
from deixis.models.base import ExampleModel, ReferringModel
from deixis.models.clip import fit_frame, make_clip
from deixis.models.inputs import InputSpec
from deixis.ops.device import find_device
from deixis.ops.masks import masks_at_size
from deixis.ops.padding import pad_to_multiple, padded_to, stack_clips
from deixis.ops.png import decode_brightness, decode_label_map, stores_colours
from deixis.structures import Clip
from deixis.video.frames import Source
from deixis.video.results import FrameResult
from deixis.video.sources import open_source, take_source

from .engine import Engine, find_dtype
from .offline import Answer, FrameStamp
from .prediction import Prediction, PredictionBuilder
from .progress import Progress, progress_reporter
from .record import versions, weights_hash

NAME = "like the examples"
"""What the object that is found is called in outputs."""

_BRIGHT, _VOID = 127, 255


@dataclass(frozen=True)
class Example:
    """An image and where in it the thing is.

    Attributes:
        image: the pixels.
        mask: of the thing.
        origin: what to call it.
    """

    image: UInt8[np.ndarray, "H W 3"]
    mask: Bool[np.ndarray, "H W"]
    origin: str

    def __post_init__(self) -> None:
        height, width = self.mask.shape
        if self.mask.shape != self.image.shape[:2]:
            raise MaskError(
                f"the mask of {self.origin} is {width}x{height}, but the image is "
                f"{self.image.shape[1]}x{self.image.shape[0]}; give a mask of the image's own size"
            )
        if not self.mask.any():
            raise MaskError(f"the mask of {self.origin} is empty; paint the thing that is to be found")


@dataclass(frozen=True)
class Learned:
    """What a model made of examples.

    Attributes:
        reference: the model's own.
        description: of the examples, for the record of a run.
    """

    reference: Any
    description: Mapping[str, Any]


class Finder:
    """A model ready to find in images what examples show.

    Example:
        >>> finder = deixis.Finder("uniref-plus-resnet50", checkpoint="r50.pth")  # doctest: +SKIP
        >>> learned = finder.learn({"a.jpg": "a.png", "b.jpg": "b.png"})  # doctest: +SKIP
        >>> finder("street.jpg", learned).save("out")  # doctest: +SKIP

    Attributes:
        model: in evaluation mode, on the device.
        engine: the model at work.
        name: that it was built by; None for one that was passed.
        min_score: an answer of a lower score is left out.
    """

    def __init__(
        self,
        model: ReferringModel | str | Path,
        *,
        checkpoint: str | Path | None = None,
        device: str | torch.device = "auto",
        dtype: str = "auto",
        min_score: float = 0.0,
    ) -> None:
        """Prepare ``model``.

        Args:
            model: a model that takes examples (a UniRef), or a name or folder that :func:`deixis.load` takes.
            checkpoint: weights for a model given by name.
            device: "auto" (a GPU where there is one), "cpu", "cuda", "cuda:1", "mps".
            dtype: "float32", "bfloat16" or "float16" (mixed precision), or "auto": float32.
            min_score: leave out answers whose score, in [0, 1], is lower. 0: there is always an answer, as
                published; higher for images that may not show the thing.

        Raises:
            DeixisError: unknown name, unfit weights, absent device.
            ValueError: a model that takes no examples, or an impossible value.
        """
        if not 0 <= min_score <= 1:
            raise ValueError(f"min_score must lie in [0, 1], got {min_score}")
        found_device, found_dtype = find_device(device), find_dtype(dtype)
        self.name = str(model) if isinstance(model, str | Path) else None
        if isinstance(model, str | Path):
            from deixis.models.loading import load

            model = load(model, checkpoint, device=found_device)
        elif checkpoint is not None:
            raise ValueError("a checkpoint goes with a model's name; this model has its weights already")
        if not isinstance(model, ExampleModel):
            called = self.name or type(model).__name__
            raise ValueError(f"the model {called} takes no examples; name a UniRef, and its checkpoint")
        self.model = model.eval().to(found_device)
        self.engine = Engine(self.model, found_device, found_dtype)
        self.min_score = min_score

    @property
    def inputs(self) -> InputSpec:
        """What examples and images become before the network sees them."""
        return _as_example_model(self.model).example_inputs

    @cached_property
    def weights_hash(self) -> str:
        """The hash of the model's weights (see ``inference.record``)."""
        return weights_hash(self.model)

    def learn(self, examples: Any) -> Learned:
        """Look at examples, once for any number of images.

        Args:
            examples: as :func:`read_examples` takes them.

        Raises:
            DeixisError: an image or a mask that cannot be used.
        """
        read = read_examples(examples)
        clip, masks = _batch(read, self.inputs, self.engine.device)
        with self.engine.running(len(read), 1):
            reference = _as_example_model(self.model).learn_examples(clip, masks)
        return Learned(reference, _describe_examples(read))

    def __call__(
        self,
        source: Any,
        examples: Any,
        *,
        start: float | str | None = None,
        end: float | str | None = None,
        stride: int = 1,
        progress: bool | Progress = False,
    ) -> Prediction:
        """Find the like of the examples in every frame of a source.

        Args:
            source: an image or a video, as :class:`~deixis.inference.segmenter.Segmenter` takes it.
            examples: what :meth:`learn` gave, or what it takes.
            start: as of ``open_source``.
            end: as of ``open_source``.
            stride: as of ``open_source``.
            progress: True for a progress bar, or a function that is told stage and frames done.

        Raises:
            DeixisError: examples or a source that cannot be used.
        """
        learned = examples if isinstance(examples, Learned) else self.learn(examples)
        opened = take_source(source, start=start, end=end, stride=stride)
        builder = PredictionBuilder()
        for found in self.iterate(opened, learned, progress=progress):
            builder.add(Answer(FrameStamp.of(found.frame), found.masks, found.scores, found.presence))
        again = opened if opened.num_frames is not None else None
        return builder.build((NAME,), opened.frame_rate, self.describe(learned), again)

    def iterate(
        self, source: Source, learned: Learned, *, progress: bool | Progress = False
    ) -> Iterator[FrameResult]:
        """Yield every frame with its mask, as it comes: for sinks."""
        with progress_reporter(progress, source.num_frames) as report:
            for number, frame in enumerate(source, start=1):
                mask, score = self.find(frame.image, learned)
                scores = np.array([score], dtype=np.float32)
                yield FrameResult(frame, mask[None], scores, np.ones_like(scores))
                report("look", number)

    def find(
        self, image: UInt8[np.ndarray, "H W 3"], learned: Learned
    ) -> tuple[Bool[np.ndarray, "H W"], float]:
        """Return the mask in one image, empty where the score is below the least, and the score."""
        model, inputs = _as_example_model(self.model), self.inputs
        pixels = fit_frame(image, inputs)
        with self.engine.running(1, 1):
            video = self.model.encode_video(make_clip([pixels], inputs, self.engine.device))
            found = model.find_alike(video, learned.reference)
        score = float(found.scores[0])
        height, width = image.shape[:2]
        if score < self.min_score:
            return np.zeros((height, width), dtype=bool), score
        size = (int(pixels.shape[-2]), int(pixels.shape[-1]))
        padded = padded_to(size, inputs.pad_multiple)
        mask = masks_at_size(found.mask_logits.float(), padded, size, (height, width))
        return mask[0].cpu().numpy(), score

    def describe(self, examples: Any) -> dict[str, Any]:
        """Return a plain record of what this makes of examples, learned or not."""
        is_learned = isinstance(examples, Learned)
        return {
            "expressions": [NAME],
            "examples": examples.description if is_learned else _describe_examples(read_examples(examples)),
            "model": self.name or type(self.model).__name__,
            "weights": self.weights_hash,
            "inputs": to_plain(self.inputs),
            "min_score": self.min_score,
            "device": str(self.engine.device),
            "dtype": str(self.engine.dtype).removeprefix("torch."),
            "versions": versions(),
        }


def read_examples(examples: Any) -> tuple[Example, ...]:
    """Read images and the masks of a thing in them.

    Args:
        examples: a mapping from images to masks, or pairs of them. An image is a file, an array ``uint8 [H,
            W, 3]`` or a PIL image; a mask is a PNG or an array or tensor ``[H, W]`` of its size, in which
            anything but 0 is the thing. A PNG in colours is taken for black and white.

    Raises:
        SourceError: an image cannot be read.
        MaskError: a mask cannot be read, shows several things or nothing, or has another size than its image.
        ValueError: there are none.
    """
    if isinstance(examples, str | Path):
        raise ValueError(f"{examples} is no example; give images with their masks, as {{image: mask}}")
    pairs = list(examples.items()) if isinstance(examples, Mapping) else [*examples]
    if not pairs:
        raise ValueError("there are no examples; give at least one image with a mask")
    read = []
    for number, pair in enumerate(pairs, start=1):
        if isinstance(pair, Example):
            read.append(pair)
            continue
        image, mask = pair
        origin = str(image) if isinstance(image, str | Path) else f"example {number}"
        read.append(Example(_read_image(image, origin), _read_mask(mask, origin), origin))
    return tuple(read)


def _as_example_model(model: ReferringModel) -> ExampleModel:
    assert isinstance(model, ExampleModel)
    return model


def _read_image(image: Any, origin: str) -> UInt8[np.ndarray, "H W 3"]:
    frames = list(islice(open_source(image if isinstance(image, str | Path) else [image]), 2))
    if len(frames) > 1:
        raise SourceError(f"{origin} holds several frames; an example is one image")
    return frames[0].image


def _read_mask(mask: Any, origin: str) -> Bool[np.ndarray, "H W"]:
    """Read where the thing is: a file's one id, an array's pixels that are not 0."""
    if isinstance(mask, str | Path):
        return _read_mask_file(Path(mask))
    array = mask.detach().cpu().numpy() if isinstance(mask, torch.Tensor) else np.asarray(mask)
    if array.ndim == 3 and array.shape[0] == 1:
        array = array[0]
    if array.ndim != 2 or array.dtype.kind not in "bui":
        raise MaskError(f"the mask of {origin} is {array.dtype} {array.shape}; give one thing as bool [H, W]")
    return array != 0


def _read_mask_file(path: Path) -> Bool[np.ndarray, "H W"]:
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise MaskError(f"there is no mask {path}; check the path") from error
    except OSError as error:
        raise MaskError(f"{path} cannot be read as a mask: {error}") from error
    try:
        if stores_colours(data):
            return decode_brightness(data) > _BRIGHT
        labels = decode_label_map(data)
    except ValueError as error:
        raise MaskError(f"{path} cannot be read as a mask: it {error}") from error
    ids = [int(number) for number in np.unique(labels) if number]
    things = ids if ids == [_VOID] else [number for number in ids if number != _VOID]
    if len(things) > 1:
        raise MaskError(
            f"{path} shows {len(things)} ids, but an example shows one thing: keep one of them, or save it in"
            " black and white without smooth edges"
        )
    return np.isin(labels, things)


def _batch(
    examples: tuple[Example, ...], inputs: InputSpec, device: torch.device
) -> tuple[Clip, Bool[Tensor, "k h w"]]:
    """Resize examples as the model wants them, and pad them to one size: a clip of one frame each."""
    singles = [
        make_clip([fit_frame(one.image, inputs)], replace(inputs, pad_multiple=1), device) for one in examples
    ]
    clips, padding_mask = stack_clips([single.frames[0] for single in singles])
    clips, padding_mask = pad_to_multiple(clips, padding_mask, inputs.pad_multiple)
    masks = torch.zeros(len(examples), *clips.shape[-2:], dtype=torch.bool, device=device)
    for mask, single, one in zip(masks, singles, examples, strict=True):
        height, width = single.frames.shape[-2:]
        drawn = torch.from_numpy(np.ascontiguousarray(one.mask))[None, None].float()
        # Centres of pixels, as PIL and Detectron2 choose the nearest.
        drawn = F.interpolate(drawn, size=(height, width), mode="nearest-exact")[0, 0]
        mask[:height, :width] = drawn.to(device) > 0
    return Clip(clips, padding_mask), masks


def _describe_examples(examples: tuple[Example, ...]) -> dict[str, Any]:
    """Return the names of examples and a hash of their pixels."""
    digest = hashlib.sha256()
    for one in examples:
        digest.update(f"{one.image.shape}\n".encode())
        digest.update(np.ascontiguousarray(one.image).tobytes())
        digest.update(np.packbits(one.mask).tobytes())
    return {"images": [one.origin for one in examples], "sha256": digest.hexdigest()}
