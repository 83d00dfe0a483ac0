"""How the published systems make training clips of each kind of data set, by name. No torch here.

Sources: "code" is the published training code of each system, "supplement" that of its paper. All of them
swap "left" and "right" by substring when they mirror a clip, which spoils "bright"; here whole words are
swapped (``Transforms.swap_words``).
"""

from dataclasses import dataclass, replace

from .rules import Affine, ClipRule, RandomCrop, Transforms

NO_LIMIT = 100_000
"""A long side that no frame has."""


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """What becomes a clip, and what then happens to it."""

    clip: ClipRule
    transforms: Transforms


_MTTR_A2D = Sampling(
    clip=ClipRule(kind="around-annotated", length=8),  # supplement; code: floor(w / 2) frames before
    transforms=Transforms(short_side=320, long_side=576, flip=0.5),  # code
)
_MTTR_VIDEO = Sampling(
    clip=ClipRule(kind="tiling", length=12),  # supplement
    transforms=Transforms(short_side=360, long_side=640, flip=0.5),  # code
)

_REFERFORMER_SIDES = (288, 320, 352, 392, 416, 448, 480, 512)
_REFERFORMER_VIDEO = Sampling(
    clip=ClipRule(kind="local-global", length=5, objects="referred", redraws=16),  # code: redraws without end
    transforms=Transforms(
        flip=0.5,
        photometric="referformer",
        crop=RandomCrop(probability=0.5, before=(400, 500, 600), smallest=384, largest=600),
        short_sides=_REFERFORMER_SIDES,
        long_side=640,
    ),
)
_REFERFORMER_IMAGE = Sampling(
    clip=ClipRule(kind="image", length=1, objects="referred", redraws=16),
    transforms=Transforms(
        flip=0.5,
        crop=RandomCrop(
            probability=0.5,
            before=(400, 500, 600),
            smallest=384,
            largest=600,
            short_sides=(296, 328, 360, 392, 416, 448, 480, 512),
            long_side=640,
        ),
        short_sides=tuple(range(480, 769, 32)),
        long_side=800,
    ),
)

_UNIREF_PAIR = Sampling(
    clip=ClipRule(kind="reference-pair", length=2, reach=10, unit="object", objects="referred", redraws=16),
    transforms=Transforms(
        flip=0.5,
        crop=RandomCrop(probability=0.5, before=(), smallest=384, largest=600, per_frame=True),
        short_sides=(320, 352, 392, 416, 448, 480, 512, 544, 576, 608, 640),  # 392 is the code's
        long_side=768,
        size_rule="round",
    ),
)
_UNIREF_IMAGE_SIDES = tuple(range(480, 801, 32))
_UNIREF_IMAGE = Sampling(
    clip=ClipRule(kind="image", length=1, unit="object", objects="referred", redraws=16),
    transforms=Transforms(
        flip=0.5,
        crop=RandomCrop(
            probability=0.5, before=(400, 500, 600), smallest=384, largest=600, spares_ordinals=True
        ),
        short_sides=_UNIREF_IMAGE_SIDES,
        long_side=1333,
        size_rule="round",
    ),
)

_UNIREF_TINY = Sampling(
    clip=ClipRule(kind="jumps", length=2, reach=8, expressions_per_clip=3, mask_share=0.3),
    transforms=Transforms(short_side=128, long_side=192, size_rule="round", flip=0.5, colour_jitter=0.05),
)

_STCN_JUMPS = ((0.0, 5), (0.1, 10), (0.2, 15), (0.3, 20), (0.4, 25), (0.9, 5))
"""Share of the training, largest jump (code)."""
_STCN_VIDEO = Sampling(
    clip=ClipRule(
        kind="jumps",
        length=3,
        reaches=_STCN_JUMPS,
        has_words=False,
        objects="referred",
        objects_per_clip=2,
        redraws=4,  # code: 5 draws
    ),
    transforms=Transforms(
        flip=0.5,
        colour_jitter=0.1,  # code: brightness 0.1, contrast and saturation 0.03, of each frame 0.01
        grey=0.05,
        affine=Affine(angle=15, shear=10),
        area_crop=(0.36, 1.0),
        square=384,
        short_side=480,
        long_side=NO_LIMIT,
    ),
)
_STCN_IMAGE = Sampling(
    clip=ClipRule(kind="image", length=3, has_words=False, objects="referred", redraws=4),
    transforms=Transforms(
        flip=0.5,
        colour_jitter=0.1,
        grey=0.05,
        affine=Affine(angle=20, shear=10, scale=(0.9, 1.1)),
        short_side=384,
        long_side=NO_LIMIT,
        square=384,
    ),
)

_PER_FRAME = Transforms(short_side=480, long_side=NO_LIMIT, flip=0.0, square=480)

