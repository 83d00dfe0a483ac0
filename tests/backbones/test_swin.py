"""Swin against the plain way: pad the map, roll it, cut it, mask it, put it back."""

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F
from torchvision_swin import randomise

from deixis.backbones.swin import imagenet_state_dict
from deixis.backbones.video_swin import Block, VideoSwin
from deixis.backbones.window_plan import IMAGE

WINDOW = 7


@pytest.fixture(scope="module")
def network() -> VideoSwin:
    network = VideoSwin(
        16, (2, 2, 2, 2), (1, 2, 4, 8), num_stages=4, shape=IMAGE, has_output_norms=True
    ).eval()
    randomise(network)
    return network


def regions(h: int, w: int, shift: int) -> Tensor:
    """Label the nine parts of a rolled map."""
    labels = torch.zeros(h, w)
    parts = (slice(0, -WINDOW), slice(-WINDOW, -shift), slice(-shift, None))
    for row, rows in enumerate(parts):
        for column, columns in enumerate(parts):
            labels[rows, columns] = 3 * row + column
    return labels


def windows(x: Tensor) -> Tensor:
    """Cut ``[n, h, w, c]`` into ``[n, windows, 49, c]``."""
    return x.unflatten(2, (-1, WINDOW)).unflatten(1, (-1, WINDOW)).transpose(2, 3).flatten(3, 4).flatten(1, 2)


def plain_block(block: Block, x: Tensor) -> Tensor:
    height, width, c = x.shape[1:]
    y = F.pad(block.norm1(x), (0, 0, 0, -width % WINDOW, 0, -height % WINDOW))
    h, w = y.shape[1:3]
    shift = 3 if block.is_shifted else 0
    cut = windows(y.roll((-shift, -shift), (1, 2)))
    attention = block.attention
    a = attention.num_heads
    q, k, v = attention.qkv(cut).unflatten(-1, (3, a, c // a)).permute(3, 0, 1, 4, 2, 5)
    logits = q @ k.transpose(-1, -2) * (c // a) ** -0.5
    place = torch.stack(torch.meshgrid(torch.arange(7), torch.arange(7), indexing="ij")).flatten(1)
    offset = place[:, :, None] - place[:, None] + 6
    logits = logits + attention.relative_position_bias_table[offset[0] * 13 + offset[1]].permute(2, 0, 1)
    if shift:
        labels = windows(regions(h, w, shift)[None, ..., None])[0, :, :, 0]
        logits = logits - 100.0 * (labels[:, None, :, None] != labels[:, None, None])
    y = attention.projection((logits.softmax(-1) @ v).transpose(2, 3).flatten(3))
    y = y.unflatten(1, (h // WINDOW, w // WINDOW)).unflatten(3, (WINDOW, WINDOW)).transpose(2, 3)
    y = y.flatten(3, 4).flatten(1, 2).roll((shift, shift), (1, 2))[:, :height, :width]
    x = x + y
    return x + block.mlp(block.norm2(x))


def plain_maps(network: VideoSwin, frames: Tensor) -> list[Tensor]:
    x = network.patch_embed(frames[None])[0]
    maps = []
    for index, stage in enumerate(network.stages):
        x = network.merges[index - 1](x[None])[0] if index else x
        for block in stage.blocks:
            x = plain_block(block, x)
        maps.append(network.norms[index](x).permute(0, 3, 1, 2))
    return maps


# Maps of the last stages are smaller than a window; 61 and 90 are odd at every stage.
@pytest.mark.parametrize("size", [(64, 96), (61, 90), (225, 30), (4, 33)])
def test_maps_equal_the_plain_way(network, size):
    frames = torch.randn(2, 3, *size, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        expected, maps = plain_maps(network, frames), network(frames[None])
    for left, right in zip(maps, expected, strict=True):
        assert float((left[0] - right).abs().max() / right.abs().max()) < 3e-6


def test_frames_do_not_see_one_another(network):
    frames = torch.randn(1, 3, 3, 40, 40)
    with torch.no_grad():
        together, alone, kept = network(frames), network(frames[:, 1:2]), network(frames, keep=(1,))
    for every, one, same in zip(together, alone, kept, strict=True):
        torch.testing.assert_close(every[:, 1:2], one, atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(same, one, atol=1e-5, rtol=1e-4)


def test_imagenet_weights_fit(network):
    """Official files have the head and the buffers of a classifier, and no norms on the outputs."""
    published = {}
    for name, value in network.state_dict().items():
        stem = name.replace("stages", "layers").replace("projection", "proj").replace("attention", "attn")
        stem = stem.replace("linear1", "fc1").replace("linear2", "fc2")
        if name.startswith("merges"):
            stem = ".".join(["layers", name.split(".")[1], "downsample", *name.split(".")[2:]])
        if not name.startswith("norms"):
            published[stem] = value
    published |= {"head.weight": torch.ones(1), "norm.bias": torch.ones(1)}
    published["layers.0.blocks.0.attn.relative_position_index"] = torch.ones(1)
    ours = imagenet_state_dict(published)
    assert {name: value.shape for name, value in ours.items()} == {
        name: value.shape for name, value in network.state_dict().items()
    }
    assert torch.equal(ours["merges.1.reduction.weight"], network.state_dict()["merges.1.reduction.weight"])
    assert ours["norms.3.weight"].eq(1).all() and ours["norms.3.bias"].eq(0).all()
