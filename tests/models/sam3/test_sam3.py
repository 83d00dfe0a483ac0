import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from deixis.errors import CheckpointError, TrainingError
from deixis.inference.segmenter import Segmenter
from deixis.models import registry
from deixis.models.loading import load
from deixis.models.sam3.config import VARIANTS, Sam3Config
from deixis.models.sam3.convert import RENAMING
from deixis.models.sam3.model import Sam3, Sam3Features
from deixis.structures import Clip, Tokens
from deixis.text.words import train_tokenizer
from stand_ins import coloured_video
from tiny_sam import lively, tiny_detector

SIZE = (48, 64)
SENTENCES = ["red square", "a green thing", "blue"]


@pytest.fixture(scope="module")
def model() -> Sam3:
    torch.manual_seed(0)
    built = Sam3(Sam3Config(network=tiny_detector()), train_tokenizer(SENTENCES))
    lively(built)
    with torch.no_grad():
        built.network.tracker_model.mask_decoder.pred_obj_score_head.proj_out.bias += 4
        built.network.detector_model.detr_decoder.presence_head.layer3.bias += 4
    return built.eval()


def video(num_frames: int) -> torch.Tensor:
    noise = torch.randint(0, 60, (num_frames, 3, *SIZE), generator=torch.Generator().manual_seed(0))
    return (torch.from_numpy(coloured_video(num_frames))[:, :48, :64].permute(0, 3, 1, 2) // 2 + noise).byte()


def features(model: Sam3, frame: torch.Tensor) -> Sam3Features:
    normalised = frame[None, None].float() / 255 * 2 - 1
    return model.encode_video(Clip(normalised, torch.zeros(1, 1, *frame.shape[-2:], dtype=torch.bool)))


def follow(model: Sam3, frames: torch.Tensor, sentences: list[str]):
    with torch.no_grad():
        state = model.start(model.encode_text(model.tokenizer(sentences)))
        for frame in frames:
            found, state = model.step(features(model, frame), state)
            yield found, state


def unpruned(model: Sam3, frames: torch.Tensor, sentences: list[str]):
    """Yield what a session of the library's own says, which forgets nothing."""
    from transformers.models.sam3_video.modeling_sam3_video import Sam3VideoInferenceSession

    session = Sam3VideoInferenceSession(dtype=torch.float32)
    for place, sentence in enumerate(sentences):
        tokens = model.tokenizer([sentence])
        session.add_prompt(sentence)
        session.prompt_input_ids[place] = tokens.ids
        session.prompt_attention_masks[place] = (~tokens.padding_mask).long()
    for frame in frames:
        pixels = model._processor(images=frame, return_tensors="pt")["pixel_values"][0]
        yield model.network(inference_session=session, frame=pixels)


def test_forgetting_changes_nothing_and_memory_stays_flat(model):
    frames, sentences = video(26), SENTENCES[:1]
    stored, shown = [], 0
    pairs = zip(follow(model, frames, sentences), unpruned(model, frames, sentences), strict=True)
    for (found, state), expected in pairs:
        scores = expected.obj_id_to_score
        assert {number: track["score"] for number, track in state["tracks"].items()} == scores
        best = min(scores, key=lambda number: (-scores[number], number))
        assert torch.equal(found.scores, torch.tensor([scores[best]]))
        low = torch.nn.functional.interpolate(expected.obj_id_to_mask[best][None], SIZE, mode="bilinear")
        assert torch.equal(found.mask_logits, low[0])
        shown += bool((low > 0).any())
        stored.append({number: len(track["memory"]["found"]) for number, track in state["tracks"].items()})
    assert shown > 20 and len(stored[-1]) > 1
    assert stored[-1] == stored[-2] and max(stored[-1].values()) <= 15
    maps = [item[2] for track in state["tracks"].values() for item in track["memory"]["given"]]
    assert sum(item is not None for item in maps) <= 4 * len(stored[-1])


def test_a_saved_state_goes_on_bit_for_bit(model):
    frames = video(6)
    *_, (_, state) = follow(model, frames[:4], SENTENCES[:2])
    file = io.BytesIO()
    torch.save(state, file)
    loaded = torch.load(io.BytesIO(file.getvalue()), weights_only=True)
    for frame in frames[4:]:
        expected, state = model.step(features(model, frame), state)
        found, loaded = model.step(features(model, frame), loaded)
        assert torch.equal(found.mask_logits, expected.mask_logits)
        assert torch.equal(found.presence, expected.presence)


def test_the_number_of_tracks_is_bounded(model):
    model.network.max_num_objects = 2
    *_, (_, state) = follow(model, video(4), SENTENCES)
    model.network.max_num_objects = model.config.max_tracks
    assert len(state["tracks"]) == 2


def test_nothing_is_found_where_nothing_is_sure(model, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(model.network, "score_threshold_detection", 2.0)
    for found, state in follow(model, video(2), SENTENCES[:2]):
        assert (found.mask_logits < 0).all() and not found.scores.any() and not found.presence.any()
        assert not state["tracks"]


def test_frames_enter_as_by_the_processor(model):
    frame = video(1)[0]
    expected = model._processor(images=frame, return_tensors="pt")["pixel_values"][0]
    assert torch.equal(features(model, frame).maps[0][0, 0], expected)


def test_it_segments_a_video(model):
    found = Segmenter(model, device="cpu")(video(3).permute(0, 2, 3, 1).numpy(), SENTENCES[:2])
    assert len(found) == 3 and found[0].masks.shape == (2, *SIZE)


def test_what_it_does_not_do(model):
    with pytest.raises(TrainingError, match="not trained here"):
        model.criterion(None, [])
    with pytest.raises(ValueError, match="own size"):
        replace(model.config, inputs=replace(model.config.inputs, resize="shortest_side"))
    with pytest.raises(ValueError, match="max_tracks"):
        Sam3Config(max_tracks=0)


def test_published_weights_come_from_a_folder(model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    model.network.save_pretrained(tmp_path)
    (tmp_path / "tokenizer.json").write_text(model.tokenizer.definition.replace("<pad>", "<|endoftext|>"))
    loaded = load("sam3-video", tmp_path, device="cpu")
    assert loaded.tokenizer.max_tokens == 32
    frame, words = features(model, video(1)[0]), Tokens(torch.tensor([[5, 6]]), torch.zeros(1, 2) > 0)
    with torch.no_grad():
        results = [own(frame, own.encode_text(words)).mask_logits for own in (model, loaded)]
    assert torch.equal(*results)
    published = {name: 0 for name in model.network.state_dict()}
    assert RENAMING.to_ours(published)[0].keys() == model.state_dict().keys()
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "sam2_video"}))
    with pytest.raises(CheckpointError, match="holds a model of the type"):
        load("sam3-video", tmp_path, device="cpu")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(CheckpointError, match="comes without weights"):
        load("sam3-video")
    with pytest.raises(CheckpointError, match="cannot be fetched"):
        load("sam3-video", "facebook/sam3-of-nobody", device="cpu")


def test_the_name_is_in_the_table():
    assert registry.find_variant("sam3-video") == ("sam3", VARIANTS["sam3-video"])
