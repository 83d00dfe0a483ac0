"""Trackers and detectors of the SAM family, small and with random weights."""

from typing import Any

import torch
from torch import nn

SIDE = 64


def tiny_tracker(architecture: str, seed: int = 0) -> tuple[nn.Module, Any]:
    """Return a network of one of the architectures of ``propagators.sam2``, and its processor."""
    import transformers

    torch.manual_seed(seed)
    if architecture == "sam3-tracker":
        config = transformers.Sam3TrackerVideoConfig(vision_config=_sam3_vision(), **_tracker())
        network: nn.Module = transformers.Sam3TrackerVideoModel(config)
        processor = transformers.Sam3TrackerVideoProcessor
        parts = (transformers.Sam3ImageProcessor, transformers.Sam2VideoVideoProcessor)
    else:
        parts = (transformers.Sam2ImageProcessor, transformers.Sam2VideoVideoProcessor)
        processor = transformers.Sam2VideoProcessor
    if architecture == "sam2":
        config = transformers.Sam2VideoConfig(
            vision_config=_hiera(), memory_attention_feed_forward_hidden_size=32, **_tracker()
        )
        network = transformers.Sam2VideoModel(config)
    elif architecture == "edgetam":
        config = transformers.EdgeTamVideoConfig(
            vision_config=_hiera(),
            memory_attention_mlp_hidden_size=32,
            memory_attention_rope_k_sizes=[2, 2],
            perceiver_resampler_num_latents=4,
            perceiver_resampler_num_latents_2d=4,
            perceiver_resampler_mlp_intermediate_size=16,
            **_tracker(),
        )
        network = transformers.EdgeTamVideoModel(config)
    size = {"height": SIDE, "width": SIDE}
    lively(network, seed)
    with torch.no_grad():  # the masks of an object that is taken for absent are all alike
        network.mask_decoder.pred_obj_score_head.proj_out.bias += 4
    return network, processor(*(part(size=size) for part in parts))


def lively(network: nn.Module, seed: int = 0) -> nn.Module:
    """Draw every parameter: what starts at zero, or near it, would hide what is before it."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in network.parameters():
            spread = 0.3 if parameter.ndim < 2 else 1.2 / parameter[0].numel() ** 0.5
            parameter.add_(spread * torch.randn(parameter.shape, generator=generator))
    return network.eval()


def _tracker() -> dict[str, Any]:
    """Return what all trackers have in common; 64 channels of memory are fixed in the networks."""
    width = 128
    return {
        "image_size": SIDE,
        "prompt_encoder_config": {
            "hidden_size": width,
            "image_size": SIDE,
            "patch_size": 16,
            "mask_input_channels": 8,
        },
        "mask_decoder_config": {
            "hidden_size": width,
            "mlp_dim": 32,
            "num_attention_heads": 2,
            "iou_head_hidden_dim": 16,
        },
        "memory_attention_hidden_size": width,
        "memory_attention_num_layers": 1,
        "memory_attention_rope_feat_sizes": [4, 4],
        "memory_encoder_hidden_size": width,
        "mask_downsampler_embed_dim": width,
        "memory_fuser_embed_dim": width,
        "memory_fuser_intermediate_dim": 32,
    }


def _hiera() -> dict[str, Any]:
    backbone = {
        "model_type": "sam2_hiera_det_model",
        "hidden_size": 8,
        "image_size": [SIDE, SIDE],
        "blocks_per_stage": [1, 1, 2, 1],
        "embed_dim_per_stage": [8, 16, 24, 32],
        "num_attention_heads_per_stage": [1, 1, 1, 1],
        "window_size_per_stage": [4, 4, 4, 4],
        "global_attention_blocks": [3],
        "window_positional_embedding_background_size": [4, 4],
    }
    return {
        "model_type": "sam2_vision_model",
        "backbone_config": backbone,
        "backbone_channel_list": [32, 24, 16, 8],
        "backbone_feature_sizes": [[16, 16], [8, 8], [4, 4]],
        "fpn_hidden_size": 128,
    }


def _sam3_vision() -> dict[str, Any]:
    backbone = {
        "model_type": "sam3_vit_model",
        "hidden_size": 32,
        "intermediate_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "image_size": SIDE,
        "pretrain_image_size": SIDE,
        "patch_size": 16,
        "window_size": 2,
        "global_attn_indexes": [1],
    }
    return {
        "model_type": "sam3_vision_model",
        "backbone_config": backbone,
        "backbone_feature_sizes": [[16, 16], [8, 8], [4, 4]],
        "fpn_hidden_size": 128,
    }


def tiny_detector() -> dict[str, Any]:
    """Return the configuration of a small SAM 3 for videos, as ``transformers`` takes it."""
    width = 128
    layers = {"hidden_size": width, "num_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
    detector = {
        "model_type": "sam3",
        "vision_config": _sam3_vision(),
        "text_config": {
            "model_type": "clip_text_model",
            "vocab_size": 128,
            "hidden_size": 32,
            "intermediate_size": 32,
            "projection_dim": 32,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "max_position_embeddings": 32,
            "bos_token_id": 1,
            "eos_token_id": 2,
        },
        "geometry_encoder_config": layers,
        "detr_encoder_config": layers,
        "detr_decoder_config": {**layers, "num_queries": 3},
        "mask_decoder_config": {"hidden_size": width, "num_attention_heads": 2},
    }
    tracker = {"model_type": "sam3_tracker_video", "vision_config": _sam3_vision(), **_tracker()}
    return {
        "model_type": "sam3_video",
        "detector_config": detector,
        "tracker_config": tracker,
        "low_res_mask_size": 16,
        "score_threshold_detection": 0.05,
        "new_det_thresh": 0.05,
        "recondition_every_nth_frame": 4,
        "high_conf_thresh": 0.05,
        "high_iou_thresh": 0.3,
    }
