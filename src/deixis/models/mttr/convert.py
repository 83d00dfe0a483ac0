"""The parameter names of the published MTTR files, and ours.

A published file is what the trainer saved: a dictionary with the weights under ``model_state_dict``; a bare
dictionary of weights is taken, too. The constant buffers in it are ignored.
"""

from deixis.models.renaming import Renaming

_SWIN = "backbone.layers.*.blocks.*"
_OUR_SWIN = "backbone.stages.*.blocks.*"
_ENCODER, _OUR_ENCODER = "transformer.encoder.layers.*", "encoder.*"
_DECODER, _OUR_DECODER = "transformer.decoder.layers.*", "decoder.*"

RENAMING = Renaming(
    pairs=(
        ("backbone.patch_embed.proj.**", "backbone.patch_embed.projection.**"),
        ("backbone.patch_embed.norm.**", "backbone.patch_embed.norm.**"),
        (f"{_SWIN}.norm1.**", f"{_OUR_SWIN}.norm1.**"),
        (f"{_SWIN}.norm2.**", f"{_OUR_SWIN}.norm2.**"),
        (f"{_SWIN}.attn.qkv.**", f"{_OUR_SWIN}.attention.qkv.**"),
        (f"{_SWIN}.attn.proj.**", f"{_OUR_SWIN}.attention.projection.**"),
        (f"{_SWIN}.attn.relative_position_bias_table", f"{_OUR_SWIN}.attention.relative_position_bias_table"),
        (f"{_SWIN}.mlp.fc1.**", f"{_OUR_SWIN}.mlp.linear1.**"),
        (f"{_SWIN}.mlp.fc2.**", f"{_OUR_SWIN}.mlp.linear2.**"),
        ("backbone.downsamples.*.**", "backbone.merges.*.**"),
        ("vid_embed_proj.**", "video_projection.**"),
        ("transformer.text_encoder.**", "text_encoder.encoder.**"),
        ("transformer.txt_proj.fc.**", "text_projection.linear.**"),
        ("transformer.txt_proj.layer_norm.**", "text_projection.norm.**"),
        (f"{_ENCODER}.self_attn.in_proj_*", f"{_OUR_ENCODER}.attention.in_projection.*"),
        (f"{_ENCODER}.self_attn.out_proj.*", f"{_OUR_ENCODER}.attention.out_projection.*"),
        (f"{_ENCODER}.linear1.*", f"{_OUR_ENCODER}.feedforward.expand.*"),
        (f"{_ENCODER}.linear2.*", f"{_OUR_ENCODER}.feedforward.reduce.*"),
        (f"{_ENCODER}.norm1.*", f"{_OUR_ENCODER}.attention_norm.*"),
        (f"{_ENCODER}.norm2.*", f"{_OUR_ENCODER}.feedforward_norm.*"),
        (f"{_DECODER}.self_attn.in_proj_*", f"{_OUR_DECODER}.attention.in_projection.*"),
        (f"{_DECODER}.self_attn.out_proj.*", f"{_OUR_DECODER}.attention.out_projection.*"),
        (f"{_DECODER}.multihead_attn.in_proj_*", f"{_OUR_DECODER}.cross_attention.in_projection.*"),
        (f"{_DECODER}.multihead_attn.out_proj.*", f"{_OUR_DECODER}.cross_attention.out_projection.*"),
        (f"{_DECODER}.linear1.*", f"{_OUR_DECODER}.feedforward.expand.*"),
        (f"{_DECODER}.linear2.*", f"{_OUR_DECODER}.feedforward.reduce.*"),
        (f"{_DECODER}.norm1.*", f"{_OUR_DECODER}.attention_norm.*"),
        (f"{_DECODER}.norm2.*", f"{_OUR_DECODER}.cross_attention_norm.*"),
        (f"{_DECODER}.norm3.*", f"{_OUR_DECODER}.feedforward_norm.*"),
        ("transformer.decoder.norm.*", "decoder_norm.*"),
        ("obj_queries.weight", "queries.weight"),
        ("is_referred_head.*", "referring_head.*"),
        ("instance_kernels_head.layers.*.*", "controller.layers.*.*"),
        ("spatial_decoder.lay1.*", "pixel_decoder.convolutions.0.*"),
        ("spatial_decoder.gn1.*", "pixel_decoder.norms.0.*"),
        ("spatial_decoder.lay2.*", "pixel_decoder.convolutions.1.*"),
        ("spatial_decoder.gn2.*", "pixel_decoder.norms.1.*"),
        ("spatial_decoder.adapter1.*", "pixel_decoder.adapters.0.*"),
        ("spatial_decoder.lay3.*", "pixel_decoder.convolutions.2.*"),
        ("spatial_decoder.gn3.*", "pixel_decoder.norms.2.*"),
        ("spatial_decoder.adapter2.*", "pixel_decoder.adapters.1.*"),
        ("spatial_decoder.lay4.*", "pixel_decoder.convolutions.3.*"),
        ("spatial_decoder.gn4.*", "pixel_decoder.norms.3.*"),
        ("spatial_decoder.out_lay.*", "pixel_decoder.out.*"),
    ),
    ignored=(
        "backbone.**.relative_position_index",
        "transformer.text_encoder.embeddings.position_ids",
    ),
)
"""Published name, our name."""
