"""What is HINet's own, beyond the contract of all models."""

import json
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch

from deixis.inference.segmenter import Segmenter
from deixis.models.hinet.config import SWITCHES, VARIANTS, HinetConfig, switched
from deixis.models.hinet.convert import FLOW_PARTS, NOT_IN_REFVOS, RENAMING
from deixis.models.hinet.model import Hinet
from deixis.models.inputs import InputSpec
from deixis.models.refvos.config import VARIANTS as REFVOS_VARIANTS
from deixis.models.refvos.config import RefVosConfig
from deixis.models.refvos.model import RefVos
from deixis.models.score_maps import ScoreMaps
from deixis.structures import Clip, Target, Tokens
from deixis.text.words import train_tokenizer

LAYOUT = Path(__file__).parents[2] / "goldens" / "refvos" / "layout_resnet101.json"

TINY = replace(
    VARIANTS["hinet-tiny-full"], channels=16, reduced_channels=8, motion_widths=(4, 8, 8), rates=(1, 2)
)


@cache
def model_of(name: str) -> Hinet:
    torch.manual_seed(0)
    return Hinet(switched(TINY, name)).eval()


def clip(b: int = 1, t: int = 2, height: int = 40, width: int = 56) -> Clip:
    generator = torch.Generator().manual_seed(t)
    frames = torch.randn(b, t, 3, height, width, generator=generator)
    flow = torch.rand(b, t, 1, height, width, generator=generator)
    return Clip(frames, torch.zeros(b, t, height, width, dtype=torch.bool), flow=flow)


def tokens(e: int, s: int = 5) -> Tokens:
    ids = torch.randint(2, 6, (e, s), generator=torch.Generator().manual_seed(e))
    return Tokens(ids, torch.zeros(e, s, dtype=torch.bool))


@torch.no_grad()
def scores_of(model: Hinet | RefVos, seen: Clip, e: int = 2) -> torch.Tensor:
    return model(model.encode_video(seen), model.encode_text(tokens(e))).scores


@pytest.mark.parametrize(
    "name, count",
    [
        ("-single-level", 58_889_538),
        ("-static", 61_196_850),
        ("-vision-flow", 61_199_986),
        ("-gate-flow", 61_633_698),
        ("", 61_636_834),
        ("-stride16", 61_636_834),
        ("-pretraining", 61_636_834),
    ],
)
def test_parameters_without_bert(name: str, count: int):
    """Those that the design says."""
    config = replace(VARIANTS[f"hinet-resnet101{name}"], text_encoder="words-tiny", trained_text="all")
    with torch.device("meta"):
        model = Hinet(config)
    own = sum(p.numel() for part, p in model.named_parameters() if not part.startswith("text_encoder"))
    narrow = sum(fusion.embedding.out_features for fusion in model.fusions.values())
    assert own + narrow * (768 - 128) == count  # the tiny text encoder has 128 channels, BERT 768


@pytest.mark.parametrize("name", ["vision-flow", "gate-flow", "full"])
@pytest.mark.parametrize("size", [(40, 56), (37, 51)])
@pytest.mark.parametrize("is_training", [True, False])
def test_before_training_motion_changes_no_bit(name, size, is_training):
    static, moving = model_of("static"), Hinet(switched(TINY, name)).eval()
    moving.load_state_dict({**moving.state_dict(), **static.state_dict()}, strict=True)
    for model in (static, moving):
        model.train(is_training)
        for module in model.modules():  # dropout and unknown words are drawn anew
            if isinstance(module, torch.nn.Dropout):
                module.eval()
        model.text_encoder.eval()
    seen = clip(height=size[0], width=size[1])
    expected = {key: value.clone() for key, value in static.state_dict().items()}
    assert torch.equal(scores_of(moving, seen), scores_of(static, seen))
    static.load_state_dict(expected)  # statistics have moved
    static.eval()


@pytest.mark.parametrize("name", ["vision-flow", "gate-flow", "full"])
def test_motion_enters_where_the_switches_say(name: str):
    torch.manual_seed(1)
    model = Hinet(switched(TINY, name)).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            if not parameter.any():
                parameter.normal_(std=0.1)
    seen = clip()
    without, still = replace(seen, flow=None), replace(seen, flow=torch.zeros(1, 2, 1, 40, 56))
    moving = scores_of(model, seen)
    assert not torch.allclose(moving, scores_of(model, still))
    # Without flow, motion is not asked about: not the same as "nothing moves" where gates have a bias.
    assert torch.allclose(scores_of(model, without), scores_of(model, still)) == (name == "vision-flow")


def test_models_without_motion_ignore_it():
    for name in ("single-level", "static"):
        seen = clip()
        assert torch.equal(
            scores_of(model_of(name), seen), scores_of(model_of(name), replace(seen, flow=None))
        )


