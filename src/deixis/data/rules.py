"""How training makes clips of videos and changes them, as values of a recipe. No torch here.

A value that cannot be raises a :class:`RecipeError` that says in one line which field is wrong and why.
"""

import dataclasses
import typing
from dataclasses import dataclass, field
from typing import Any, Literal

from deixis.errors import RecipeError, UnknownNameError

ClipKind = Literal[
    "around-annotated",
    "tiling",
    "random",
    "local-global",
    "local-global-published",
    "reference-pair",
    "jumps",
    "example-pair",
    "each-frame",
    "random-frame",
    "image",
]


@dataclass(frozen=True, kw_only=True)
class ClipRule:
    """Which frames of a video make a training clip, and which of its expressions go with them.

    Attributes:
        kind: "around-annotated": consecutive frames around each annotated one, which alone is predicted (MTTR
            on A2D-Sentences); "tiling": consecutive windows that cover the video (MTTR on Refer-YouTube-VOS);
            "random": a window at a random place each time; "local-global": every ``length``-th frame with its
            neighbours and frames from afar, or each annotated frame, which alone is then predicted
            (ReferFormer on Ref-YouTube-VOS, Ref-DAVIS17, A2D-Sentences); "local-global-published": the same
            with the published chance of a frame that comes twice; "reference-pair": a frame anywhere and
            others near it (UniRef, video stage, two frames); "jumps": a frame, and others each somewhat after
            the one before, forward or backward in time (STCN, three frames); "example-pair": each annotated
            frame after one of its examples (UniRef, few-shot segmentation); "each-frame": every annotated
            frame by itself (HINet, fine-tuning; RefVOS); "random-frame": a random object in a random
            annotated frame (HINet, pre-training); "image": the first frame, ``length`` times (ReferFormer and
            UniRef on images).
        length: frames of a clip.
        stride: every ``stride``-th frame, for "random".
        reach: how far apart the frames of a "reference-pair" may be, and how many frames a jump of "jumps"
            may leave out.
        reaches: the reach changes over the training: pairs of the share of the training that is done, and the
            reach from there on (STCN); (): it stays.
        predicted_frames: frames of a clip, drawn anew for each step, that the language side predicts; the
            vision side sees all. 0: all. For the kinds that do not predict an annotated frame alone.
        expressions_per_clip: expressions drawn for a clip, at most; 1 with "around-annotated" and "tiling"
            makes one sample of every (expression, window), as published. The vision side runs once for all of
            them.
        unit: what a sample of the kinds from "local-global" on is made of: an "expression" (ReferFormer), or
            an "object" with one of its expressions, drawn each time (UniRef, HINet, RefVOS).
        has_words: False: follow an object without words, even where there are expressions (UniRef on sets for
            video object segmentation).
        objects_per_clip: objects that are followed together without words, at most.
        mask_share: how often what expressions denote is shown by its masks in the first frame, too, to models
            that can be shown masks; drawn for all clips of a turn (``Recipe.run_length``) at once. Without
            words masks are always shown.
        takes_boxes: True: where a data set has boxes and no masks, the area of a box stands for the mask, so
            that crops and mirrors move it along (UniRef, stage I on Visual Genome). Only losses of boxes
            learn the truth from it.
        objects: "shown": all that appear in the clip; "referred": those that its expressions denote, whether
            they appear or not, as the published code of all but MTTR has it; "all": without words, all that
            appear are to be found, and nothing is shown of them (detection, UniRef's code on images).
        redraws: how often another clip is drawn, at most, where the referent of an expression is in no
            predicted frame after all transforms (of pairs: where it is missing in any). The published
            code of ReferFormer and UniRef goes on until there is one.
        kinds: train on expressions that speak of nothing else ("appearance", "location", ...), to begin with
            what is simple; (): on all.
        classes: number the categories of objects by this table of ``data.categories``, for models with
            class-discriminative heads; "": one class.
    """

    kind: ClipKind = "random"
    length: int = 8
    stride: int = 1
    reach: int = 10
    reaches: tuple[tuple[float, int], ...] = ()
    predicted_frames: int = 0
    expressions_per_clip: int = 1
    unit: Literal["expression", "object"] = "expression"
    has_words: bool = True
    objects_per_clip: int = 1
    mask_share: float = 0.0
    takes_boxes: bool = False
    objects: Literal["shown", "referred", "all"] = "shown"
    redraws: int = 0
    kinds: tuple[str, ...] = ()
    classes: Literal["", "youtube-vos", "shapes", "things"] = ""

    def __post_init__(self) -> None:
        check_types(self, "clip.")
        check_choice("clip.kind", self.kind, typing.get_args(ClipKind))
        check_choice("clip.unit", self.unit, ("expression", "object"))
        check_choice("clip.objects", self.objects, ("shown", "referred", "all"))
        check(
            self.has_words or self.objects != "shown",
            "clip.objects must be referred where clip.has_words is false: drawn objects are followed",
        )
        check(
            not self.has_words or self.objects != "all",
            "clip.objects all is for clips without words; set clip.has_words to false",
        )
        check(
            self.objects_per_clip == 1 or not self.has_words,
            f"clip.objects_per_clip is for clips without words, got {self.objects_per_clip}",
        )
        check(
            not self.reaches or self.kind == "jumps",
            f"clip.reaches are for clips of kind jumps, got {self.kind}",
        )
        check(
            all(len(one) == 2 and 0 <= one[0] <= 1 and one[1] >= 1 for one in self.reaches),
            f"clip.reaches are pairs of a share in [0, 1] and a reach from 1 on, got {list(self.reaches)}",
        )
        check_choice("clip.classes", self.classes, ("", "youtube-vos", "shapes", "things"))
        for name in ("length", "stride", "reach", "expressions_per_clip", "objects_per_clip"):
            check(getattr(self, name) >= 1, f"clip.{name} must be 1 or more, got {getattr(self, name)}")
        check(0 <= self.mask_share <= 1, f"clip.mask_share must lie in [0, 1], got {self.mask_share}")
        check(self.redraws >= 0, f"clip.redraws must be 0 or more, got {self.redraws}")
        if self.kind in ("each-frame", "random-frame"):
            check(
                self.length == 1, f"clip.length must be 1 where clip.kind is {self.kind}, got {self.length}"
            )
        check(
            self.kind != "example-pair" or (self.length == 2 and not self.has_words),
            "clips of kind example-pair have a clip.length of 2 and no words (clip.has_words false)",
        )
        check(
            0 <= self.predicted_frames <= self.length,
            f"clip.predicted_frames must lie in 0 to clip.length, got {self.predicted_frames}",
        )


