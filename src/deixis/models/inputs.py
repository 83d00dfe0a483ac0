"""What a model wants from whoever feeds it: sizes, normalisation, windows. No torch here."""

from dataclasses import dataclass
from typing import Literal, get_args

from deixis.flow.config import MotionSpec

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)

Merging = Literal["threshold-argmax", "product-background", "higher-id-overrides"]


@dataclass(frozen=True, kw_only=True)
class InputSpec:
    """How frames become a clip, and how a long video becomes windows.

    Attributes:
        short_side, long_side: resize so that the short side is ``short_side`` unless the long one would
            exceed ``long_side`` (``ops.resize.resized_size``).
        size_rule: what becomes of parts of pixels: "cut" off (MTTR, ReferFormer) or "round" (UniRef).
        mean, std: normalisation of RGB in [0, 1].
        window_length: frames the model sees together; None: the whole video in one window.
        window_overlap: frames that neighbouring windows share, to follow one trajectory across them.
        wants_flow: the clip carries what moves, made from optical flow as ``motion`` says.
        motion: the estimator, the compensation of camera motion, the channels; None without flow.
        is_online: the model has ``start`` and ``step`` and is fed frame by frame.
        presence_threshold: a frame whose presence is below gets an empty mask; None: a mask in every frame,
            as the published system does.
        resize: "shortest_side": as said above; "none": frames keep their size.
        pad_multiple: heights and widths are padded to multiples of it.
        mask_resize: from mask logits to the video's size. "cropped": to the input's size, thresholded,
            without padding, then to the nearest pixel; "stretched": at once, over the whole frame, then
            thresholded (ReferFormer on whole videos); "smooth": as "cropped", but probabilities are brought
            to the video's size (bilinear) before they are thresholded (UniRef).
        merging: the masks of several objects in one label map (DAVIS-2017). "threshold-argmax": a pixel goes
            to the object of the highest probability of at least a half; "higher-id-overrides": HINet and
            RefVOS.
    """

    short_side: int = 360
    long_side: int = 640
    size_rule: Literal["cut", "round"] = "cut"
    mean: tuple[float, float, float] = IMAGENET_MEAN
    std: tuple[float, float, float] = IMAGENET_STD
    window_length: int | None = 24
    window_overlap: int = 6
    wants_flow: bool = False
    motion: MotionSpec | None = None
    is_online: bool = False
    presence_threshold: float | None = None
    resize: Literal["shortest_side", "none"] = "shortest_side"
    pad_multiple: int = 1
    mask_resize: Literal["cropped", "stretched", "smooth"] = "cropped"
    merging: Merging = "threshold-argmax"

    def __post_init__(self) -> None:
        if not 0 < self.short_side <= self.long_side:
            raise ValueError(f"need 0 < short_side <= long_side, got {self.short_side} and {self.long_side}")
        if self.window_length is not None and not 0 <= self.window_overlap < self.window_length:
            raise ValueError(
                "need 0 <= window_overlap < window_length, "
                f"got {self.window_overlap} and {self.window_length}"
            )
        if self.wants_flow != (self.motion is not None):
            raise ValueError("a model that wants flow says in motion how it is made, and no other one does")
        if self.wants_flow and not self.is_online:
            raise ValueError("flow is given frame by frame; a model that wants it must be online")
        if self.pad_multiple < 1:
            raise ValueError(f"pad_multiple must be at least 1, got {self.pad_multiple}")
        if self.resize not in ("shortest_side", "none"):
            raise ValueError(f"resize must be 'shortest_side' or 'none', got {self.resize!r}")
        if self.size_rule not in ("cut", "round"):
            raise ValueError(f"size_rule must be 'cut' or 'round', got {self.size_rule!r}")
        if self.mask_resize not in ("cropped", "stretched", "smooth"):
            raise ValueError(
                f"mask_resize must be 'cropped', 'stretched' or 'smooth', got {self.mask_resize!r}"
            )
        if self.merging not in get_args(Merging):
            raise ValueError(f"merging must be one of {', '.join(get_args(Merging))}, got {self.merging!r}")
        if self.presence_threshold is not None and not 0 <= self.presence_threshold <= 1:
            raise ValueError(f"presence_threshold must lie in [0, 1], got {self.presence_threshold}")