def test_another_number_of_motion_channels_is_refused():
    with pytest.raises(ValueError, match="takes 1 motion channels"):
        scores_of(model_of("full"), replace(clip(), flow=torch.zeros(1, 2, 2, 40, 56)))


@pytest.mark.parametrize("size", [(37, 51), (16, 16), (64, 9)])
def test_any_size(size):
    scores = scores_of(model_of("full"), clip(height=size[0], width=size[1]))
    assert scores.shape == (2, 2, 2, -(-size[0] // 4), -(-size[1] // 4))


def test_one_level_without_motion_is_refvos(tmp_path: Path):
    torch.manual_seed(0)
    config = RefVosConfig(
        backbone="image-conv-tiny",
        text_encoder="words-tiny",
        trained_text="all",
        sentence="mean",
        channels=16,
        rates=(1, 2),
    )
    refvos, single = RefVos(config).eval(), Hinet(switched(TINY, "single-level")).eval()
    ours, unknown = RENAMING.to_ours(refvos.state_dict())
    assert not unknown
    single.load_state_dict(ours, strict=True)
    assert torch.equal(scores_of(single, clip()), scores_of(refvos, clip()))


def test_published_files_of_refvos_fit_what_they_are_the_same_as():
    layout = json.loads(LAYOUT.read_text())
    ours, unknown = RENAMING.to_ours(layout)
    assert not unknown
    assert RENAMING.to_published(ours) == (layout, [])
    own = {name: shape for name, shape in ours.items() if not name.startswith("text_encoder")}
    own["fusions.4.embedding.weight"] = [256, 128]  # of the tiny text encoder, which is faster to build
    for name in SWITCHES:
        variant = f"hinet-resnet101-{name}" if name != "full" else "hinet-resnet101"
        config = replace(VARIANTS[variant], text_encoder="words-tiny", trained_text="all")
        with torch.device("meta"):
            shapes = {k: list(v.shape) for k, v in Hinet(config).state_dict().items()}
        fresh = () if name == "single-level" else NOT_IN_REFVOS
        fresh += tuple(part for key in FLOW_PARTS if name in (key, "full") for part in FLOW_PARTS[key])
        rest = {k: v for k, v in shapes.items() if not any(part in k for part in (*fresh, "text_encoder"))}
        assert rest == own
        assert all(any(part in k for k in shapes) for part in fresh)


@pytest.mark.slow
def test_goldens_of_refvos_through_the_single_level_variant():
    from deixis.models.refvos.goldens import run_images
    from deixis.parity.check import relative_error
    from deixis.parity.draw import draw_inputs, draw_parameters

    sidecar = json.loads(LAYOUT.with_name("golden_resnet101.json").read_text())
    parameters = draw_parameters(json.loads(LAYOUT.read_text()), {})
    model = Hinet(VARIANTS["hinet-resnet101-single-level"])
    tensors = {name: torch.from_numpy(value) for name, value in parameters.items()}
    model.load_state_dict(RENAMING.to_ours(tensors)[0], strict=True)
    inputs = draw_inputs(sidecar["inputs"])["b"]
    stages = run_images(model.eval(), model.fusions["4"], inputs["videos"], inputs["tokens"])
    with np.load(LAYOUT.with_name("golden_resnet101.npz")) as recorded:
        assert relative_error(stages["logits_low"].numpy(), recorded["b_logits_low"]) <= 1e-4


def output_of(scores: torch.Tensor, padding: torch.Tensor) -> ScoreMaps:
    return ScoreMaps(scores.requires_grad_(), padding)


def test_the_loss_is_that_of_the_hardest_pixels():
    model = model_of("static")
    generator = torch.Generator().manual_seed(0)
    padding = torch.zeros(2, 2, 16, 24, dtype=torch.bool)
    padding[1, 1] = True  # a frame of padding has no hardest pixels and no say
    output = output_of(torch.randn(2, 2, 2, 16, 24, generator=generator), padding)
    masks = torch.rand(1, 2, 16, 24, generator=generator) < 0.3
    targets = [Target(masks, (0,)), Target(masks, ())]
    loss = model.criterion(output, targets)["loss_hardest"]
    k, means = int(0.15 * 16 * 24), []
    for expression, frame in ((0, 0), (0, 1), (1, 0)):
        truth = masks[0, frame].long() * (expression == 0)
        weights = torch.tensor([0.9, 1.1])
        values = torch.nn.functional.cross_entropy(
            output.scores[expression, frame][None], truth[None], weights, reduction="none"
        )
        means.append(values.flatten().topk(k).values.mean())
    torch.testing.assert_close(loss, torch.stack(means).mean())
    (gradient,) = torch.autograd.grad(loss, output.scores)
    assert (gradient.abs().amax(dim=2) > 0).sum() == 3 * k


def test_the_share_of_hardest_pixels_shrinks_where_it_is_asked_for():
    """CFBI: from all to 15 % over half of the training."""
    model = Hinet(replace(switched(TINY, "static"), annealed_over=0.5))
    generator = torch.Generator().manual_seed(0)
    output = output_of(
        torch.randn(1, 1, 2, 20, 20, generator=generator), torch.zeros(1, 1, 20, 20, dtype=torch.bool)
    )
    losses = []
    for progress, share in ((0.0, 1.0), (0.25, 0.575), (0.5, 0.15), (0.9, 0.15)):
        model.set_progress(progress)
        loss = model.criterion(output, [Target(torch.zeros(1, 1, 20, 20, dtype=torch.bool), ())])
        (gradient,) = torch.autograd.grad(loss["loss_hardest"], output.scores)
        assert (gradient.abs().amax(dim=2) > 0).sum() == int(share * 400)
        losses.append(float(loss["loss_hardest"].detach()))
    assert losses[0] < losses[1] < losses[2] == losses[3]
    fixed = model_of("static").criterion(output, [Target(torch.zeros(1, 1, 20, 20, dtype=torch.bool), ())])
    assert float(fixed["loss_hardest"].detach()) == losses[3]


def test_presence_says_whether_there_is_a_mask():
    scores = torch.zeros(2, 2, 2, 8, 8)
    scores[..., 0, :, :] = 3.0
    scores[1, 0, 1, 4, 4] = 5.0
    output = output_of(scores, torch.zeros(1, 2, 8, 8, dtype=torch.bool))
    found = model_of("static").postprocess(output)
    masks = found.make_mask_logits(torch.zeros(2, 1, dtype=torch.int64))[:, :, 0] > 0
    assert found.presence is not None
    assert torch.equal(found.presence[..., 0] > 0.5, masks.flatten(2).any(dim=2))
    assert (found.presence > 0.5).sum() == 1


def test_the_loss_of_pre_training_is_plain():
    model = Hinet(replace(switched(TINY, "static"), hardest_share=1.0, class_weights=(1.0, 1.0)))
    output = output_of(torch.zeros(1, 1, 2, 8, 8), torch.zeros(1, 1, 8, 8, dtype=torch.bool))
    loss = model.criterion(output, [Target(torch.ones(1, 1, 8, 8, dtype=torch.bool), (0,))])
    torch.testing.assert_close(loss["loss_cross_entropy"], torch.tensor(2.0).log())


def test_a_video_one_frame_at_a_time():
    pytest.importorskip("cv2")
    torch.manual_seed(0)
    config = replace(TINY, inputs=replace(TINY.inputs, short_side=40, long_side=80))
    model = Hinet(config, train_tokenizer(["a red square", "the blue circle"])).eval()
    frames = np.random.default_rng(0).integers(0, 255, (4, 50, 70, 3), dtype=np.uint8)
    motions: list[torch.Tensor] = []
    assert model.motion_gates is not None
    model.motion_gates.register_forward_hook(lambda _module, args, _gates: motions.append(args[0]))
    results = list(Segmenter(model, device="cpu").stream(frames, ["the red square", "a square"]))
    assert [result.masks.shape for result in results] == [(2, 50, 70)] * 4
    assert [tuple(motion.shape) for motion in motions] == [(1, 1, 40, 56)] * 4
    assert all(0 <= float(motion.min()) <= float(motion.max()) <= 1 for motion in motions)


def test_variants_say_what_they_want():
    for name, config in VARIANTS.items():
        assert config.inputs.is_online, name
        assert config.inputs.wants_flow == (config.has_vision_flow or config.has_gate_flow), name
    assert REFVOS_VARIANTS["refvos-resnet101"].rates == VARIANTS["hinet-resnet101"].rates
    assert VARIANTS["hinet-resnet101"] == HinetConfig()
    assert set(SWITCHES) == {
        name.removeprefix("hinet-tiny-") for name in VARIANTS if name.startswith("hinet-tiny-")
    }


@pytest.mark.parametrize(
    "wrong",
    [
        {"levels": (1, 2)},
        {"levels": (4, 3)},
        {"levels": ()},
        {"has_vision_flow": False, "has_gate_flow": False},
        {"inputs": InputSpec(is_online=True)},
        {"hardest_share": 0.0},
        {"annealed_over": 1.5},
        {"class_weights": (0.0, 1.0)},
        {"motion_widths": (0, 8, 8)},
        {"dropout": 1.0},
        {"reduced_channels": 0},
    ],
)
def test_impossible_configurations(wrong):
    with pytest.raises(ValueError):
        replace(TINY, **wrong)