SAMPLINGS: dict[str, Sampling] = {
    "mttr-a2d": _MTTR_A2D,
    "mttr-a2d-w10": replace(_MTTR_A2D, clip=replace(_MTTR_A2D.clip, length=10)),
    "mttr-ref-youtube-vos": _MTTR_VIDEO,
    "mttr-ref-youtube-vos-w8": replace(_MTTR_VIDEO, clip=replace(_MTTR_VIDEO.clip, length=8)),
    "referformer-image": _REFERFORMER_IMAGE,
    "referformer-video": _REFERFORMER_VIDEO,
    "referformer-video-published": Sampling(
        clip=replace(_REFERFORMER_VIDEO.clip, kind="local-global-published"),
        transforms=replace(
            _REFERFORMER_VIDEO.transforms,
            swap_words="published-substring",
            photometric="referformer-published",
        ),
    ),
    "referformer-pseudo-video": Sampling(
        clip=replace(_REFERFORMER_IMAGE.clip, length=5),
        transforms=replace(_REFERFORMER_VIDEO.transforms, pseudo_video=True),
    ),
    "uniref-image": _UNIREF_IMAGE,
    "uniref-detection": replace(
        _UNIREF_IMAGE, clip=ClipRule(kind="image", length=1, has_words=False, objects="all", redraws=16)
    ),
    "uniref-boxes": replace(_UNIREF_IMAGE, clip=replace(_UNIREF_IMAGE.clip, takes_boxes=True)),
    "uniref-video": replace(_UNIREF_PAIR, clip=replace(_UNIREF_PAIR.clip, mask_share=0.6)),
    "uniref-pseudo-video": Sampling(
        clip=replace(_UNIREF_PAIR.clip, kind="image"),
        transforms=replace(_UNIREF_PAIR.transforms, short_sides=_UNIREF_IMAGE_SIDES, long_side=1333),
    ),
    "uniref-vos": replace(_UNIREF_PAIR, clip=replace(_UNIREF_PAIR.clip, has_words=False)),
    "uniref-vos-pseudo-video": Sampling(
        clip=replace(_UNIREF_PAIR.clip, kind="image", has_words=False),
        transforms=replace(_UNIREF_PAIR.transforms, short_sides=_UNIREF_IMAGE_SIDES, long_side=1333),
    ),
    "uniref-vos-pseudo-video-small": Sampling(
        clip=replace(_UNIREF_PAIR.clip, kind="image", has_words=False),
        transforms=_UNIREF_PAIR.transforms,
    ),
    "uniref-examples": Sampling(
        clip=ClipRule(kind="example-pair", length=2, has_words=False, objects="referred", redraws=16),
        transforms=replace(
            _UNIREF_PAIR.transforms,
            per_frame=True,
            crop=RandomCrop(probability=0.5, before=(400, 500, 600), smallest=384, largest=600),
        ),
    ),
    "uniref-tiny-video": _UNIREF_TINY,
    "uniref-tiny-vos": replace(
        _UNIREF_TINY,
        clip=ClipRule(
            kind="jumps", length=2, reach=8, has_words=False, objects="referred", objects_per_clip=2
        ),
    ),
    "stcn-video": _STCN_VIDEO,
    "stcn-youtube-vos": replace(
        _STCN_VIDEO,
        clip=replace(_STCN_VIDEO.clip, reaches=tuple((share, jump // 5) for share, jump in _STCN_JUMPS)),
    ),
    "stcn-image": _STCN_IMAGE,
    "hinet-pretraining": Sampling(
        clip=ClipRule(kind="random-frame", length=1, unit="object", objects="referred"),
        transforms=_PER_FRAME,
    ),
    "hinet-fine-tuning": Sampling(
        clip=ClipRule(kind="each-frame", length=1, unit="object", objects="referred"),
        transforms=_PER_FRAME,
    ),
    "refvos": Sampling(
        clip=ClipRule(kind="each-frame", length=1, unit="object", objects="referred"),
        transforms=replace(_PER_FRAME, short_side=416),  # code: the crop of 480 always holds padding
    ),
}
"""Name -> clips and transforms.

"mttr-a2d", "mttr-ref-youtube-vos": the windows of the published tables (-w10, -w8: the ablations).
"referformer-image": pretraining on RefCOCO/+/g. "referformer-video": Ref-YouTube-VOS, Ref-DAVIS17, MeViS, and
A2D-Sentences, of which the annotated frame alone is predicted; "-published" with the faults of the code.
"referformer-pseudo-video": images in joint training. "uniref-boxes": stage I, boxes without masks;
"uniref-image": stage II; "uniref-detection": all objects of images, with nothing shown of them (code, image
stages). "uniref-video" and "uniref-pseudo-video": stage III on videos and on images with expressions;
"uniref-vos" and "uniref-vos-pseudo-video" without ("-small": the sizes of the code for COCO).
"uniref-examples": an image after another of its class, each changed by itself (FSS-1000).
"uniref-tiny-video", "uniref-tiny-vos": pairs of rendered frames for our tiny variant.
"stcn-video": three frames and up to two objects (stages 2 and 3); "stcn-youtube-vos": the same where every
5th frame is annotated; "stcn-image": still images moved (stage 0, without its thin-plate warps).
"hinet-pretraining", "hinet-fine-tuning", "refvos": single frames.
"""
