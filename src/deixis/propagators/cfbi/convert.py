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


def _bottlenecks() -> list[tuple[str, str]]:
    pairs = []
    for place in range(8):
        theirs, ours = f"{_HEAD}.layer{place + 1}", f"head.layers.{place}"
        pairs.append((f"{theirs}.GCT1.*", f"{ours}.gate.*"))
        for number, name in enumerate(("first", "second", "third"), start=1):
            pairs += _conv_norm((f"{theirs}.conv{number}", f"{theirs}.bn{number}"), f"{ours}.{name}")
        pairs += _conv_norm((f"{theirs}.downsample.0", f"{theirs}.downsample.1"), f"{ours}.shortcut")
    return pairs


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


RENAMING = Renaming(
    pairs=(
        ("bg_bias", "background_bias"),
        ("fg_bias", "object_bias"),
        *_mobilenet(),
        (f"{_NETWORK}.**", "features.backbone.**"),
        *_pyramids(),
        *_conv_norm((f"{_FEATURES}.decoder.conv1", f"{_FEATURES}.decoder.bn1"), "features.reduce"),
        *_conv_norm(
            (f"{_FEATURES}.decoder.last_conv.0", f"{_FEATURES}.decoder.last_conv.1"), "features.join"
        ),
        *_conv_norm(
            (f"{_FEATURES}.decoder.last_conv.4", f"{_FEATURES}.decoder.last_conv.5"), "features.smooth"
        ),
        ("semantic_embedding.0.*", "embedding.depthwise.*"),
        ("semantic_embedding.1.*", "embedding.depthwise_norm.*"),
        ("semantic_embedding.3.*", "embedding.pointwise.*"),
        ("semantic_embedding.4.*", "embedding.pointwise_norm.*"),
        ("dynamic_prehead.conv.*", "prehead.*"),
        ("dynamic_prehead.bn.*", "prehead_norm.*"),
        *((f"{_HEAD}.IA{place + 1}.IA.*", f"head.gates.{place}.*") for place in range(11)),
        *_bottlenecks(),
        (f"{_HEAD}.GCT_sc.*", "head.skip_gate.*"),
        *_conv_norm((f"{_HEAD}.conv_sc", f"{_HEAD}.bn_sc"), "head.skip"),
        *_conv_norm((f"{_HEAD}.conv1", f"{_HEAD}.bn1"), "head.join"),
        *_conv_norm((f"{_HEAD}.conv2", f"{_HEAD}.bn2"), "head.smooth"),
        (f"{_HEAD}.IA_final_fg.*", "head.foreground.*"),
        (f"{_HEAD}.IA_final_bg.*", "head.background.*"),
    ),
    ignored=("**.num_batches_tracked",),
    copies=_copies(),
)
"""Published name, our name."""


def to_ours(published: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], list[str]]:
    """Rename ``published``; also return the names that no pattern knows."""
    return RENAMING.to_ours({name.removeprefix("module."): value for name, value in published.items()})
