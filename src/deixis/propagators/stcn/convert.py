"""The parameter names of the published STCN files, and ours.

A published file is a plain dictionary; one to resume training from holds it under ``network``. Counters of
batch norms are ignored. A file of stage 0 (single objects) has no channel for the masks of the others.
"""

from collections.abc import Mapping

import torch
from torch import Tensor

from deixis.models.renaming import Renaming

_STEM = "value_encoder.conv1.weight"
_GATES = "value_encoder.fuser.attention"


def _res_block(published: str, ours: str) -> list[tuple[str, str]]:
    names = (("downsample", "shortcut"), ("conv1", "first"), ("conv2", "second"))
    return [(f"{published}.{theirs}.*", f"{ours}.{own}.*") for theirs, own in names]


RENAMING = Renaming(
    pairs=(
        ("key_encoder.res2.**", "key_encoder.layer1.**"),
        ("key_encoder.**", "key_encoder.**"),
        ("key_proj.key_proj.*", "key_projection.*"),
        ("key_comp.*", "thin_projection.*"),
        *_res_block("value_encoder.fuser.block1", "value_encoder.fuse"),
        *_res_block("value_encoder.fuser.block2", "value_encoder.refine"),
        (f"{_GATES}.ChannelGate.mlp.1.*", "value_encoder.attention.reduce.*"),
        (f"{_GATES}.ChannelGate.mlp.3.*", "value_encoder.attention.expand.*"),
        (f"{_GATES}.SpatialGate.spatial.conv.*", "value_encoder.attention.cells.*"),
        ("value_encoder.*.*.downsample.0.*", "value_encoder.*.*.shortcut.*"),
        ("value_encoder.*.*.downsample.1.*", "value_encoder.*.*.shortcut_norm.*"),
        ("value_encoder.**", "value_encoder.**"),
        *_res_block("decoder.compress", "decoder.compress"),
        ("decoder.up_16_8.skip_conv.*", "decoder.skip8.*"),
        ("decoder.up_8_4.skip_conv.*", "decoder.skip4.*"),
        *_res_block("decoder.up_16_8.out_conv", "decoder.join8"),
        *_res_block("decoder.up_8_4.out_conv", "decoder.join4"),
        ("decoder.pred.*", "decoder.score.*"),
    ),
    ignored=("**.num_batches_tracked",),
)
"""Published name, our name."""


def to_ours(published: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], list[str]]:
    """Rename ``published`` and give a file of stage 0 the channel that it lacks, of zeros.

    Returns:
        Tensors by our names, and the names that no pattern knows.
    """
    ours, unknown = RENAMING.to_ours(published)
    stem = ours.get(_STEM)
    if stem is not None and stem.dim() == 4 and stem.shape[1] == 4:
        ours[_STEM] = torch.cat((stem, torch.zeros_like(stem[:, :1])), dim=1)
    return ours, unknown
