"""The parameter names of the published RefVOS files, and ours.

A published file is a dictionary with the segmentation network under ``model`` and BERT under ``bert_model``;
published names here begin with one of the two. Counters of batch norms and the constant buffer of BERT are
ignored.
"""

from collections.abc import Mapping
from typing import TypeVar

from deixis.models.renaming import Renaming

T = TypeVar("T")

_ASPP = "model.classifier.aspp"


def _conv_norm(published: str, ours: str) -> list[tuple[str, str]]:
    return [(f"{published}.0.*", f"{ours}.convolution.*"), (f"{published}.1.*", f"{ours}.norm.*")]


def refvos_pairs(fusion: str) -> tuple[tuple[str, str], ...]:
    """Return published and our patterns; ``fusion`` is the name of our fusion module."""
    return (
        ("model.backbone.**", "backbone.**"),
        (f"{_ASPP}.convs.4.1.*", "aspp.pooling.convolution.*"),
        (f"{_ASPP}.convs.4.2.*", "aspp.pooling.norm.*"),
        (f"{_ASPP}.convs.*.0.*", "aspp.branches.*.convolution.*"),
        (f"{_ASPP}.convs.*.1.*", "aspp.branches.*.norm.*"),
        *_conv_norm(f"{_ASPP}.project", "aspp.project"),
        (f"{_ASPP}.embedding_project.0.*", f"{fusion}.embedding.*"),
        (f"{_ASPP}.embedding_project.1.*", f"{fusion}.embedding_norm.*"),
        *_conv_norm(f"{_ASPP}.project_final", f"{fusion}.project"),
        ("model.classifier.conv.*", "head.smooth.convolution.*"),
        ("model.classifier.bn.*", "head.smooth.norm.*"),
        ("model.classifier.conv_2.*", "head.score.*"),
        ("bert_model.**", "text_encoder.encoder.**"),
    )


IGNORED = ("model.**.num_batches_tracked", "bert_model.embeddings.position_ids")
"""Published patterns that hold no parameter."""

RENAMING = Renaming(pairs=refvos_pairs("fusion"), ignored=IGNORED)
"""Published name, our name."""


def nested(published: Mapping[str, T]) -> dict[str, dict[str, T]]:
    """Return published names as the published trainer nests them in its files."""
    parts: dict[str, dict[str, T]] = {"model": {}, "bert_model": {}}
    for name, value in published.items():
        part, _, rest = name.partition(".")
        parts[part][rest] = value
    return parts
