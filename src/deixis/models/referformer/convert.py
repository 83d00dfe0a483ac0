"""The parameter names of the published ReferFormer files, and ours.

A published file is a dictionary with the weights under ``model``. The constant buffers in it are ignored, and
so are the second names of the box heads: the decoder holds the same tensors once more.
"""

from collections.abc import Mapping
from typing import TypeVar

from deixis.models.renaming import Renaming

T = TypeVar("T")

_BODY = "backbone.0.body"
_SWIN, _OUR_SWIN = f"{_BODY}.layers.*.blocks.*", "backbone.stages.*.blocks.*"
_ENCODER, _OUR_ENCODER = "transformer.encoder.layers.*", "encoder.*"
_DECODER, _OUR_DECODER = "transformer.decoder.layers.*", "decoder.*"


_IMAGE_MERGES = (f"{_BODY}.layers.*.downsample.**", "backbone.merges.*.**")


class ReferFormerRenaming(Renaming):
    """A table in which the merges of Swin and of Video Swin have one name of ours and two published ones."""

    def to_published(self, ours: Mapping[str, T]) -> tuple[dict[str, T], list[str]]:
        """Rename ``ours``; also return the names that no pattern knows."""
        if any(name.startswith("backbone.norms.") for name in ours):  # Swin alone has norms on its outputs
            return Renaming((_IMAGE_MERGES, *self.pairs), copies=self.copies).to_published(ours)
        return super().to_published(ours)


def _deformable(published: str, ours: str) -> list[tuple[str, str]]:
    names = {
        "sampling_offsets": "offsets",
        "attention_weights": "weights",
        "value_proj": "value_projection",
        "output_proj": "out_projection",
    }
    return [(f"{published}.{theirs}.*", f"{ours}.{mine}.*") for theirs, mine in names.items()]


def _attention(published: str, ours: str) -> list[tuple[str, str]]:
    return [
        (f"{published}.in_proj_*", f"{ours}.in_projection.*"),
        (f"{published}.out_proj.*", f"{ours}.out_projection.*"),
    ]


def _norms_and_feedforward(published: str, ours: str, *norms: str) -> list[tuple[str, str]]:
    pairs = [(f"{published}.norm{index}.*", f"{ours}.{norm}.*") for index, norm in enumerate(norms, start=1)]
    pairs.append((f"{published}.linear1.*", f"{ours}.feedforward.expand.*"))
    pairs.append((f"{published}.linear2.*", f"{ours}.feedforward.reduce.*"))
    return pairs


def _pixel_decoder() -> list[tuple[str, str]]:
    """Published numbers count from 1, ours from 0, both from fine to coarse."""
    pairs = [("pixel_decoder.mask_features.*", "pixel_decoder.mask_features.*")]
    for index in range(4):
        for published, ours in (("adapter", "adapters"), ("layer", "smoothings")):
            stem, our_stem = f"pixel_decoder.{published}_{index + 1}", f"pixel_decoder.{ours}.{index}"
            pairs.append((f"{stem}.weight", f"{our_stem}.convolution.weight"))
            pairs.append((f"{stem}.norm.*", f"{our_stem}.norm.*"))
        block, our_block = f"pixel_decoder.cross_attn_{index + 1}", f"pixel_decoder.blocks.{index}"
        pairs += _attention(f"{block}.self_attn", f"{our_block}.attention")
        pairs += _attention(f"{block}.multihead_attn", f"{our_block}.cross_attention")
        pairs += _norms_and_feedforward(
            block, our_block, "attention_norm", "cross_attention_norm", "feedforward_norm"
        )
    return pairs


RENAMING = ReferFormerRenaming(
    pairs=(
        (f"{_BODY}.patch_embed.proj.*", "backbone.patch_embed.projection.*"),
        (f"{_BODY}.patch_embed.norm.*", "backbone.patch_embed.norm.*"),
        (f"{_SWIN}.norm1.*", f"{_OUR_SWIN}.norm1.*"),
        (f"{_SWIN}.norm2.*", f"{_OUR_SWIN}.norm2.*"),
        (f"{_SWIN}.attn.qkv.*", f"{_OUR_SWIN}.attention.qkv.*"),
        (f"{_SWIN}.attn.proj.*", f"{_OUR_SWIN}.attention.projection.*"),
        (f"{_SWIN}.attn.relative_position_bias_table", f"{_OUR_SWIN}.attention.relative_position_bias_table"),
        (f"{_SWIN}.mlp.fc1.*", f"{_OUR_SWIN}.mlp.linear1.*"),
        (f"{_SWIN}.mlp.fc2.*", f"{_OUR_SWIN}.mlp.linear2.*"),
        (f"{_BODY}.downsamples.*.**", "backbone.merges.*.**"),
        _IMAGE_MERGES,
        *((f"{_BODY}.norm{stage}.*", f"backbone.norms.{stage}.*") for stage in range(4)),
        (f"{_BODY}.**", "backbone.**"),
        ("text_encoder.pooler.dense.*", "text_pooler.linear.*"),
        ("text_encoder.**", "text_encoder.encoder.**"),
        ("resizer.fc.*", "text_projection.linear.*"),
        ("resizer.layer_norm.*", "text_projection.norm.*"),
        ("input_proj.*.*.*", "projections.*.*.*"),
        *_attention("fusion_module.multihead_attn", "fusion.attention"),
        ("query_embed.weight", "queries.weight"),
        ("transformer.level_embed", "level_embedding"),
        ("transformer.reference_points.*", "reference_points.*"),
        *_deformable(f"{_ENCODER}.self_attn", f"{_OUR_ENCODER}.attention"),
        *_norms_and_feedforward(_ENCODER, _OUR_ENCODER, "attention_norm", "feedforward_norm"),
        *_deformable(f"{_DECODER}.cross_attn", f"{_OUR_DECODER}.cross_attention"),
        *_attention(f"{_DECODER}.self_attn", f"{_OUR_DECODER}.attention"),
        *_norms_and_feedforward(
            _DECODER, _OUR_DECODER, "cross_attention_norm", "attention_norm", "feedforward_norm"
        ),
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