@dataclass(frozen=True, kw_only=True)
class RandomCrop:
    """A crop of random size at a random place before the last resizing.

    The defaults are those of ReferFormer and DETR (code, all training transforms).

    Attributes:
        probability: of cropping at all.
        before: the frame is first brought to one of these short sides, the long side free; (): left as it is.
        smallest, largest: height and width are drawn each from ``smallest`` to the smaller of ``largest`` and
            the frame's own; a side shorter than ``smallest`` is kept whole.
        per_frame: draw place and size for each frame by itself, as UniRef does.
        spares_ordinals: do not crop where an expression counts ("the second ..."), as UniRef does on images.
        short_sides, long_side: size rule after a crop; () and 0: that of the transforms.
    """

    probability: float = 0.0
    before: tuple[int, ...] = (400, 500, 600)
    smallest: int = 384
    largest: int = 600
    per_frame: bool = False
    spares_ordinals: bool = False
    short_sides: tuple[int, ...] = ()
    long_side: int = 0

    def __post_init__(self) -> None:
        check_types(self, "transforms.crop.")
        check(
            0 <= self.probability <= 1,
            f"transforms.crop.probability must lie in [0, 1], got {self.probability}",
        )
        check(
            0 < self.smallest <= self.largest,
            "need 0 < transforms.crop.smallest <= transforms.crop.largest, "
            f"got {self.smallest} and {self.largest}",
        )
        for name in ("before", "short_sides"):
            sides = getattr(self, name)
            check(all(side > 0 for side in sides), f"transforms.crop.{name} must be above 0, got {sides}")
        check(self.long_side >= 0, f"transforms.crop.long_side must be 0 or more, got {self.long_side}")


@dataclass(frozen=True, kw_only=True)
class Affine:
    """How each frame is moved by itself; the defaults change nothing.

    Attributes:
        angle, shear: degrees, to both sides.
        scale: from and to.
    """

    angle: float = 0.0
    shear: float = 0.0
    scale: tuple[float, float] = (1.0, 1.0)

    def __post_init__(self) -> None:
        check_types(self, "transforms.affine.")
        check(
            0 <= self.angle <= 180 and 0 <= self.shear < 90,
            f"transforms.affine needs an angle of 0 to 180 and a shear of 0 to 90 degrees, got {self.angle} "
            f"and {self.shear}",
        )
        check(
            0 < self.scale[0] <= self.scale[1],
            f"transforms.affine.scale must rise from above 0, got {self.scale}",
        )


