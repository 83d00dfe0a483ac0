"""What is ReferFormer's own, beyond the contract of all models."""

import argparse
import json
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import pytest
import torch

from deixis.errors import CheckpointError
from deixis.losses.alignment import alignment_logits
from deixis.models.loading import convert_file, load
from deixis.models.referformer.config import VARIANTS, ReferFormerConfig
from deixis.models.referformer.convert import RENAMING
from deixis.models.referformer.model import ReferFormer
from deixis.ops.boxes import pixel_boxes
from deixis.structures import Clip, Tokens

LAYOUTS = Path(__file__).parents[2] / "goldens" / "referformer"
BACKBONES = sorted(path.stem.removeprefix("layout_") for path in LAYOUTS.glob("layout_*.json"))

TINY = ReferFormerConfig(
    backbone="video-conv-tiny",
    text_encoder="words-tiny",
    is_text_encoder_frozen=False,
    sentence="mean",
    width=64,
    num_heads=4,
    num_encoder_layers=1,
    num_decoder_layers=2,
    feedforward=64,
    num_points=2,
    attention_stride=8,
    dropout=0.0,
    transformer_dropout=0.0,
)


@pytest.fixture(scope="module")
def model() -> ReferFormer:
    torch.manual_seed(0)
    model = ReferFormer(TINY)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.02 * torch.randn_like(parameter)
    return model.eval()


def clip(t: int = 2, height: int = 40, width: int = 56) -> Clip:
    frames = torch.randn(1, t, 3, height, width, generator=torch.Generator().manual_seed(t))
    return Clip(frames, torch.zeros(1, t, height, width, dtype=torch.bool))


def tokens(e: int) -> Tokens:
    ids = torch.randint(2, 100, (e, 5), generator=torch.Generator().manual_seed(e))
    return Tokens(ids, torch.zeros(e, 5, dtype=torch.bool))


def variant_of(backbone: str) -> str:
    return "referformer-" + backbone.removesuffix("_p4w7").replace("_", "-")


def test_there_are_nine_layouts():
    assert len(BACKBONES) == 9


@pytest.mark.parametrize("backbone", BACKBONES)
def test_published_names_and_shapes(backbone: str):
    """The text encoder takes seconds to build even without numbers; the goldens load it strictly."""
    layout = json.loads((LAYOUTS / f"layout_{backbone}.json").read_text())
    with torch.device("meta"):
        model = ReferFormer(replace(VARIANTS[variant_of(backbone)], text_encoder="words-tiny"))
    parts = ("text_encoder.", "text_pooler.", "text_projection.linear.weight")
    own = {k: list(v.shape) for k, v in model.state_dict().items() if not k.startswith(parts)}
    ours, unknown = RENAMING.to_ours(layout)
    assert not unknown
    assert own == {name: shape for name, shape in ours.items() if not name.startswith(parts)}
    assert RENAMING.to_published(ours) == (layout, [])


def test_buffers_and_second_names_are_left_out():
    names = (
        "backbone.0.body.layers.0.blocks.0.attn.relative_position_index",
        "text_encoder.embeddings.position_ids",
        "transformer.decoder.bbox_embed.0.layers.0.weight",
    )
    assert RENAMING.to_ours(dict.fromkeys(names, 0)) == ({}, [])
    assert RENAMING.to_ours({"criterion.empty_weight": 0}) == ({}, ["criterion.empty_weight"])


def published_file(model: ReferFormer, path: Path) -> Path:
    """Write what the published trainer saves, in its old format."""
    published, unknown = RENAMING.to_published(model.state_dict())
    assert not unknown
    content = {"model": published, "optimizer": {}, "epoch": 5, "args": argparse.Namespace(lr=1e-4)}
    torch.save(content, path, _use_new_zipfile_serialization=False)
    return path


@pytest.mark.slow
def test_a_published_file_loads_directly(tmp_path: Path):
    torch.manual_seed(0)
    original = ReferFormer(VARIANTS["referformer-resnet50"])
    path = published_file(original, tmp_path / "ytvos_r50.pth")
    loaded = load("referformer-resnet50", path, device="cpu")
    weights = original.state_dict()
    assert all(torch.equal(value, weights[name]) for name, value in loaded.state_dict().items())
    with pytest.raises(CheckpointError, match="another"):
        load("referformer-swin-t", path, device="cpu")
    report = convert_file(path, tmp_path / "ours", "referformer-resnet50")
    assert len(report.used) == len(weights)
    assert all("bbox_embed" in name for name in report.ignored)


def test_masks_of_few_queries_through_folded_kernels(model):
    with torch.no_grad():
        output = model(model.encode_video(clip()), model.encode_text(tokens(2)))
        folded = output.mask_logits(0, torch.tensor([[3], [0]]))
        assert "mask_features" not in output.__dict__  # never made
        every = output.mask_logits(0)
    expected = torch.stack((every[0, :, 3], every[1, :, 0]))[:, :, None]
    torch.testing.assert_close(folded, expected, atol=1e-4, rtol=1e-3)


def test_the_last_layer_counts_and_frames_vote(model):
    with torch.no_grad():
        output = model(model.encode_video(clip(3)), model.encode_text(tokens(1)))
    padding = torch.tensor([[False, False, True]])
    scores = model.postprocess(replace(output, frame_padding=padding)).scores
    expected = output.class_logits[-1, :, :2, :, 0].sigmoid().mean(dim=1)
    torch.testing.assert_close(scores, expected)


