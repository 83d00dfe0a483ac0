from dataclasses import replace
from pathlib import Path

import pytest
import torch

from deixis import propagators
from deixis.errors import CheckpointError
from deixis.propagators.base import ObjectMasks
from deixis.propagators.sam2.config import VARIANTS
from deixis.propagators.sam2.propagator import Sam2Propagator, Sam2State
from stand_ins import coloured_video
from tiny_sam import SIDE, tiny_tracker

NAMES = ("sam2.1-tiny", "edgetam", "sam3-tracker")
SIZE = (64, 96)


@pytest.fixture(scope="module")
def video():
    noise = torch.randint(0, 60, (45, 3, *SIZE), generator=torch.Generator().manual_seed(0))
    return (torch.from_numpy(coloured_video(45)).permute(0, 3, 1, 2) // 2 + noise).byte()


@pytest.fixture(scope="module", params=NAMES)
def propagator(request):
    config = VARIANTS[request.param]
    return Sam2Propagator(*tiny_tracker(config.architecture), config)


def square(top: int, left: int) -> torch.Tensor:
    mask = torch.zeros(1, *SIZE, dtype=torch.bool)
    mask[:, top : top + 16, left : left + 20] = True
    return mask


def unpruned(propagator, frames, given: dict[int, torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
    """Follow one object by a session of the library's own that forgets nothing, from the first frame on."""
    processor, network = propagator.processor, propagator.network
    session = processor.init_video_session(dtype=torch.float32)
    outputs = []
    for index, frame in enumerate(frames):
        if index in given:
            processor.add_inputs_to_inference_session(session, index, [1], input_masks=[given[index][0]])
        pixels = processor(images=frame, return_tensors="pt").pixel_values[0]
        outputs.append(network(inference_session=session, frame=pixels))
    masks = torch.stack([output.pred_masks[:, 0] for output in outputs])
    return masks, torch.stack([output.object_score_logits.flatten() for output in outputs])


def follow(propagator, frames, given: dict[int, ObjectMasks], state: Sam2State | None = None):
    """Yield mask logits, presence and state of each frame."""
    state = propagator.start() if state is None else state
    for index, frame in enumerate(frames):
        *found, state = propagator.advance(propagator.prepare(frame), state, given.get(index))
        yield *found, state


def test_forgetting_changes_nothing_and_memory_stays_flat(propagator, video):
    given = {0: square(8, 16), 22: square(20, 40)}
    masks, presence = unpruned(propagator, video, given)
    found = list(follow(propagator, video, {index: ObjectMasks((1,), mask) for index, mask in given.items()}))
    assert torch.equal(torch.stack([item[0] for item in found]), masks)
    assert torch.equal(torch.stack([item[1] for item in found]), presence)
    assert len(masks.flatten(1).unique(dim=0)) > 40  # frames differ: there was something to compare
    stored = [(len(item[2].tensors), item[2].num_bytes) for item in found]
    assert len(set(stored[16:22])) == len(set(stored[38:])) == 1
    # 2 given frames, 6 maps, 15 pointers, positions of the cells
    assert stored[-1][0] == 2 * 2 + 6 + 15 + 1


def test_old_memory_is_read(propagator, video):
    """What is kept is not too much: without any of it the next frame is another."""
    *_, (_, _, state) = follow(propagator, video[:20], {0: ObjectMasks((1,), square(8, 16))})
    image, memory = propagator.prepare(video[20]), state.objects[1]
    expected = propagator.advance(image, state)[0]
    assert [item.index for item in memory.found] == list(range(5, 20))
    assert [item.index for item in memory.found if item.features is not None] == list(range(14, 20))
    for less in (
        replace(memory, found=memory.found[1:]),
        replace(memory, found=(*memory.found[:9], *memory.found[10:])),
    ):
        assert not torch.equal(propagator.advance(image, replace(state, objects={1: less}))[0], expected)


def test_objects_do_not_touch_one_another(propagator, video):
    """Another object joins, is corrected and is dropped: the first one is found as if it were alone."""
    first, frames = ObjectMasks((1,), square(8, 16)), video[:12]
    alone = [item[0] for item in follow(propagator, frames, {0: first})]
    second = {3: ObjectMasks((7,), square(30, 50)), 6: ObjectMasks((7,), square(34, 60))}
    together = list(follow(propagator, frames[:9], {0: first, **second}))
    for expected, (masks, _, _) in zip(alone, together, strict=False):
        torch.testing.assert_close(masks[0], expected[0], atol=2e-3, rtol=1e-3)
    state = together[-1][2]
    assert state.ids == (1, 7) and together[2][2].ids == (1,)
    state = propagator.drop(state, (7,))
    for expected, (masks, _, _) in zip(alone[9:], follow(propagator, frames[9:], {}, state), strict=True):
        torch.testing.assert_close(masks, expected, atol=2e-3, rtol=1e-3)


def test_masks_are_those_of_the_processor(propagator, video):
    given = ObjectMasks((4,), square(8, 16))
    found, state = propagator.step(video[0], propagator.start(), given)
    assert torch.equal(found.masks, given.masks) and found.presence[0] > 0.99
    logits, presence, _ = propagator.advance(propagator.prepare(video[1]), state)
    found, _ = propagator.step(video[1], state)
    expected = propagator.processor.post_process_masks([logits[:, None]], original_sizes=[SIZE])[0][:, 0]
    assert torch.equal(found.masks, expected) and torch.equal(found.presence, presence.sigmoid())


def test_an_empty_mask_means_absent(propagator, video):
    nothing = torch.zeros(1, *SIZE, dtype=torch.bool)
    found, state = propagator.step(video[0], propagator.start(), ObjectMasks((4,), nothing))
    assert not found.masks.any() and found.presence[0] < 0.01
    assert propagator.step(video[1], state)[0].ids == (4,)


def test_the_last_frame_is_not_remembered(propagator, video):
    _, state = propagator.step(video[0], propagator.start(), ObjectMasks((4,), square(8, 16)))
    found, last = propagator.step(video[1], state, is_last=True)
    assert torch.equal(found.probabilities, propagator.step(video[1], state)[0].probabilities)
    assert last.num_bytes == state.num_bytes


@pytest.mark.parametrize("name", NAMES)
def test_published_weights_come_from_a_folder(name: str, tmp_path: Path, video):
    network, processor = tiny_tracker(VARIANTS[name].architecture)
    network.save_pretrained(tmp_path)
    processor.save_pretrained(tmp_path)
    loaded = propagators.build(name, tmp_path)
    assert loaded.prepare(video[0]).shape == (3, SIDE, SIDE)
    expected = {key: value.sum() for key, value in network.state_dict().items()}
    assert {key: value.sum() for key, value in loaded.network.state_dict().items()} == expected
    with pytest.raises(CheckpointError, match="holds a model of the type"):
        propagators.build("edgetam" if name != "edgetam" else "sam2-tiny", tmp_path)


def test_weights_that_are_not_here_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(CheckpointError, match=r"give facebook/sam2.1-hiera-large as its checkpoint"):
        propagators.build("sam2.1-large")
    with pytest.raises(CheckpointError, match="cannot be fetched from the hub"):
        propagators.build("sam2.1-large", "facebook/sam2.1-hiera-large")
    with pytest.raises(CheckpointError, match="no folder of weights of edgetam"):
        propagators.build("edgetam", tmp_path)


def test_broken_folders_are_said(tmp_path: Path):
    network, processor = tiny_tracker("sam2")
    processor.save_pretrained(tmp_path)
    network.save_pretrained(tmp_path, state_dict={"no_memory_embedding": network.no_memory_embedding})
    with pytest.raises(CheckpointError, match="lacks"):
        propagators.build("sam2-tiny", tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"broken")
    with pytest.raises(CheckpointError, match="cannot be loaded"):
        propagators.build("sam2-tiny", tmp_path)
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(CheckpointError, match="cannot be read"):
        propagators.build("sam2-tiny", tmp_path)
