import copy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchvision_swin import randomise, reference_maps

from deixis.backbones import BACKBONES, build
from deixis.backbones.video_swin import VideoSwin, kinetics_state_dict
from deixis.backbones.window_plan import plan_windows, seen_frames
from deixis.errors import CheckpointError, UnknownNameError


@pytest.fixture(scope="module")
def network() -> VideoSwin:
    network = VideoSwin(32, depths=(2, 2, 2, 2), heads=(1, 2, 4, 8)).eval()
    randomise(network)
    return network


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def error(ours: torch.Tensor, reference: torch.Tensor) -> float:
    assert ours.shape == reference.shape
    return float((ours.detach() - reference.detach()).abs().max() / reference.detach().abs().max())


# Maps smaller than, equal to and larger than the window's 7 cells at every stage, with and without padding.
@given(
    t=st.integers(1, 13),
    height=st.sampled_from([4, 15, 28, 30, 56, 61, 85, 112, 117]),
    width=st.sampled_from([5, 16, 29, 57, 90, 121]),
    seed=st.integers(0, 2**16),
    data=st.data(),
)
@settings(max_examples=30, deadline=None)
def test_maps_equal_the_published_network(network, t, height, width, seed, data):
    frames = torch.randn(1, t, 3, height, width, generator=torch.Generator().manual_seed(seed))
    keep = data.draw(st.none() | st.sets(st.integers(0, t - 1), min_size=1).map(tuple))
    with torch.inference_mode():
        reference = reference_maps(network, frames)
        maps = network(frames, keep)
    for ours, theirs in zip(maps, reference, strict=True):
        assert error(ours, theirs if keep is None else theirs[:, list(keep)]) < 3e-6


@pytest.mark.parametrize("size", [(2, 9, 64, 40), (2, 8, 130, 36)])
def test_gradients_equal_the_published_network(network, size):
    b, t, height, width = size
    frames = torch.randn(b, t, 3, height, width, generator=torch.Generator().manual_seed(0))
    direction = [torch.randn(m.shape, generator=torch.Generator().manual_seed(1)) for m in network(frames)]
    gradients = []
    for maps in (network, lambda x: reference_maps(network, x)):
        x = frames.clone().requires_grad_()
        sum((m * d).sum() for m, d in zip(maps(x), direction, strict=True)).backward()
        gradients.append(x.grad)
    assert error(*gradients) < 3e-6
    table = network.stages[1].blocks[1].attention.relative_position_bias_table
    assert table.grad is not None and table.grad.abs().sum() > 0
    network.zero_grad(set_to_none=True)


