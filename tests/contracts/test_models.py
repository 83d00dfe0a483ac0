"""What every model keeps (``models/base.py``), held against tiny configurations.

Padding: batch padding enters the backbones (the published ones never see a padding mask) and the group norms
of the pixel decoder, so masks at a clip's edges may move. What is promised, and tested here: what stands in
padded cells reaches no score; padding frames have no vote; padding words change nothing.
"""

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_models import FRAMES_APART, MASK_STRIDES, PADDING_APART, TINY, TRAINED_OTHERWISE, build, of_families

from deixis.models.loading import load, save
from deixis.models.registry import FAMILIES, WEIGHT_FREE
from deixis.structures import Clip, Target, TextFeatures, Tokens
from deixis.text.words import train_tokenizer

HEIGHT, WIDTH, FRAMES = 48, 64, 3
TRAINED = of_families(
    tuple(family for family in FAMILIES if family not in (*WEIGHT_FREE, *TRAINED_OTHERWISE))
)


@cache
def model_of(name: str) -> Any:
    torch.manual_seed(0)
    return build(name).eval()


@pytest.fixture(params=TINY)
def model(request: pytest.FixtureRequest) -> Any:
    return model_of(request.param)


def clips(b: int, t: int = FRAMES) -> Clip:
    """Frames and what moves in them, which some models look at."""
    generator = torch.Generator().manual_seed(b)
    frames = torch.randn(b, t, 3, HEIGHT, WIDTH, generator=generator)
    flow = torch.rand(b, t, 4, HEIGHT, WIDTH, generator=generator)
    return Clip(frames, torch.zeros(b, t, HEIGHT, WIDTH, dtype=torch.bool), flow=flow)


def pick(clip: Clip, index: slice | torch.Tensor) -> Clip:
    """The clips of a batch that ``index`` names."""
    assert clip.flow is not None
    return Clip(clip.frames[index], clip.padding_mask[index], flow=clip.flow[index])


def seen_by(model: Any, clip: Clip) -> Clip:
    """The clip with as many motion channels as the model wants."""
    motion = model.config.inputs.motion
    if clip.flow is None or motion is None:
        return replace(clip, flow=None)
    return replace(clip, flow=clip.flow[:, :, : motion.num_channels])


def tokens(e: int, s: int = 5) -> Tokens:
    ids = torch.randint(2, 100, (e, s), generator=torch.Generator().manual_seed(e))
    return Tokens(ids, torch.zeros(e, s, dtype=torch.bool))


@torch.no_grad()
def answer(
    model: Any, clip: Clip, words: Tokens, video_index: torch.Tensor | None = None
) -> dict[str, torch.Tensor]:
    """Scores of all trajectories and mask logits of all queries."""
    output = model(model.encode_video(seen_by(model, clip)), model.encode_text(words), video_index)
    trajectories = model.postprocess(output)
    e, q = trajectories.scores.shape
    masks = trajectories.make_mask_logits(torch.arange(q).expand(e, -1))
    return {"scores": trajectories.scores, "frame_scores": trajectories.frame_scores, "masks": masks}


def assert_same(left: dict[str, torch.Tensor], right: dict[str, torch.Tensor]) -> None:
    for name, value in left.items():
        torch.testing.assert_close(
            value, right[name], atol=2e-4, rtol=1e-3, msg=lambda text, name=name: f"{name}: {text}"
        )


def test_every_family_is_here():
    assert {family for family, _ in TINY.values()} == set(FAMILIES)


