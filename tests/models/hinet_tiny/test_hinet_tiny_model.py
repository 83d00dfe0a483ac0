"""hinet-tiny from frames to masks: scenes, sentences, sizes."""

import numpy as np
import torch

from deixis.models.hinet_tiny.config import HinetTinyConfig
from deixis.models.hinet_tiny.model import HinetTiny
from deixis.models.hinet_tiny.spelling import make_tokenizer
from deixis.structures import Clip

HEIGHT, WIDTH = 48, 64


def model() -> HinetTiny:
    torch.manual_seed(0)
    return HinetTiny(HinetTinyConfig(network_rows=32, training_rows=32, widths=(4, 4, 6, 6, 8))).eval()


def frame_of(seed: int, x: int) -> Clip:
    """One frame of a scene: a white box at ``x`` that moves on a noisy ground."""
    ground = np.random.default_rng(seed).uniform(0, 1, (3, HEIGHT, WIDTH)).astype(np.float32)
    flow = np.zeros((4, HEIGHT, WIDTH), np.float32)
    ground[:, 10:30, x : x + 20] = 1.0
    flow[0, 10:30, x : x + 20], flow[2, 10:30, x : x + 20] = 3.0, -3.0
    return Clip(
        torch.from_numpy(ground)[None, None],
        torch.zeros(1, 1, HEIGHT, WIDTH, dtype=torch.bool),
        flow=torch.from_numpy(flow)[None, None],
    )


def run(network: HinetTiny, clips: list[Clip], sentence: str = "the white box") -> list[dict]:
    """Return the state after each frame."""
    assert network.tokenizer is not None
    state = network.start(network.encode_text(network.tokenizer([sentence])))
    states = []
    with torch.inference_mode():
        for clip in clips:
            _, state = network.step(network.encode_video(clip), state)
            states.append(state)
    return states


def test_every_sentence_comes_back_as_it_was():
    tokenizer = make_tokenizer()
    sentences = ["a man, in black!", "größer als 狗", "🐶 dog"]
    tokens = tokenizer(sentences)
    rows = zip(tokens.ids.tolist(), tokens.padding_mask.tolist(), strict=True)
    read = [tokenizer.decode([one for one, padded in zip(*row, strict=True) if not padded]) for row in rows]
    assert read == sentences


def test_colours_are_remembered_within_a_scene():
    network = model()
    states = run(network, [frame_of(1, x) for x in (5, 8, 11)])
    totals = [float(state["colours"].sum()) for state in states]
    assert totals[0] < totals[1] < totals[2]


def test_a_cut_forgets_the_scene_before():
    network = model()
    after = run(network, [frame_of(1, 5), frame_of(1, 8), frame_of(2, 11)])[-1]
    alone = run(network, [frame_of(2, 11)])[-1]
    for name in ("colours", "looks", "facts", "spans", "time"):
        assert torch.equal(after[name], alone[name]), name


def test_a_state_goes_on_in_another_process(tmp_path):
    network = model()
    clips = [frame_of(1, x) for x in (5, 8, 11, 14)]
    whole = run(network, clips)[-1]
    half = run(network, clips[:2])[-1]
    torch.save(half, tmp_path / "state.pt")
    state = torch.load(tmp_path / "state.pt", weights_only=True)
    with torch.inference_mode():
        for clip in clips[2:]:
            _, state = network.step(network.encode_video(clip), state)
    assert all(torch.equal(state[name], value) for name, value in whole.items())


def test_without_flow_there_is_an_answer():
    network = model()
    clip = frame_of(1, 5)
    still = Clip(clip.frames, clip.padding_mask)
    assert network.tokenizer is not None
    text = network.encode_text(network.tokenizer(["a man"]))
    with torch.inference_mode():
        masks, _ = network.step(network.encode_video(still), network.start(text))
    assert masks.mask_logits.shape == (1, HEIGHT, WIDTH)
    assert masks.presence.shape == (1,)


def test_padding_moves_no_mask(monkeypatch):
    """A frame beside a wider one in a batch is padded; what is found in it stays where it is."""
    network = model()
    pool = torch.nn.functional.adaptive_avg_pool2d
    monkeypatch.setattr(network, "_find", lambda pixels, flow, known: pool(known[:, None], (24, 64))[:, 0])
    box, padded = frame_of(1, 40), (0, WIDTH)
    clip = Clip(
        torch.nn.functional.pad(box.frames, padded),
        torch.nn.functional.pad(box.padding_mask, padded, value=True),
        flow=torch.nn.functional.pad(box.flow, padded),
    )
    assert network.tokenizer is not None
    state = network.start(network.encode_text(network.tokenizer(["everything that moves"])))
    with torch.inference_mode():
        found, _ = network.step(network.encode_video(clip), state)
    columns = (found.mask_logits[0] > 0).any(dim=0).nonzero()[:, 0]
    assert int(columns.min()) >= 36 and 56 <= int(columns.max()) < WIDTH
