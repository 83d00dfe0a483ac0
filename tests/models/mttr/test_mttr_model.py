"""What is MTTR's own, beyond the contract of all models."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from deixis.losses.alignment import alignment_logits
from deixis.models.mttr.config import VARIANTS, MttrConfig
from deixis.models.mttr.convert import RENAMING
from deixis.models.mttr.model import Mttr
from deixis.models.mttr.output import MttrOutput
from deixis.models.mttr.pixel_decoder import PixelDecoder
from deixis.models.mttr.postprocess import vote
from deixis.structures import Clip, Tokens

LAYOUT = json.loads((Path(__file__).parents[2] / "goldens" / "mttr" / "layout_swin_tiny.json").read_text())

TINY = MttrConfig(
    backbone="video-conv-tiny",
    text_encoder="words-tiny",
    is_text_encoder_frozen=False,
    width=64,
    num_heads=4,
    feedforward=64,
    num_queries=4,
    dropout=0.0,
)


def output(frame_padding: torch.Tensor) -> MttrOutput:
    e, t = frame_padding.shape
    generator = torch.Generator().manual_seed(0)
    return MttrOutput(
        referring_logits=torch.randn(2, e, t, 3, 2, generator=generator),
        kernels=torch.randn(2, e, t, 3, 4, generator=generator),
        mask_features=torch.randn(e, t, 4, 5, 6, generator=generator),
        frame_padding=frame_padding,
    )


def test_masks_are_inner_products_of_kernels_and_features():
    predictions = output(torch.zeros(1, 2, dtype=torch.bool))
    logits = predictions.mask_logits(0)
    expected = (predictions.kernels[0, 0, 1, 2][:, None, None] * predictions.mask_features[0, 1]).sum(0)
    torch.testing.assert_close(logits[0, 1, 2], expected)


def test_index_0_is_the_referent_and_the_last_layer_counts():
    predictions = output(torch.zeros(1, 2, dtype=torch.bool))
    scores = vote(predictions).frame_scores
    torch.testing.assert_close(scores, predictions.referring_logits[-1].softmax(-1)[..., 0])


def test_the_alignment_map_is_where_an_untrained_model_begins():
    torch.manual_seed(0)
    model = Mttr(replace(TINY, has_alignment_map=True)).eval()
    for parameter in (*model.pixel_decoder.out.parameters(), *model.referring_head.parameters()):
        torch.nn.init.zeros_(parameter)
    for parameter in (model.controller.layers[-1].weight, model.alignment_vote.bias):
        torch.nn.init.zeros_(parameter)
    clip = Clip(torch.randn(1, 2, 3, 32, 48), torch.zeros(1, 2, 32, 48, dtype=torch.bool))
    words = Tokens(torch.randint(2, 50, (3, 4)), torch.zeros(3, 4, dtype=torch.bool))
    with torch.no_grad():
        video, text = model.encode_video(clip), model.encode_text(words)
        predictions = model(video, text)
        tokens = video.placed_map[0].permute(0, 2, 3, 1).flatten(0, 2)
        expected = alignment_logits(text.mean_of_words(), tokens).view(3, 2, 4, 6)
    coarse = torch.nn.functional.avg_pool2d(predictions.mask_logits()[:, :, 0], 2)
    # Up and down again by two blurs with the neighbours, so only what the map says on average is kept.
    torch.testing.assert_close(coarse.mean(dim=(2, 3)), expected.mean(dim=(2, 3)), atol=0.1, rtol=0)
    score = predictions.referring_logits[-1, ..., 0] - predictions.referring_logits[-1, ..., 1]
    torch.testing.assert_close(score[..., 0], expected.flatten(2).amax(dim=2))


def test_who_votes():
    padding = torch.tensor([[False, False, True], [False, False, False]])
    predictions = output(padding)
    real, every = vote(predictions), vote(predictions, "all")
    torch.testing.assert_close(every.scores, every.frame_scores.mean(1))
    torch.testing.assert_close(real.scores[0], real.frame_scores[0, :2].mean(0))
    torch.testing.assert_close(real.scores[1], every.scores[1])


def test_shared_first_queries_give_what_separate_ones_give():
    torch.manual_seed(0)
    model = Mttr(TINY).eval()
    clip = Clip(torch.randn(1, 2, 3, 32, 48), torch.zeros(1, 2, 32, 48, dtype=torch.bool))
    words = Tokens(torch.randint(2, 50, (2, 4)), torch.zeros(2, 4, dtype=torch.bool))
    with torch.no_grad():
        video, text = model.encode_video(clip), model.encode_text(words)
        shared = model(video, text)
        model.training = True  # of the model alone: its parts, dropout among them, stay in evaluation mode
        separate = model(video, text)
    torch.testing.assert_close(shared.referring_logits, separate.referring_logits, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(shared.mask_logits(), separate.mask_logits(), atol=1e-4, rtol=1e-4)


def test_pixel_decoder_has_the_published_widths():
    decoder = PixelDecoder(256, (96, 192), 8)
    assert [tuple(layer.weight.shape[:2]) for layer in decoder.convolutions] == [
        (256, 256),
        (128, 256),
        (64, 128),
        (32, 64),
    ]
    assert [tuple(layer.weight.shape[:2]) for layer in decoder.adapters] == [(128, 192), (64, 96)]
    assert tuple(decoder.out.weight.shape[:2]) == (8, 32)


def test_four_levels_add_a_step():
    decoder = PixelDecoder(256, (64, 96, 192), 8)
    assert tuple(decoder.adapters[-1].weight.shape[:2]) == (32, 64)
    assert tuple(decoder.out.weight.shape[:2]) == (8, 16)


def test_published_names_round_trip():
    ours, unknown = RENAMING.to_ours(LAYOUT)
    assert unknown == []
    assert len(ours) == len(LAYOUT) == 464
    assert RENAMING.to_published(ours) == (LAYOUT, [])


def test_constant_buffers_are_left_out():
    buffers = {
        "backbone.layers.0.blocks.1.attn.relative_position_index": 0,
        "transformer.text_encoder.embeddings.position_ids": 0,
    }
    assert RENAMING.to_ours(buffers) == ({}, [])
    assert RENAMING.to_ours({"criterion.empty_weight": 0}) == ({}, ["criterion.empty_weight"])


def test_our_names_are_those_of_the_published_layout():
    """All but the text encoder, which takes seconds to build; the goldens load it strictly."""
    model = Mttr(replace(VARIANTS["mttr-video-swin-t"], text_encoder="words-tiny"))
    own = {k: list(v.shape) for k, v in model.state_dict().items() if not k.startswith("text_encoder.")}
    published, _ = RENAMING.to_ours(LAYOUT)
    expected = {k: v for k, v in published.items() if not k.startswith("text_encoder.")}
    expected["text_projection.linear.weight"] = own["text_projection.linear.weight"]
    assert own == expected


def test_the_text_encoder_is_frozen_unless_said_otherwise():
    frozen = Mttr(replace(TINY, is_text_encoder_frozen=True))
    assert not any(parameter.requires_grad for parameter in frozen.text_encoder.parameters())
    assert all(parameter.requires_grad for parameter in frozen.text_projection.parameters())
    assert all(parameter.requires_grad for parameter in Mttr(TINY).text_encoder.parameters())


@pytest.mark.parametrize(
    "wrong",
    [
        {"width": 100},
        {"num_heads": 3},
        {"num_queries": 0},
        {"dropout": 1.0},
        {"matched_objects": "some"},
        {"voting_frames": "none"},
    ],
)
def test_impossible_configurations(wrong):
    with pytest.raises(ValueError):
        replace(TINY, **wrong)
