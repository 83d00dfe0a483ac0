"""A UniRef small enough for tests, and one in which nothing is zero."""

import torch

from deixis.models.uniref.config import UniRefConfig
from deixis.models.uniref.model import UniRef

TINY = UniRefConfig(
    backbone="image-conv-pyramid-tiny",
    text_encoder="words-tiny",
    is_text_encoder_frozen=False,
    width=64,
    num_heads=4,
    head_width=32,
    num_encoder_layers=1,
    num_decoder_layers=1,
    feedforward=64,
    num_points=2,
    num_queries=6,
    mask_widths=(8, 8, 16, 16),
    fusion_dropout=0.0,
)


def shaken(config: UniRefConfig = TINY) -> UniRef:
    """Build a UniRef, the same in every process, in which nothing is zero."""
    torch.manual_seed(0)
    model = UniRef(config)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.05 * torch.randn_like(parameter)
    return model.eval()