def test_the_best_of_all_classes_counts(model):
    with torch.no_grad():
        output = model(model.encode_video(clip(2)), model.encode_text(tokens(1)))
    logits = torch.zeros(1, 1, 2, 2, 3)
    logits[0, 0, :, 0] = torch.tensor([[4.0, 0.0, 0.0], [-4.0, 1.0, 0.0]])
    boxes, kernels = output.boxes[:1, :, :, :2], output.kernels[:1, :, :, :2]
    found = model.postprocess(replace(output, class_logits=logits, boxes=boxes, kernels=kernels))
    torch.testing.assert_close(found.scores[0, 0], torch.tensor([0.0, 1.0]).sigmoid().mean())
    torch.testing.assert_close(found.frame_scores[0, :, 0], torch.tensor([0.0, 1.0]).sigmoid())


def test_what_stands_in_padded_cells_reaches_no_score_and_no_box(model):
    """Attention skips them; the group norms of the pixel decoder do not, so masks may change."""
    whole = clip(width=64)
    padding_mask = whole.padding_mask.clone()
    padding_mask[..., 32:] = True
    padded = Clip(whole.frames * ~padding_mask[:, :, None], padding_mask)
    with torch.no_grad():
        video, text = model.encode_video(padded), model.encode_text(tokens(2))
        noisy = replace(
            video,
            maps=tuple(
                maps + 50 * hidden[:, :, None] * torch.randn_like(maps)
                for maps, hidden in zip(video.maps, video.padding_masks, strict=True)
            ),
        )
        expected, found = model(video, text), model(noisy, text)
    assert not torch.equal(noisy.maps[1], video.maps[1])
    torch.testing.assert_close(found.class_logits, expected.class_logits)
    torch.testing.assert_close(found.boxes, expected.boxes)


def test_images_are_clips_of_one_frame(model):
    with torch.no_grad():
        output = model(model.encode_video(clip(1)), model.encode_text(tokens(2)))
    assert output.mask_logits().shape == (2, 1, 5, 10, 14)
    assert output.boxes.shape == (2, 2, 1, 5, 4)


def test_the_alignment_map_is_where_an_untrained_model_begins():
    torch.manual_seed(0)
    model = ReferFormer(replace(TINY, has_alignment_map=True)).eval()
    for head in model.class_heads:
        torch.nn.init.zeros_(head.weight)
    with torch.no_grad():
        video, text = model.encode_video(clip(2, 32, 48)), model.encode_text(tokens(3))
        output = model(video, text)
    cells = video.placed_map[0].permute(0, 2, 3, 1).flatten(0, 2)
    expected = alignment_logits(text.mean_of_words(), cells).view(3, 2, 4, 6)
    highest = expected.flatten(2).amax(dim=2)[None, ..., None, None].expand(2, -1, -1, 5, 1)
    torch.testing.assert_close(output.class_logits, highest)
    finer = torch.nn.functional.interpolate(expected, (8, 12), mode="bilinear")
    beyond = output.mask_logits() - finer[:, :, None]  # one number a query and frame
    torch.testing.assert_close(beyond, beyond.mean(dim=(-2, -1), keepdim=True).expand_as(beyond))


def test_queries_look_first_where_the_map_is_high():
    torch.manual_seed(0)
    model = ReferFormer(replace(TINY, has_alignment_map=True)).eval()
    torch.nn.init.zeros_(model.reference_points.weight)
    torch.nn.init.zeros_(model.box_heads[0].layers[-1].bias)
    whole = clip(1, 32, 64)
    whole.padding_mask[..., 48:] = True  # 6 of 8 columns are left
    with torch.no_grad():
        video = model.encode_video(whole)
        map_of_one = torch.full((1, 1, 4, 8), -30.0)
        map_of_one[0, 0, 1, 4] = 30.0
        with patch("deixis.models.referformer.model.alignment_map", lambda *_: map_of_one):
            output = model(video, model.encode_text(tokens(1)))
    place = torch.tensor([4.5 / 6, 1.5 / 4]).expand(5, 2)
    torch.testing.assert_close(output.boxes[0, 0, 0, :, :2], place, atol=1e-4, rtol=0)


def test_the_unit_of_places_weighs_the_coordinates_alone(model):
    with torch.no_grad():
        output = model(model.encode_video(clip()), model.encode_text(tokens(2)))
        smaller = replace(output, place_unit=8.0)
        c, d = TINY.width, TINY.mask_channels
        kernels = output.kernels.clone()
        first = kernels[..., : d * (c + 2)].unflatten(-1, (d, c + 2))
        first[..., c:] *= 8
        expected = output.mask_logits()
        found = replace(smaller, kernels=kernels).mask_logits()
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-3)
    assert not torch.allclose(smaller.mask_logits(), expected, atol=1e-2)


def test_pixel_boxes():
    boxes = pixel_boxes(torch.tensor([[0.5, 0.5, 0.5, 1.0]]), (20, 40))
    assert boxes.tolist() == [[10.0, 0.0, 30.0, 20.0]]


def test_the_text_encoder_is_frozen_unless_said_otherwise():
    frozen = ReferFormer(replace(TINY, is_text_encoder_frozen=True, sentence="pooler"))
    assert frozen.text_pooler is not None
    for part in (frozen.text_encoder, frozen.text_pooler):
        assert not any(parameter.requires_grad for parameter in part.parameters())
    assert all(parameter.requires_grad for parameter in frozen.text_projection.parameters())


@pytest.mark.parametrize(
    "wrong",
    [
        {"width": 100},
        {"num_heads": 3},
        {"num_queries": 0},
        {"dropout": 1.0},
        {"attention_stride": 12},
        {"sentence": "first"},
        {"box_edges": "inside"},
        {"place_unit": 0.0},
        {"alignment_weight": 0.5},
    ],
)
def test_impossible_configurations(wrong):
    with pytest.raises(ValueError):
        replace(TINY, **wrong)
