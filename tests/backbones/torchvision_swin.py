"""torchvision's Video Swin with our weights: with patches of 1x4x4 it is the published network."""

import torch
from torch import Tensor
from torchvision.models.video.swin_transformer import SwinTransformer3d

from deixis.backbones.video_swin import VideoSwin


def reference_maps(ours: VideoSwin, frames: Tensor) -> list[Tensor]:
    """Return the maps [b, t, c, h, w] of the stages, all frames."""
    network = SwinTransformer3d(
        patch_size=[1, 4, 4],
        embed_dim=ours.channels[0],
        depths=[len(stage.blocks) for stage in ours.stages],
        num_heads=[stage.blocks[0].attention.num_heads for stage in ours.stages],
        window_size=[8, 7, 7],
        num_classes=1,
    ).eval()
    unused = {name: value for name, value in network.state_dict().items() if _is_ours_alone(name)}
    named = {_rename(name): value for name, value in ours.state_dict().items()}
    network.load_state_dict({**unused, **named})
    x = network.patch_embed(frames.transpose(1, 2))
    maps = []
    for index, part in enumerate(network.features):
        x = part(x)
        if index % 2 == 0:
            maps.append(x.permute(0, 1, 4, 2, 3))
    return maps


def _is_ours_alone(name: str) -> bool:
    return name.endswith("relative_position_index") or name.startswith(("norm.", "head."))


def _rename(name: str) -> str:
    parts = name.split(".")
    if parts[0] == "stages":
        parts = ["features", str(2 * int(parts[1])), parts[3], *parts[4:]]
    if parts[0] == "merges":
        parts = ["features", str(2 * int(parts[1]) + 1), *parts[2:]]
    if parts[0] == "patch_embed":
        return ".".join(parts).replace("projection", "proj")
    theirs = {"attention": "attn", "projection": "proj", "linear1": "0", "linear2": "3"}
    return ".".join(theirs.get(part, part) for part in parts)


def randomise(network: torch.nn.Module, seed: int = 0) -> None:
    """Draw weights under which position biases, masks and padding matter."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, value in network.named_parameters():
            std = 2.0 if "table" in name else 0.3 if value.dim() == 1 else value[0].numel() ** -0.5
            value.normal_(std=std, generator=generator)
