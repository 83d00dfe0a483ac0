"""The parameter names of the published UniRef++ files, and ours.

A published file is a dictionary with the weights under ``model``. Ignored are constant buffers, counters and
the step of a loss; the decoder holds the heads of classes and boxes once more, the same tensors.
"""

from deixis.models.detr_names import (
    attention_pairs,
    deformable_pairs,
    layer_pairs,
    swin_merge_pair,
    swin_pairs,
)
from deixis.models.renaming import Renaming

_BODY = "detr.detr.backbone.0.backbone"
_ENCODER, _OUR_ENCODER = "detr.detr.transformer.encoder.layers.*", "encoder.*"
_DECODER, _OUR_DECODER = "detr.detr.transformer.decoder.layers.*", "decoder.*"
_FUSION = "detr.fusion_module"
_PROPOSALS = 6
"""Index of the heads of the first stage, after those of six decoder layers."""


def _resnet() -> list[tuple[str, str]]:
    pairs = [
        (f"{_BODY}.stem.conv1.norm.*", "backbone.bn1.*"),
        (f"{_BODY}.stem.conv1.*", "backbone.conv1.*"),
    ]
    for stage in range(1, 5):
        block, ours = f"{_BODY}.res{stage + 1}.*", f"backbone.layer{stage}.*"
        pairs += [
            (f"{block}.shortcut.norm.*", f"{ours}.downsample.1.*"),
            (f"{block}.shortcut.*", f"{ours}.downsample.0.*"),
        ]
        for index in range(1, 4):
            pairs.append((f"{block}.conv{index}.norm.*", f"{ours}.bn{index}.*"))
            pairs.append((f"{block}.conv{index}.*", f"{ours}.conv{index}.*"))
    return pairs


def _mask_encoder() -> list[tuple[str, str]]:
    """Published stages count from 1 and fusers from 2, ours from 0."""
    pairs = [
        ("value_encoder.conv1.*", "mask_encoder.stem.*"),
        ("value_encoder.bn1.*", "mask_encoder.stem_norm.*"),
        ("value_encoder.final_layer.*.*", "mask_encoder.coarsest.*.*"),
    ]
    for index in range(4):
        stage, ours = f"value_encoder.layer{index + 1}.*", f"mask_encoder.stages.{index}.*"
        pairs += [
            (f"{stage}.downsample.0.*", f"{ours}.shortcut.*"),
            (f"{stage}.downsample.1.*", f"{ours}.shortcut_norm.*"),
            *((f"{stage}.{part}.*", f"{ours}.{part}.*") for part in ("conv1", "bn1", "conv2", "bn2")),
        ]
        fuser, ours = f"value_encoder.fuser{index + 2}", f"mask_encoder.fusers.{index}"
        for block, mine in (("block1", "join"), ("block2", "refine")):
            pairs += [
                (f"{fuser}.{block}.downsample.*", f"{ours}.{mine}.shortcut.*"),
                (f"{fuser}.{block}.conv1.*", f"{ours}.{mine}.first.*"),
                (f"{fuser}.{block}.conv2.*", f"{ours}.{mine}.second.*"),
            ]
        pairs += [
            (f"{fuser}.attention.ChannelGate.mlp.1.*", f"{ours}.gates.reduce.*"),
            (f"{fuser}.attention.ChannelGate.mlp.3.*", f"{ours}.gates.expand.*"),
            (f"{fuser}.attention.SpatialGate.spatial.conv.*", f"{ours}.gates.cells.*"),
        ]
    return pairs


RENAMING = Renaming(
    pairs=(
        *_resnet(),
        *swin_pairs(_BODY),
        swin_merge_pair(_BODY),
        ("detr.detr.input_proj.*.*.*", "projections.*.*.*"),
        ("text_encoder.**", "text_encoder.encoder.**"),
        ("resizer.fc.*", "text_projection.linear.*"),
        ("resizer.layer_norm.*", "text_projection.norm.*"),
        *_mask_encoder(),
        (f"{_FUSION}.norm_v.*", "fusion.pixel_norm.*"),
        (f"{_FUSION}.norm_l.*", "fusion.reference_norm.*"),
        (f"{_FUSION}.attn.q_proj.*", "fusion.queries.*"),
        (f"{_FUSION}.attn.k_proj.*", "fusion.keys.*"),
        (f"{_FUSION}.attn.v_proj.*", "fusion.values.*"),
        (f"{_FUSION}.attn.out_proj.*", "fusion.out.*"),
        (f"{_FUSION}.adaLN_modulation.1.*", "fusion.modulation.*"),
        ("detr.detr.transformer.level_embed", "level_embedding"),
        *deformable_pairs(f"{_ENCODER}.self_attn", f"{_OUR_ENCODER}.attention"),
        *layer_pairs(_ENCODER, _OUR_ENCODER, "attention_norm", "feedforward_norm"),
        *deformable_pairs(f"{_DECODER}.cross_attn", f"{_OUR_DECODER}.cross_attention"),
        *attention_pairs(f"{_DECODER}.self_attn", f"{_OUR_DECODER}.attention"),
        *layer_pairs(_DECODER, _OUR_DECODER, "cross_attention_norm", "attention_norm", "feedforward_norm"),
        ("detr.detr.transformer.enc_output.*", "proposals.memory.*"),
        ("detr.detr.transformer.enc_output_norm.*", "proposals.memory_norm.*"),
        ("detr.detr.transformer.pos_trans.*", "proposals.positions.*"),
        ("detr.detr.transformer.pos_trans_norm.*", "proposals.position_norm.*"),
        (f"detr.detr.class_embed.{_PROPOSALS}.*", "proposals.class_head.*"),
        (f"detr.detr.bbox_embed.{_PROPOSALS}.layers.*.*", "proposals.box_head.layers.*.*"),
        ("detr.detr.class_embed.*.*", "class_heads.*.*"),
        ("detr.detr.bbox_embed.*.layers.*.*", "box_heads.*.layers.*.*"),
        ("detr.detr.query_embed.weight", "queries.weight"),
        ("detr.controller.layers.*.*", "controller.layers.*.*"),
        ("detr.mask_head.lay3.*", "mask_head.levels.0.*"),
        ("detr.mask_head.lay4.*", "mask_head.levels.1.*"),
        ("detr.mask_head.jia_dcn.*", "mask_head.levels.2.*"),
        ("detr.mask_head.lay1.*", "mask_head.narrow.*"),
        ("detr.mask_head.lay2.*", "mask_head.narrowest.*"),
        ("detr.lateral_conv.*", "mask_head.lateral.*"),
        ("detr.output_conv.*", "mask_head.smooth.*"),
        ("detr.mask_conv.*", "mask_head.out.*"),
    ),
    ignored=(
        f"{_BODY}.**.relative_position_index",
        "detr.**.num_batches_tracked",
        "value_encoder.**.num_batches_tracked",
        "text_encoder.embeddings.position_ids",
        "criterion._iter",
    ),
    copies=(
        ("detr.detr.class_embed.**", "detr.detr.transformer.decoder.class_embed.**"),
        ("detr.detr.bbox_embed.**", "detr.detr.transformer.decoder.bbox_embed.**"),
    ),
)
"""Published name, our name."""
