"""The parameter names of the published CFBI files, and ours.

A published file holds its tensors under ``state_dict``, their names with ``module.`` before them or without.
The layers of the embedding, and those of MobileNetV2, stand in it more than once.
"""

from collections.abc import Mapping

from torch import Tensor

from deixis.models.renaming import Renaming

_FEATURES, _HEAD = "feature_extracter", "dynamic_seghead"
_NETWORK = f"{_FEATURES}.backbone"


def _conv_norm(published: tuple[str, str], ours: str) -> list[tuple[str, str]]:
    convolution, norm = published
    return [(f"{convolution}.*", f"{ours}.convolution.*"), (f"{norm}.*", f"{ours}.norm.*")]


_NUMBERED = tuple(f"{{}}{place}" for place in range(1, 9))
_STAGED = ("S1_{}1", "S1_{}2", "S2_{}1", "S2_{}2", "S2_{}3", "S3_{}1", "S3_{}2", "S3_{}3")
"""How CFBI and CFBI+ count the layers of their heads, and the gates before them."""


def _layers(counted: tuple[str, ...]) -> list[tuple[str, str]]:
    pairs = []
    for place, name in enumerate(counted):
        theirs, ours = f"{_HEAD}.{name.format('layer')}", f"head.layers.{place}"
        pairs.append((f"{_HEAD}.{name.format('IA')}.IA.*", f"head.gates.{place}.*"))
        pairs.append((f"{theirs}.GCT1.*", f"{ours}.gate.*"))
        for number, own in enumerate(("first", "second", "third"), start=1):
            pairs += _conv_norm((f"{theirs}.conv{number}", f"{theirs}.bn{number}"), f"{ours}.{own}")
        pairs += _conv_norm((f"{theirs}.downsample.0", f"{theirs}.downsample.1"), f"{ours}.shortcut")
    return pairs


def _pyramid_of_plus() -> list[tuple[str, str]]:
    names = {"toplayer": "top", "latlayer1": "lateral8", "latlayer2": "lateral4"}
    names |= {"smooth1": "smooth8", "smooth2": "smooth4"}
    return [
        pair
        for theirs, own in names.items()
        for pair in _conv_norm((f"fpn.{theirs}.0", f"fpn.{theirs}.1"), f"pyramid.{own}")
    ]


def _pyramids() -> list[tuple[str, str]]:
    pairs = []
    for place in range(4):
        theirs = f"{_FEATURES}.aspp.aspp{place + 1}"
        pairs += _conv_norm((f"{theirs}.atrous_conv", f"{theirs}.bn"), f"features.aspp.branches.{place}")
        theirs = f"{_HEAD}.ASPP.aspp{place + 1}"
        pairs.append((f"{theirs}.GCT.*", f"head.aspp.gates.{place}.*"))
        pairs += _conv_norm((f"{theirs}.atrous_conv", f"{theirs}.bn"), f"head.aspp.branches.{place}")
    pooled = f"{_FEATURES}.aspp.global_avg_pool"
    pairs += _conv_norm((f"{pooled}.1", f"{pooled}.2"), "features.aspp.pooling")
    pairs += _conv_norm((f"{_FEATURES}.aspp.conv1", f"{_FEATURES}.aspp.bn1"), "features.aspp.project")
    pairs.append((f"{_HEAD}.ASPP.global_avg_pool.1.*", "head.aspp.pooling.*"))
    pairs.append((f"{_HEAD}.ASPP.GCT.*", "head.aspp.gate.*"))
    return [*pairs, *_conv_norm((f"{_HEAD}.ASPP.conv1", f"{_HEAD}.ASPP.bn1"), "head.aspp.project")]


def _mobilenet() -> list[tuple[str, str]]:
    """Name the layers of MobileNetV2: the first block, which does not expand, has fewer of them."""
    pairs = [(f"{_NETWORK}.features.0.0.*", "features.backbone.stem.*")]
    pairs.append((f"{_NETWORK}.features.0.1.*", "features.backbone.stem_norm.*"))
    for place in range(1, 18):
        names = ("depthwise", "depthwise_norm", "reduce", "reduce_norm")
        numbers = (0, 1, 3, 4)
        if place > 1:
            names, numbers = ("expand", "expand_norm", *names), (0, 1, 3, 4, 6, 7)
        for number, name in zip(numbers, names, strict=True):
            theirs = f"{_NETWORK}.features.{place}.conv.{number}.*"
            pairs.append((theirs, f"features.backbone.blocks.{place - 1}.{name}.*"))
    return pairs


