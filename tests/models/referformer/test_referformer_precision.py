"""Half precision against float32, training in bfloat16, and the compiled model."""

import pytest
import torch

from contracts.tiny_models import build
from deixis.structures import Clip, Target, Tokens

SIZE = (48, 64)


def inputs(e: int = 2, t: int = 3) -> tuple[Clip, Tokens]:
    generator = torch.Generator().manual_seed(0)
    frames = torch.randn(1, t, 3, *SIZE, generator=generator)
    ids = torch.randint(2, 100, (e, 5), generator=generator)
    clip = Clip(frames, torch.zeros(1, t, *SIZE, dtype=torch.bool))
    return clip, Tokens(ids, torch.zeros(e, 5, dtype=torch.bool))


def answer(model, clip: Clip, words: Tokens) -> dict[str, torch.Tensor]:
    output = model(model.encode_video(clip), model.encode_text(words))
    found = model.postprocess(output)
    q = found.scores.shape[1]
    masks = found.make_mask_logits(torch.arange(q).expand(len(found.scores), -1))
    return {"scores": found.scores.float(), "boxes": found.boxes.float(), "masks": masks.float()}


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return build("referformer").eval()


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.bfloat16, 0.02), (torch.float16, 0.002)])
@torch.inference_mode()
def test_half_precision_agrees_with_float32(model, dtype: torch.dtype, tolerance: float):
    """Scores and boxes to the tolerance; masks of random weights in all but 1 % of the cells."""
    clip, words = inputs()
    expected = answer(model, clip, words)
    with torch.autocast("cpu", dtype=dtype):
        found = answer(model, clip, words)
    for name in ("scores", "boxes"):
        torch.testing.assert_close(found[name], expected[name], atol=tolerance, rtol=0)
    is_same = (found["masks"] > 0) == (expected["masks"] > 0)
    assert is_same.float().mean() > 0.99
    difference = (found["masks"] - expected["masks"]).abs().mean()
    assert difference < 2 * tolerance * expected["masks"].std()


def test_a_step_of_training_in_bfloat16():
    torch.manual_seed(0)
    model = build("referformer").train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    clip, words = inputs()
    masks = torch.zeros(1, 3, *SIZE, dtype=torch.bool)
    masks[:, :, 8:24, 8:24] = True
    targets = [Target(masks, (0,))] * 2
    losses = []
    for _ in range(6):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            output = model(model.encode_video(clip), model.encode_text(words))
            loss = sum(model.criterion(output, targets).values())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert all(torch.isfinite(p.grad).all() for p in model.parameters() if p.grad is not None)
    assert losses[-1] < losses[0]


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
@torch.no_grad()
def test_the_compiled_model_answers_alike(model):
    clip, words = inputs()
    expected = answer(model, clip, words)
    compiled = torch.compile(model.forward)
    output = compiled(model.encode_video(clip), model.encode_text(words))
    found = model.postprocess(output)
    torch.testing.assert_close(found.scores, expected["scores"], atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(found.boxes, expected["boxes"], atol=1e-5, rtol=1e-4)
    masks = found.make_mask_logits(torch.arange(found.scores.shape[1]).expand(2, -1))
    torch.testing.assert_close(masks, expected["masks"], atol=1e-3, rtol=1e-3)
