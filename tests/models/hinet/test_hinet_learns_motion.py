"""Two equal discs, one moving under a panning camera: flow alone tells "moving" from "still"."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from deixis.flow.motion import motion_map
from deixis.models.hinet.config import SWITCHES, VARIANTS, switched
from deixis.models.hinet.model import Hinet
from deixis.structures import Clip, Target, Tokens

SIZE, RADIUS, STEPS = 64, 10, 400
MOVING, STILL = 2, 3

CONFIG = replace(
    VARIANTS["hinet-tiny-full"], channels=32, reduced_channels=16, motion_widths=(8, 16, 16), rates=(1, 2)
)


def scene(generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return a frame ``[3, H, W]``, its motion map and the masks of the moving and the still disc."""
    texture = generator.normal(size=(3, SIZE // 4, SIZE // 4)).repeat(4, axis=1).repeat(4, axis=2)
    ys, xs = np.mgrid[:SIZE, :SIZE]
    y1, y2 = generator.integers(RADIUS, SIZE - RADIUS, 2)
    x1, x2 = (
        generator.integers(RADIUS, SIZE // 2 - RADIUS + 1),
        generator.integers(SIZE // 2 + RADIUS, SIZE - RADIUS),
    )
    discs = np.stack([(ys - y) ** 2 + (xs - x) ** 2 <= RADIUS**2 for y, x in ((y1, x1), (y2, x2))])
    discs = discs[generator.permutation(2)]
    frame = np.where(discs.any(axis=0), 2.0, 0.5 * texture)
    flow = np.broadcast_to(generator.uniform(-4, 4, 2), (SIZE, SIZE, 2)).astype(np.float32)
    angle = generator.uniform(0, 2 * np.pi)
    flow = flow + discs[0][..., None] * 3 * np.float32([np.cos(angle), np.sin(angle)])
    return frame.astype(np.float32), motion_map(flow.astype(np.float32)), discs


def batch(generator: np.random.Generator, num_clips: int) -> tuple[Clip, Tokens, torch.Tensor, list[Target]]:
    scenes = [scene(generator) for _ in range(num_clips)]
    frames, maps, discs = (np.stack(part) for part in zip(*scenes, strict=True))
    clip = Clip(
        torch.from_numpy(frames)[:, None],
        torch.zeros(num_clips, 1, SIZE, SIZE, dtype=torch.bool),
        flow=torch.from_numpy(maps.astype(np.float32))[:, None, None],
    )
    ids = torch.tensor([[MOVING], [STILL]]).repeat(num_clips, 1)
    masks = torch.from_numpy(discs)[:, :, None]  # b 2 1 H W
    targets = [Target(masks[clip_], (disc,)) for clip_ in range(num_clips) for disc in (0, 1)]
    index = torch.arange(num_clips).repeat_interleave(2)
    return clip, Tokens(ids, torch.zeros_like(ids, dtype=torch.bool)), index, targets


def train(name: str) -> float:
    """Return the mean J of both sentences on unseen scenes."""
    torch.manual_seed(0)
    generator = np.random.default_rng(0)
    model = Hinet(switched(CONFIG, name)).train()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)
    for _ in range(STEPS):
        clip, tokens, index, targets = batch(generator, 4)
        output = model(model.encode_video(clip), model.encode_text(tokens), index)
        loss = sum(model.criterion(output, targets).values())
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    model.eval()
    clip, tokens, index, targets = batch(np.random.default_rng(1), 32)
    with torch.no_grad():
        output = model(model.encode_video(clip), model.encode_text(tokens), index)
    scores = output.at_input_size()
    predicted = scores[:, 1] > scores[:, 0]
    truth = torch.stack([target.masks[target.referents[0], 0] for target in targets])
    union = (predicted | truth).flatten(1).sum(dim=1).clamp(min=1)
    return float(((predicted & truth).flatten(1).sum(dim=1) / union).mean())


@pytest.mark.slow
@pytest.mark.parametrize("name", SWITCHES)
def test_flow_tells_the_moving_from_the_still(name: str):
    quality = train(name)
    if name in ("single-level", "static"):
        assert quality < 0.6
    else:
        assert quality > 0.85
