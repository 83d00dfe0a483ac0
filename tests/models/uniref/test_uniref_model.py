"""What is UniRef's own in the network, beyond the contract of all models."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from deixis.errors import CheckpointError
from deixis.models.loading import convert_file, load
from deixis.models.registry import find_variant
from deixis.models.uniref.config import VARIANTS
from deixis.models.uniref.convert import RENAMING
from deixis.models.uniref.fusion import UniFusion
from deixis.models.uniref.model import UniRef
from deixis.models.uniref.proposals import anchors
from deixis.models.uniref.reference import MaskReference, concatenate, stack
from deixis.structures import Clip, TextFeatures, Tokens
from tiny_uniref import TINY, shaken

LAYOUTS = Path(__file__).parents[2] / "goldens" / "uniref"
HEIGHT, WIDTH = 64, 96


@pytest.fixture(scope="module")
def model() -> UniRef:
    return shaken()


def clip(b: int = 1, seed: int = 0) -> Clip:
    frames = torch.randn(b, 1, 3, HEIGHT, WIDTH, generator=torch.Generator().manual_seed(seed))
    return Clip(frames, torch.zeros(b, 1, HEIGHT, WIDTH, dtype=torch.bool))


def tokens(e: int) -> Tokens:
    ids = torch.randint(2, 100, (e, 5), generator=torch.Generator().manual_seed(e))
    return Tokens(ids, torch.zeros(e, 5, dtype=torch.bool))


def rectangles(n: int) -> torch.Tensor:
    masks = torch.zeros(n, HEIGHT, WIDTH, dtype=torch.bool)
    for index in range(n):
        masks[index, 8 + 4 * index : 40, 8 * index : 30 + 8 * index] = True
    return masks


@pytest.mark.parametrize(("layout", "variant"), [("r50", "resnet50"), ("swin_l", "swin-l")])
def test_published_names_and_shapes(layout: str, variant: str):
    """The goldens load the text encoder strictly, too."""
    shapes = json.loads((LAYOUTS / f"layout_{layout}.json").read_text())
    with torch.device("meta"):
        model = UniRef(replace(VARIANTS[f"uniref-plus-{variant}"], text_encoder="words-tiny"))
    parts = ("text_encoder.", "text_projection.linear.weight")
    own = {k: list(v.shape) for k, v in model.state_dict().items() if not k.startswith(parts)}
    ours, unknown = RENAMING.to_ours(shapes)
    assert not unknown
    assert own == {name: shape for name, shape in ours.items() if not name.startswith(parts)}
    assert RENAMING.to_published(ours) == ({k: v for k, v in shapes.items() if k != "criterion._iter"}, [])


def test_buffers_and_second_names_are_left_out():
    names = (
        "detr.detr.backbone.0.backbone.layers.0.blocks.0.attn.relative_position_index",
        "value_encoder.layer1.0.bn1.num_batches_tracked",
        "text_encoder.embeddings.position_ids",
        "detr.detr.transformer.decoder.bbox_embed.6.layers.0.weight",
        "criterion._iter",
    )
    assert RENAMING.to_ours(dict.fromkeys(names, 0)) == ({}, [])
    assert RENAMING.to_ours({"detr.detr.other": 0}) == ({}, ["detr.detr.other"])


def test_published_and_the_seeds_choices_have_names():
    _, published = find_variant("uniref-plus-resnet50")
    _, seed = find_variant("uniref-swin-l")
    assert (published.text_encoder, published.fusion) == ("bert-base-uncased", "add")
    assert (seed.text_encoder, seed.fusion, seed.backbone) == ("roberta-base", "multiply", "swin-l-window12")


@pytest.mark.parametrize(
    "wrong",
    [
        {"fusion": "subtract"},
        {"order": "backwards"},
        {"references": "last"},
        {"width": 100},
        {"num_queries": 0},
        {"mask_threshold": 1.5},
        {"max_tokens": 1},
        {"fusion_dropout": 1.0},
    ],
)
def test_a_configuration_that_cannot_be(wrong: dict[str, object]):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        replace(TINY, **wrong)


def test_punctuation_is_left_out_as_in_the_published_training(model):
    assert model.prepare_expression('the "left-most" dog, (black/white)!') == "the left most dog black white"


@torch.no_grad()
def test_without_references_pixels_stay_and_with_any_they_change(model):
    pixels = [torch.randn(1, 12, 64)]
    text = model.encode_text(tokens(2))
    assert torch.equal(model.fusion(pixels, None, None)[0], pixels[0])
    fused = model.fusion(pixels, text, None)[0]
    assert fused.shape == (2, 12, 64)
    assert not torch.allclose(fused[0], pixels[0][0])
    assert not torch.allclose(fused[0], fused[1])


@torch.no_grad()
def test_at_first_references_add_nothing():
    pixels, text = [torch.randn(1, 12, 64)], TextFeatures(torch.randn(1, 3, 64), torch.zeros(1, 3).bool())
    fusion = UniFusion(64, 4, 32, 0.0, "add", "parallel")
    text = TextFeatures(text.words, text.padding_mask, text.mean_of_words())
    assert torch.equal(fusion(pixels, text, None)[0], pixels[0])


@torch.no_grad()
@pytest.mark.parametrize("fusion", ["add", "multiply"])
def test_order_matters_with_two_references_and_not_with_one(fusion):
    orders = ("parallel", "mask-first", "language-first")
    models = [shaken(replace(TINY, fusion=fusion, order=order)) for order in orders]
    video, text = models[0].encode_video(clip()), models[0].encode_text(tokens(1))
    masks = models[0].encode_masks(models[0].encode_video(clip(seed=1)), rectangles(1))
    alone = [model(video, text).mask_features for model in models]
    assert torch.equal(alone[0], alone[1]) and torch.equal(alone[0], alone[2])
    both = [model(video, text, masks=masks).mask_features for model in models]
    assert not torch.allclose(both[0], both[1])
    assert not torch.allclose(both[1], both[2])


@torch.no_grad()
def test_a_doubled_reference_says_the_same(model):
    video = model.encode_video(clip())
    masks = model.encode_masks(model.encode_video(clip(seed=1)), rectangles(2))
    once, twice = (model(video, None, masks=part) for part in (masks, concatenate([masks, masks])))
    torch.testing.assert_close(once.scores, twice.scores, atol=1e-5, rtol=1e-4)


@torch.no_grad()
def test_objects_of_one_frame_are_as_each_of_them_alone(model):
    video, other = model.encode_video(clip()), model.encode_video(clip(seed=1))
    together = model.encode_masks(other, rectangles(3))
    alone = [model.encode_masks(other, mask[None]) for mask in rectangles(3)]
    for level in range(4):
        expected = torch.cat([part.values[level] for part in alone])
        torch.testing.assert_close(together.values[level], expected, atol=1e-5, rtol=1e-4)
    assert all(len(level) == 1 for level in together.keys)
    expected = torch.cat([model(video, None, masks=part).mask_features for part in alone])
    for masks in (together, stack(alone)):
        features = model(video, None, masks=masks).mask_features
        torch.testing.assert_close(features, expected, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("objects", [1, 3])
@pytest.mark.parametrize("num_pixels", [7, 600])
def test_folded_projections_read_what_attention_reads(
    model, monkeypatch: pytest.MonkeyPatch, objects: int, num_pixels: int
):
    monkeypatch.setattr("deixis.models.uniref.fusion.SCORES_AT_ONCE", 100)
    hidden = torch.arange(7)[None] >= 5
    keys, values, embedding = torch.randn(1, 7, 64), torch.randn(objects, 7, 64), torch.randn(1, 64)
    masks = MaskReference((keys,), (hidden,), (embedding,), (values,))
    pixels = [torch.randn(1, num_pixels, 64)]
    expected = model.fusion(pixels, None, masks)[0]  # gradients are on: attention as written
    with torch.no_grad():
        read = model.fusion(pixels, None, masks)[0]
    assert expected.shape == read.shape == (objects, num_pixels, 64)
    torch.testing.assert_close(read, expected.detach(), atol=1e-5, rtol=1e-4)


def test_folded_projections_read_of_pairs(model):
    keys, values, embedding = torch.randn(2, 7, 64), torch.randn(2, 7, 64), torch.randn(2, 64)
    hidden = torch.arange(7) >= torch.tensor([[5], [7]])
    masks = MaskReference((keys,), (hidden,), (embedding,), (values,))
    pixels = [torch.randn(2, 9, 64)]
    expected = model.fusion(pixels, None, masks)[0]
    with torch.no_grad():
        read = model.fusion(pixels, None, masks)[0]
    torch.testing.assert_close(read, expected.detach(), atol=1e-5, rtol=1e-4)


@torch.no_grad()
def test_padding_of_a_reference_is_never_read(model):
    video = model.encode_video(clip())
    masks = model.encode_masks(model.encode_video(clip(seed=1)), rectangles(1))
    longer = MaskReference(
        keys=tuple(torch.cat((level, 9 * torch.ones_like(level)), dim=1) for level in masks.keys),
        hidden=tuple(torch.cat((level, ~level), dim=1) for level in masks.hidden),
        embeddings=masks.embeddings,
        values=tuple(torch.cat((level, 9 * torch.ones_like(level)), dim=1) for level in masks.values),
    )
    scores = [model(video, None, masks=part).scores for part in (masks, longer)]
    torch.testing.assert_close(scores[0], scores[1], atol=1e-5, rtol=1e-4)


@torch.no_grad()
def test_supports_of_one_object_become_one_reference(model):
    masks = model.encode_masks(model.encode_video(clip(2, seed=1)), rectangles(2))
    pooled = masks.pooled()
    assert pooled.num_objects == 1
    assert pooled.keys[0].shape[1] == 2 * masks.keys[0].shape[1]
    torch.testing.assert_close(pooled.embeddings[0][0], masks.embeddings[0].mean(dim=0))


def test_expressions_and_masks_must_be_pairs(model):
    with torch.no_grad():
        video, text = model.encode_video(clip()), model.encode_text(tokens(2))
        masks = model.encode_masks(video, rectangles(3))
    with pytest.raises(ValueError, match="no pairs"):
        model(video, text, masks=masks)


@torch.no_grad()
def test_there_may_be_fewer_tokens_than_queries():
    model = shaken(replace(TINY, num_queries=300))
    output = model(model.encode_video(clip()), model.encode_text(tokens(1)))
    num_tokens = output.memory.shape[2]
    assert num_tokens < 300
    assert output.scores.shape == (1, 1, num_tokens)


def test_anchors_lie_in_the_frame_without_padding():
    ratios = torch.tensor([[[0.5, 1.0]]])
    boxes = anchors([(2, 4)], ratios)[0]
    torch.testing.assert_close(boxes[:, 0], torch.tensor([0.25, 0.75, 1.25, 1.75] * 2))
    torch.testing.assert_close(boxes[:, 1], torch.tensor([0.25] * 4 + [0.75] * 4))
    torch.testing.assert_close(boxes[:, 2:], torch.full((8, 2), 0.05))


@pytest.mark.slow
def test_a_published_file_loads_directly(tmp_path: Path):
    torch.manual_seed(0)
    original = UniRef(VARIANTS["uniref-plus-resnet50"])
    published, unknown = RENAMING.to_published(original.state_dict())
    assert not unknown
    published["criterion._iter"] = torch.zeros(1)
    path = tmp_path / "video_r50.pth"
    torch.save({"model": published, "optimizer": {}, "iteration": 5}, path)
    loaded = load("uniref-plus-resnet50", path, device="cpu")
    weights = original.state_dict()
    assert all(torch.equal(value, weights[name]) for name, value in loaded.state_dict().items())
    with pytest.raises(CheckpointError, match="another"):
        load("uniref-plus-swin-l", path, device="cpu")
    report = convert_file(path, tmp_path / "ours", "uniref-plus-resnet50")
    assert len(report.used) == len(weights)
    assert all("decoder" in name or name == "criterion._iter" for name in report.ignored)