def test_a_batch_equals_its_videos_and_chunks_do_not_matter(network, monkeypatch):
    frames = torch.randn(3, 9, 3, 70, 90, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        together = network(frames)
        monkeypatch.setattr("deixis.backbones.video_swin.CHUNK", 100)
        for video, index in zip(frames, range(3), strict=True):
            for ours, batched in zip(network(video[None]), together, strict=True):
                assert error(ours[0], batched[index]) < 2e-6


def change_by_loading(network):
    network.load_state_dict({name: value * 1.5 for name, value in network.state_dict().items()})


def change_in_place(network):
    network.stages[0].blocks[1].attention.relative_position_bias_table.data.mul_(1.01)


def change_by_training(network):
    optimizer = torch.optim.SGD(network.parameters(), lr=1e-3)
    network(torch.ones(1, 2, 3, 32, 32))[-1].sum().backward()
    optimizer.step()


@pytest.mark.parametrize("change", [change_by_loading, change_in_place, change_by_training])
def test_kept_biases_are_never_stale(network, change):
    network = copy.deepcopy(network)
    frames = torch.randn(1, 3, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        before = network(frames)[0]
    change(network)
    with torch.no_grad():
        after = network(frames)[0]
        assert not torch.equal(before, after)
        assert error(after, reference_maps(network, frames)[0]) < 3e-6


def test_biases_are_kept_for_one_size_only_and_never_saved(network):
    attention = network.stages[0].blocks[1].attention
    with torch.inference_mode():
        network(torch.zeros(1, 3, 3, 64, 64))
        first = attention._cache
        network(torch.zeros(1, 3, 3, 64, 64))
        assert attention._cache is first
        network(torch.zeros(1, 3, 3, 64, 96))
        assert attention._cache is not first
    assert copy.deepcopy(attention)._cache is None
    assert not any("index" in name for name in network.state_dict())


def test_a_network_used_for_inference_can_be_trained(network):
    frames = torch.randn(1, 9, 3, 36, 40)
    with torch.inference_mode():
        network(frames)
    network(frames)[-1].sum().backward()
    network.zero_grad(set_to_none=True)


@given(st.tuples(st.integers(1, 20), st.integers(1, 30), st.integers(1, 30)), st.booleans())
@settings(max_examples=50, deadline=None)
def test_every_token_is_in_exactly_one_window(sizes, is_shifted):
    frames = tuple(range(sizes[0]))
    plan = plan_windows(sizes, is_shifted, frames, frames, torch.device("cpu"))
    tokens = torch.cat([group.tokens.flatten() for group in plan])
    assert tokens.sort().values.equal(torch.arange(sizes[0] * sizes[1] * sizes[2]))
    assert len(plan) <= 27
    assert all(group.outputs.equal(group.tokens) and group.queries is None for group in plan)


def test_frames_are_seen_through_windows():
    assert seen_frames(8, True, (3,)) == tuple(range(8))
    assert seen_frames(10, False, (9,)) == (8, 9)
    # Shifted windows of 10 frames, padded to 16, hold frames 4 to 9 and, behind padding, 0 to 3.
    assert seen_frames(10, True, (5,)) == (4, 5, 6, 7, 8, 9)
    assert seen_frames(10, True, (0,)) == (0, 1, 2, 3)


def test_stochastic_depth_drops_whole_videos():
    network = VideoSwin(32, depths=(1, 1, 1), heads=(1, 2, 4), num_stages=1, stochastic_depth=0.0)
    block = network.stages[0].blocks[0]
    block.stochastic_depth = 0.5
    torch.manual_seed(0)
    drops = torch.cat([block._draw_drop(torch.zeros(50, 1)) for _ in range(20)])
    assert set(drops.unique().tolist()) == {0.0, 2.0} and 0.9 < drops.mean() < 1.1
    frames = torch.randn(1, 2, 3, 16, 16).expand(64, -1, -1, -1, -1)
    maps = network(frames)[0]
    assert len(torch.unique(maps.detach().flatten(1)[:, :8].mul(1e4).round(), dim=0)) == 4
    assert torch.equal(*network.eval()(frames[:2])[0])


def test_rates_grow_over_the_whole_published_network():
    rates = [block.stochastic_depth for stage in build("video-swin-t").stages for block in stage.blocks]
    assert rates == pytest.approx([0.1 * block / 11 for block in range(10)])


def published_names(network: VideoSwin) -> dict[str, torch.Tensor]:
    """Name the weights as the Kinetics-400 file does, with two time steps and what is not used."""
    named = {}
    for name, value in network.state_dict().items():
        parts = name.split(".")
        if parts[0] == "merges":
            name = ".".join(["layers", parts[1], "downsample", *parts[2:]])
        for ours, theirs in {
            "stages": "layers",
            "projection": "proj",
            "attention": "attn",
            "linear1": "fc1",
            "linear2": "fc2",
        }.items():
            name = name.replace(ours, theirs)
        named["backbone." + name] = value
    kernel = "backbone.patch_embed.proj.weight"
    named[kernel] = torch.cat([0.25 * named[kernel], 0.75 * named[kernel]], dim=2)
    unused = [
        "backbone.norm.weight",
        "backbone.layers.2.downsample.norm.weight",
        "backbone.layers.3.blocks.0.norm1.weight",
        "backbone.layers.0.blocks.0.attn.relative_position_index",
        "cls_head.fc_cls.weight",
    ]
    return {**named, **{name: torch.zeros(1) for name in unused}}


def test_kinetics_weights_load_strictly(network):
    loaded = VideoSwin(32, depths=(2, 2, 2, 2), heads=(1, 2, 4, 8))
    loaded.load_state_dict(kinetics_state_dict(published_names(network)))
    for name, value in network.state_dict().items():
        assert torch.allclose(loaded.state_dict()[name], value), name


def test_a_kinetics_file_of_another_network_is_refused(network):
    with pytest.raises(CheckpointError, match="not a Video Swin file"):
        kinetics_state_dict({"backbone.conv1.weight": torch.zeros(1)})
    with pytest.raises(RuntimeError, match=r"Missing key.*stages\.1"):
        weights = published_names(network)
        del weights["backbone.layers.1.blocks.0.norm1.weight"]
        VideoSwin(32, (2, 2, 2, 2), (1, 2, 4, 8)).load_state_dict(kinetics_state_dict(weights))


def test_names_build_and_unknown_names_are_explained():
    sizes = {
        name: sum(p.numel() for p in build(name).parameters())
        for name in BACKBONES
        if name[:-1] == "video-swin-"
    }
    assert sizes == {"video-swin-t": 12_364_182, "video-swin-s": 34_022_790, "video-swin-b": 60_174_856}
    with pytest.raises(UnknownNameError, match="video-swin-t"):
        build("video-swin-tiny")
