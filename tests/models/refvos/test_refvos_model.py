"""What is RefVOS's own, beyond the contract of all models."""

import argparse
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from deixis.inference.segmenter import Segmenter
from deixis.models.frame_model import shorten
from deixis.models.inputs import InputSpec
from deixis.models.loading import load
from deixis.models.refvos.config import VARIANTS, RefVosConfig
from deixis.models.refvos.convert import RENAMING, nested
from deixis.models.refvos.model import RefVos
from deixis.models.score_maps import ScoreMaps, trajectories
from deixis.structures import Clip, Target, Tokens
from deixis.text.words import train_tokenizer

LAYOUT = Path(__file__).parents[2] / "goldens" / "refvos" / "layout_resnet101.json"

TINY = RefVosConfig(
    inputs=InputSpec(resize="none", is_online=True),
    backbone="image-conv-tiny",
    text_encoder="words-tiny",
    trained_text="all",
    sentence="mean",
    channels=16,
    rates=(1, 2),
)


@pytest.fixture(scope="module")
def model() -> RefVos:
    torch.manual_seed(0)
    return RefVos(TINY, train_tokenizer(["a red square", "the blue circle"])).eval()


def clip(b: int = 1, t: int = 1, height: int = 40, width: int = 56) -> Clip:
    frames = torch.randn(b, t, 3, height, width, generator=torch.Generator().manual_seed(t))
    return Clip(frames, torch.zeros(b, t, height, width, dtype=torch.bool))


def tokens(e: int, s: int = 5) -> Tokens:
    ids = torch.randint(2, 6, (e, s), generator=torch.Generator().manual_seed(e))
    return Tokens(ids, torch.zeros(e, s, dtype=torch.bool))


def test_published_names_and_shapes():
    layout = json.loads(LAYOUT.read_text())
    with torch.device("meta"):
        whole = RefVos(VARIANTS["refvos-resnet101"])
    own = {name: list(value.shape) for name, value in whole.state_dict().items()}
    ours, unknown = RENAMING.to_ours(layout)
    assert not unknown
    assert ours == own
    assert RENAMING.to_published(ours) == (layout, [])
    sizes = {part: sum(p.numel() for p in module.parameters()) for part, module in whole.named_children()}
    assert sizes.pop("text_encoder") == 109_482_240
    assert sum(sizes.values()) == 58_889_538


def test_counters_and_constants_are_left_out():
    names = ("model.backbone.layer1.0.bn1.num_batches_tracked", "bert_model.embeddings.position_ids")
    assert RENAMING.to_ours(dict.fromkeys(names, 0)) == ({}, [])
    assert RENAMING.to_ours({"bilstm.weight_ih_l0": 0}) == ({}, ["bilstm.weight_ih_l0"])


def test_what_of_the_text_side_is_trained():
    with torch.device("meta"):
        whole = RefVos(VARIANTS["refvos-resnet101"])
    trained = {name for name, p in whole.text_encoder.named_parameters() if p.requires_grad}
    layers = {int(name.split(".")[3]) for name in trained}
    assert layers == set(range(10))
    rest = [name for name, p in whole.named_parameters() if not name.startswith("text_encoder")]
    assert all(whole.get_parameter(name).requires_grad for name in rest)


@pytest.mark.slow
def test_a_published_file_loads_directly(tmp_path: Path):
    torch.manual_seed(0)
    original = RefVos(VARIANTS["refvos-resnet101-davis"])
    published, unknown = RENAMING.to_published(original.state_dict())
    assert not unknown
    published["model.backbone.bn1.num_batches_tracked"] = torch.tensor(7)
    published["bert_model.embeddings.position_ids"] = torch.arange(512)[None]
    content = {**nested(published), "optimizer": {}, "epoch": 5, "args": argparse.Namespace(lr=0.01)}
    torch.save(content, tmp_path / "davis.pth", _use_new_zipfile_serialization=False)
    loaded = load("refvos-resnet101-davis", tmp_path / "davis.pth", device="cpu")
    weights = original.state_dict()
    assert all(torch.equal(value, weights[name]) for name, value in loaded.state_dict().items())