def _copies() -> list[tuple[str, str]]:
    """Name the layers that stand in a file more than once, and where."""
    layers = {"seperate_conv": 0, "bn1": 1, "embedding_conv": 3, "bn2": 4}
    pairs = [(f"semantic_embedding.{place}.*", f"{name}.*") for name, place in layers.items()]
    parts = {
        "low_level_features": range(4),
        "high_level_features": range(4, 18),
        "feautre_8x": range(4, 7),
        "feature_16x": range(7, 14),
        "feature_32x": range(14, 18),
    }
    for name, places in parts.items():
        pairs += [(f"{_NETWORK}.features.{place}.**", f"{_NETWORK}.{name}.{place}.**") for place in places]
    return pairs


_COMMON = (
    ("bg_bias", "background_bias"),
    ("fg_bias", "object_bias"),
    *_pyramids(),
    *_conv_norm((f"{_FEATURES}.decoder.conv1", f"{_FEATURES}.decoder.bn1"), "features.reduce"),
    *_conv_norm((f"{_FEATURES}.decoder.last_conv.0", f"{_FEATURES}.decoder.last_conv.1"), "features.join"),
    *_conv_norm((f"{_FEATURES}.decoder.last_conv.4", f"{_FEATURES}.decoder.last_conv.5"), "features.smooth"),
    *((f"{_HEAD}.IA{place + 1}.IA.*", f"head.gates.{place}.*") for place in (9, 10)),
    (f"{_HEAD}.GCT_sc.*", "head.skip_gate.*"),
    *_conv_norm((f"{_HEAD}.conv_sc", f"{_HEAD}.bn_sc"), "head.skip"),
    *_conv_norm((f"{_HEAD}.conv1", f"{_HEAD}.bn1"), "head.join"),
    *_conv_norm((f"{_HEAD}.conv2", f"{_HEAD}.bn2"), "head.smooth"),
    (f"{_HEAD}.IA_final_fg.*", "head.foreground.*"),
    (f"{_HEAD}.IA_final_bg.*", "head.background.*"),
)
_IGNORED = ("**.num_batches_tracked",)

RENAMING = Renaming(
    pairs=(
        *_mobilenet(),
        (f"{_NETWORK}.**", "features.backbone.**"),
        *_COMMON,
        *_layers(_NUMBERED),
        (f"{_HEAD}.IA9.IA.*", "head.gates.8.*"),
        ("semantic_embedding.0.*", "embedding.depthwise.*"),
        ("semantic_embedding.1.*", "embedding.depthwise_norm.*"),
        ("semantic_embedding.3.*", "embedding.pointwise.*"),
        ("semantic_embedding.4.*", "embedding.pointwise_norm.*"),
        ("dynamic_prehead.conv.*", "prehead.*"),
        ("dynamic_prehead.bn.*", "prehead_norm.*"),
    ),
    ignored=_IGNORED,
    copies=_copies(),
)
"""Published name of CFBI, our name."""

PLUS_RENAMING = Renaming(
    pairs=(
        (f"{_NETWORK}.**", "features.backbone.**"),
        *_COMMON,
        *_layers(_STAGED),
        (f"{_HEAD}.ASPP_IA.IA.*", "head.gates.8.*"),
        *_pyramid_of_plus(),
    ),
    ignored=_IGNORED,
)
"""Published name of CFBI+, our name."""


def to_ours(published: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], list[str]]:
    """Rename the tensors of a file of CFBI or CFBI+; also return the names that no pattern knows."""
    names = {name.removeprefix("module."): value for name, value in published.items()}
    is_plus = any(name.startswith("fpn.") for name in names)
    return (PLUS_RENAMING if is_plus else RENAMING).to_ours(names)
