"""The parameter names of the published ReferFormer files, and ours.

A published file is a dictionary with the weights under ``model``. The constant buffers in it are ignored, and
so are the second names of the box heads: the decoder holds the same tensors once more.
"""

from collections.abc import Mapping
from typing import TypeVar

from deixis.models.detr_names import (
    attention_pairs,
    deformable_pairs,
    layer_pairs,
    swin_merge_pair,
    swin_pairs,
)
from deixis.models.renaming import Renaming

T = TypeVar("T")

_BODY = "backbone.0.body"
_ENCODER, _OUR_ENCODER = "transformer.encoder.layers.*", "encoder.*"
_DECODER, _OUR_DECODER = "transformer.decoder.layers.*", "decoder.*"


_IMAGE_MERGES = swin_merge_pair(_BODY)


class ReferFormerRenaming(Renaming):
    """A table in which the merges of Swin and of Video Swin have one name of ours and two published ones."""

    def to_published(self, ours: Mapping[str, T]) -> tuple[dict[str, T], list[str]]:
        """Rename ``ours``; also return the names that no pattern knows."""
        if any(name.startswith("backbone.norms.") for name in ours):  # Swin alone has norms on its outputs
            return Renaming((_IMAGE_MERGES, *self.pairs), copies=self.copies).to_published(ours)
        return super().to_published(ours)


def _pixel_decoder() -> list[tuple[str, str]]:
    """Published numbers count from 1, ours from 0, both from fine to coarse."""
    pairs = [("pixel_decoder.mask_features.*", "pixel_decoder.mask_features.*")]
    for index in range(4):
        for published, ours in (("adapter", "adapters"), ("layer", "smoothings")):
            stem, our_stem = f"pixel_decoder.{published}_{index + 1}", f"pixel_decoder.{ours}.{index}"
            pairs.append((f"{stem}.weight", f"{our_stem}.convolution.weight"))
            pairs.append((f"{stem}.norm.*", f"{our_stem}.norm.*"))
        block, our_block = f"pixel_decoder.cross_attn_{index + 1}", f"pixel_decoder.blocks.{index}"
        pairs += attention_pairs(f"{block}.self_attn", f"{our_block}.attention")
        pairs += attention_pairs(f"{block}.multihead_attn", f"{our_block}.cross_attention")
        pairs += layer_pairs(block, our_block, "attention_norm", "cross_attention_norm", "feedforward_norm")
    return pairs


RENAMING = ReferFormerRenaming(
    pairs=(
        *swin_pairs(_BODY),
        (f"{_BODY}.downsamples.*.**", "backbone.merges.*.**"),
        _IMAGE_MERGES,
        (f"{_BODY}.**", "backbone.**"),
        ("text_encoder.pooler.dense.*", "text_pooler.linear.*"),
        ("text_encoder.**", "text_encoder.encoder.**"),
        ("resizer.fc.*", "text_projection.linear.*"),
        ("resizer.layer_norm.*", "text_projection.norm.*"),
        ("input_proj.*.*.*", "projections.*.*.*"),
        *attention_pairs("fusion_module.multihead_attn", "fusion.attention"),
        ("query_embed.weight", "queries.weight"),
        ("transformer.level_embed", "level_embedding"),
        ("transformer.reference_points.*", "reference_points.*"),
        *deformable_pairs(f"{_ENCODER}.self_attn", f"{_OUR_ENCODER}.attention"),
        *layer_pairs(_ENCODER, _OUR_ENCODER, "attention_norm", "feedforward_norm"),
        *deformable_pairs(f"{_DECODER}.cross_attn", f"{_OUR_DECODER}.cross_attention"),
        *attention_pairs(f"{_DECODER}.self_attn", f"{_OUR_DECODER}.attention"),
        *layer_pairs(_DECODER, _OUR_DECODER, "cross_attention_norm", "attention_norm", "feedforward_norm"),
        ("class_embed.*.*", "class_heads.*.*"),
        ("bbox_embed.*.layers.*.*", "box_heads.*.layers.*.*"),
        ("controller.layers.*.*", "controller.layers.*.*"),
        *_pixel_decoder(),
    ),
    ignored=(
        f"{_BODY}.**.relative_position_index",
        f"{_BODY}.**.num_batches_tracked",
        "text_encoder.embeddings.position_ids",
    ),
    copies=(("bbox_embed.**", "transformer.decoder.bbox_embed.**"),),
)
"""Published name, our name."""