@pytest.mark.parametrize("name", TINY)
def test_shapes(name: str):
    e, stride = 2, MASK_STRIDES.get(name, 4)
    result = answer(model_of(name), clips(1), tokens(e))
    q = result["scores"].shape[1]
    assert result["scores"].shape == (e, q)
    assert result["frame_scores"].shape == (e, FRAMES, q)
    assert result["masks"].shape == (e, FRAMES, q, HEIGHT // stride, WIDTH // stride)
    assert (result["scores"] >= 0).all() and (result["scores"] <= 1).all()


def test_masks_of_chosen_queries_only(model):
    with torch.no_grad():
        output = model(model.encode_video(seen_by(model, clips(1))), model.encode_text(tokens(2)))
    trajectories = model.postprocess(output)
    q = trajectories.scores.shape[1]
    every = trajectories.make_mask_logits(torch.arange(q).expand(2, -1))
    chosen = torch.tensor([[q - 1], [0]])
    some = trajectories.make_mask_logits(chosen)
    torch.testing.assert_close(some[0, :, 0], every[0, :, q - 1])
    torch.testing.assert_close(some[1, :, 0], every[1, :, 0])


@pytest.mark.parametrize("name", TRAINED)
def test_gradients_reach_every_trained_parameter(name: str):
    torch.manual_seed(0)
    model = build(name).train()
    with torch.no_grad():
        for parameter in model.parameters():
            rows = parameter if parameter.ndim > 1 else parameter[None]
            for row in rows:
                if not row.any():  # what starts at zero hides what is before it
                    row.uniform_(-0.1, 0.1)
    masks = torch.zeros(2, FRAMES, HEIGHT, WIDTH, dtype=torch.bool)
    masks[0, :, 8:24, 8:24] = True
    masks[1, 1:, 30:, 40:] = True
    labels = torch.zeros(2, dtype=torch.int64)
    targets = [Target(masks, referents, labels=labels) for referents in ((0,), (1,), ())]
    clip = seen_by(model, clips(2))
    output = model(model.encode_video(clip), model.encode_text(tokens(3)), torch.tensor([0, 1, 1]))
    losses = model.criterion(output, targets)
    assert all(loss.isfinite() and loss.ndim == 0 for loss in losses.values())
    sum(losses.values()).backward()
    gradients = {name: p.grad for name, p in model.named_parameters()}
    trained = {name for name, p in model.named_parameters() if p.requires_grad}
    assert {
        name for name, gradient in gradients.items() if gradient is not None and gradient.any()
    } == trained


def test_evaluation_is_deterministic(model):
    first, second = (answer(model, clips(1), tokens(2)) for _ in range(2))
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_a_batch_equals_its_singles(model):
    clip, words = clips(2), tokens(2)
    together = answer(model, clip, words)
    singles = [answer(model, pick(clip, slice(i, i + 1)), words[i : i + 1]) for i in range(2)]
    assert_same(together, {name: torch.cat([single[name] for single in singles]) for name in together})


def test_permuting_expressions_permutes_results(model):
    words, order = tokens(3), [2, 0, 1]
    straight = answer(model, clips(1), words)
    assert_same(
        answer(model, clips(1), words[order]), {name: value[order] for name, value in straight.items()}
    )


def test_expressions_may_speak_of_any_clip(model):
    clip, words, index = clips(2), tokens(3), torch.tensor([1, 0, 1])
    assert_same(answer(model, clip, words, index), answer(model, pick(clip, index), words))


def test_clips_and_expressions_must_be_paired(model):
    with pytest.raises(ValueError, match="video_index"):
        answer(model, clips(2), tokens(3))


@pytest.mark.parametrize("name", of_families(FRAMES_APART))
def test_annotated_frames_are_those_of_the_whole_clip(name: str):
    model = model_of(name)
    clip, words = clips(1), tokens(2)
    every = answer(model, clip, words)
    some = answer(model, replace(clip, annotated_frames=(2, 0)), words)
    assert_same(
        {name: some[name] for name in ("frame_scores", "masks")},
        {
            "frame_scores": every["frame_scores"][:, [2, 0]],
            "masks": every["masks"][:, [2, 0]],
        },
    )


def test_padding_words_change_nothing(model):
    words = tokens(2)
    ids = torch.cat((words.ids, torch.zeros(2, 3, dtype=torch.int64)), dim=1)
    padding_mask = torch.cat((words.padding_mask, torch.ones(2, 3, dtype=torch.bool)), dim=1)
    assert_same(answer(model, clips(1), words), answer(model, clips(1), Tokens(ids, padding_mask)))


def test_padding_frames_have_no_vote(model):
    clip = clips(1, t=4)
    padding_mask = clip.padding_mask.clone()
    padding_mask[:, 3:] = True
    padded = Clip(clip.frames * ~padding_mask[:, :, None], padding_mask)
    result = answer(model, padded, tokens(2))
    torch.testing.assert_close(result["scores"], result["frame_scores"][:, :3].mean(1))


@pytest.mark.parametrize("name", of_families(PADDING_APART))
def test_what_stands_in_padded_cells_reaches_no_score(name: str, monkeypatch: pytest.MonkeyPatch):
    model = model_of(name)
    clip = clips(1)
    padding_mask = clip.padding_mask.clone()
    padding_mask[..., 32:] = True
    padded, words = Clip(clip.frames * ~padding_mask[:, :, None], padding_mask), tokens(2)
    expected = answer(model, padded, words)
    forward, first = model.backbone.forward, 32 // model.backbone.strides[-1]

    def with_noise_on_padding(frames: torch.Tensor, keep: tuple[int, ...] | None = None):
        *fine, coarse = forward(frames, keep)
        coarse = coarse.clone()
        coarse[..., first:] = 50 * torch.randn_like(coarse[..., first:])
        return (*fine, coarse)

    monkeypatch.setattr(model.backbone, "forward", with_noise_on_padding)
    result = answer(model, padded, words)
    torch.testing.assert_close(result["frame_scores"], expected["frame_scores"])
    assert not torch.allclose(result["masks"], expected["masks"])


def test_one_expression_needs_nothing_of_the_others(model):
    """The text side may be computed once and sliced."""
    with torch.no_grad():
        video, text = model.encode_video(seen_by(model, clips(1))), model.encode_text(tokens(3))
        assert isinstance(text, TextFeatures)
        whole = model.postprocess(model(video, text)).scores
        parts = [model.postprocess(model(video, text[i : i + 1])).scores for i in range(3)]
    torch.testing.assert_close(torch.cat(parts), whole, atol=1e-5, rtol=1e-4)


def test_saved_and_loaded_models_answer_alike(model, tmp_path: Path):
    tokenizer = train_tokenizer(["a red square", "the blue circle"])
    model.tokenizer = tokenizer
    save(model, tmp_path / "model")
    loaded = load(tmp_path / "model", device="cpu")
    assert loaded.config == model.config
    assert not loaded.training
    words = loaded.tokenizer(["the red circle", "blue"])
    assert torch.equal(words.ids, tokenizer(["the red circle", "blue"]).ids)
    first, second = answer(model, clips(1), words), answer(loaded, clips(1), words)
    assert all(torch.equal(first[name], second[name]) for name in first)