@dataclass(frozen=True, kw_only=True)
class Transforms:
    """What happens to the frames of a clip, in this order, alike for all of them unless a field says so.

    Colours are changed last, on the smaller frames, but for "referformer-published".

    Attributes:
        per_frame: draw everything for each frame by itself, as for images that have nothing to do with one
            another; smaller ones are padded. For clips without words.
        pseudo_video: move all but one frame of a still image: rotation, shift, perspective, brightness, blur
            (ReferFormer, code and supplement, joint training). Only for clips of one image.
        flip: probability of mirroring the clip, its masks and the sides that its expressions name.
        swap_words: "whole-word" swaps the words left and right; "published-substring" swaps the letters
            anywhere, as the published code of all projects does ("bright" becomes "bleft").
        colour_jitter: strength in [0, 1) of random brightness, contrast and channel gains, the same in every
            frame. Small values keep colour words true.
        photometric: "referformer": brightness, contrast, saturation, hue and order of channels, drawn for
            each frame by itself (ReferFormer, code, video samples); "referformer-published": the same without
            clipping, so that values too bright turn dark.
        grey: probability of a clip without colours.
        affine: moves each frame by itself, before any crop.
        area_crop: cut out so large a share of the frames, drawn between two, as a square of ``square``
            pixels, in place of all other crops and sizes; (): do not.
        crop: a random crop.
        short_side, long_side, size_rule: of ``ops.resize.resized_size``.
        short_sides: draw the short side from these instead; (): ``short_side``.
        square: side of a random square crop after resizing; a shorter side is kept whole (HINet and RefVOS:
            480). 0: none.
    """

    per_frame: bool = False
    pseudo_video: bool = False
    flip: float = 0.5
    swap_words: Literal["whole-word", "published-substring"] = "whole-word"
    colour_jitter: float = 0.0
    photometric: Literal["none", "referformer", "referformer-published"] = "none"
    grey: float = 0.0
    affine: Affine = field(default_factory=Affine)
    area_crop: tuple[float, ...] = ()
    crop: RandomCrop = field(default_factory=RandomCrop)
    short_side: int = 360
    long_side: int = 640
    size_rule: Literal["cut", "round"] = "cut"
    short_sides: tuple[int, ...] = ()
    square: int = 0

    def __post_init__(self) -> None:
        check_types(self, "transforms.")
        check(
            0 < self.short_side <= self.long_side,
            "need 0 < transforms.short_side <= transforms.long_side, "
            f"got {self.short_side} and {self.long_side}",
        )
        check(
            all(side > 0 for side in self.short_sides),
            f"transforms.short_sides must be above 0, got {self.short_sides}",
        )
        check(0 <= self.flip <= 1, f"transforms.flip is a probability, got {self.flip}")
        check_choice("transforms.size_rule", self.size_rule, ("cut", "round"))
        check_choice("transforms.swap_words", self.swap_words, ("whole-word", "published-substring"))
        check_choice(
            "transforms.photometric", self.photometric, ("none", "referformer", "referformer-published")
        )
        check(
            0 <= self.colour_jitter < 1,
            f"transforms.colour_jitter must lie in [0, 1), got {self.colour_jitter}",
        )
        check(0 <= self.grey <= 1, f"transforms.grey is a probability, got {self.grey}")
        shares = self.area_crop
        check(
            not shares or (len(shares) == 2 and 0 < shares[0] <= shares[1] <= 1 and self.square > 0),
            f"transforms.area_crop are two shares in (0, 1], with transforms.square above 0, got {shares}",
        )
        check(self.square >= 0, f"transforms.square must be 0 or more, got {self.square}")


def check(condition: bool, message: str) -> None:
    """Raise a :class:`RecipeError` with ``message`` unless ``condition`` holds."""
    if not condition:
        raise RecipeError(message)


def check_types(value: Any, prefix: str) -> None:
    """Raise a :class:`RecipeError` unless the plain fields of a data class have the types that they say."""
    kinds = {int: "a whole number", float: "a number", str: "text", bool: "true or false"}
    hints = typing.get_type_hints(type(value))
    for item in dataclasses.fields(value):
        hint, given = hints[item.name], getattr(value, item.name)
        if hint in kinds:
            taken = (int, float) if hint is float else hint
            is_right = isinstance(given, taken) and (hint is bool or not isinstance(given, bool))
            check(is_right, f"{prefix}{item.name} must be {kinds[hint]}, got {given!r}")
        elif dataclasses.is_dataclass(hint):
            check(isinstance(given, hint), f"{prefix}{item.name} must hold fields of its own, got {given!r}")


def check_choice(name: str, value: Any, choices: tuple[Any, ...]) -> None:
    """Raise a :class:`RecipeError` that offers the closest of ``choices`` when ``value`` is none of them."""
    if value not in choices:
        raise RecipeError(str(UnknownNameError(name, str(value), choices)))