def test_a_long_sentence_is_cut():
    ids = torch.tensor([[101, 7, 8, 9, 102], [101, 5, 102, 0, 0]])
    rows = Tokens(ids, ids == 0)
    assert shorten(rows, 4, "cut").ids.tolist() == [[101, 7, 8, 9], [101, 5, 102, 0]]
    assert shorten(rows, 4, "keep-end").ids.tolist() == [[101, 7, 8, 102], [101, 5, 102, 0]]
    assert shorten(rows, 2, "keep-end").ids.tolist() == [[101, 102], [101, 102]]
    assert shorten(rows, 5, "cut") is rows


def test_frames_are_encoded_once_for_all_sentences(model: RefVos):
    calls = {"backbone": 0, "text": 0}
    hooks = [
        model.backbone.register_forward_hook(lambda *_: calls.update(backbone=calls["backbone"] + 1)),
        model.text_encoder.register_forward_hook(lambda *_: calls.update(text=calls["text"] + 1)),
    ]
    frames = np.random.default_rng(0).integers(0, 255, (3, 40, 56, 3), dtype=np.uint8)
    list(Segmenter(model, device="cpu").stream(frames, ["the red square", "a square", "a circle"]))
    for hook in hooks:
        hook.remove()
    assert calls == {"backbone": 3, "text": 1}


def test_frames_keep_their_size(model: RefVos):
    sizes: list[tuple[int, ...]] = []
    hook = model.backbone.register_forward_hook(lambda _module, args, _maps: sizes.append(args[0].shape[-2:]))
    frames = np.random.default_rng(0).integers(0, 255, (2, 37, 51, 3), dtype=np.uint8)
    results = list(Segmenter(model, device="cpu")(frames, ["the red square"]))
    hook.remove()
    assert set(sizes) == {(37, 51)}
    assert [result.masks.shape for result in results] == [(1, 37, 51)] * 2


def test_one_frame_in_gives_what_the_whole_clip_gives(model: RefVos):
    whole, words = clip(t=3), tokens(2)
    with torch.no_grad():
        text = model.encode_text(words)
        expected = model(model.encode_video(whole), text).mask_logits
        state = model.start(text)
        for index in range(3):
            single = Clip(whole.frames[:, [index]], whole.padding_mask[:, [index]])
            masks, after = model.step(model.encode_video(single), state)
            torch.testing.assert_close(masks.mask_logits, expected[:, index], atol=1e-4, rtol=1e-3)
            assert after is state


def test_the_larger_score_wins():
    scores = torch.tensor([[[[[2.0, 0.0, 0.0]], [[1.0, 0.0, 0.5]]]]])  # e t 2 h w
    output = ScoreMaps(scores, torch.zeros(1, 1, 1, 3, dtype=torch.bool))
    assert (output.mask_logits > 0).flatten().tolist() == [False, False, True]
    found = trajectories(output)
    torch.testing.assert_close(found.scores, torch.tensor([[0.5]]).sigmoid())


def test_padding_is_not_scored_and_has_no_loss(model: RefVos):
    padding = torch.zeros(1, 1, 8, 8, dtype=torch.bool)
    padding[..., 4:] = True
    scores = torch.zeros(1, 1, 2, 8, 8)
    scores[:, :, 1, :, 4:] = 9.0
    output = ScoreMaps(scores.requires_grad_(), padding)
    assert trajectories(output).scores.item() == 0.5
    target = Target(torch.ones(1, 1, 8, 8, dtype=torch.bool), (0,))
    loss = model.criterion(output, [target])["loss_cross_entropy"]
    torch.testing.assert_close(loss, torch.tensor(2.0).log())
    (gradient,) = torch.autograd.grad(loss, scores)
    assert not gradient[..., 4:].any()
    assert gradient[..., :4].any()


@pytest.mark.parametrize(
    "wrong",
    [
        {"rates": ()},
        {"channels": 0},
        {"dropout": 1.0},
        {"max_tokens": 1},
        {"sentence": "last"},
        {"truncation": "never"},
        {"trained_text": "lower-layers"},
        {"trained_text": "some"},
    ],
)
def test_impossible_configurations(wrong):
    with pytest.raises(ValueError):
        replace(TINY, **wrong)
