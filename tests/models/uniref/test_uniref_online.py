"""UniRef in a video: what it remembers, and what it does with it."""

import io
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from test_uniref_model import HEIGHT, WIDTH, clip, rectangles, tokens

import deixis
from deixis.errors import MaskError
from deixis.models.base import MaskTakingModel, OnlineModel
from deixis.models.clip import fit_frame, make_clip
from deixis.models.uniref.model import UniRef
from deixis.models.uniref.online import margins, take_step, without_objects
from deixis.structures import Clip
from deixis.text.words import train_tokenizer
from deixis.video.frames import Frame
from tiny_uniref import TINY, shaken

ALWAYS = replace(TINY, expression_threshold=0.0, mask_threshold=0.0)


@pytest.fixture(scope="module")
def model() -> UniRef:
    return shaken(ALWAYS)


def walk(model, state, frames, first=0):
    """Step through ``frames`` random frames; return all answers and the last state."""
    answers = []
    with torch.no_grad():
        for index in range(first, first + frames):
            answer, state = take_step(model, model.encode_video(clip(seed=index)), state)
            answers.append(answer)
    return answers, state


def followed(model, n=2):
    return model.start(None, rectangles(n))


def as_bytes(state) -> bytes:
    file = io.BytesIO()
    torch.save(state, file)
    return file.getvalue()


def test_it_is_an_online_model(model):
    assert isinstance(model, OnlineModel) and isinstance(model, MaskTakingModel)
    with torch.no_grad():
        frame = model.encode_video(clip())
        found, _ = model.step(frame, model.start(model.encode_text(tokens(2))))
        assert found.mask_logits.shape == (2, HEIGHT // 4, WIDTH // 4)
        found, _ = model.step(frame, followed(model, 3))
    assert found.mask_logits.shape == (3, HEIGHT, WIDTH)
    assert torch.equal(found.mask_logits > 0, rectangles(3) & (rectangles(3).cumsum(0) == 1))


@pytest.mark.parametrize("kind", ["expressions", "masks", "both"])
def test_a_saved_state_goes_on_bit_for_bit(model, kind):
    with torch.no_grad():
        text = None if kind == "masks" else model.encode_text(tokens(2))
    _, state = walk(model, model.start(text, None if kind == "expressions" else rectangles(2)), 3)
    loaded = torch.load(io.BytesIO(as_bytes(state)), weights_only=True)
    straight, _ = walk(model, state, 2, first=3)
    resumed, _ = walk(model, loaded, 2, first=3)
    for left, right in zip(straight, resumed, strict=True):
        assert torch.equal(left.mask_logits, right.mask_logits)
        assert torch.equal(left.scores, right.scores)
        assert torch.equal(left.masks, right.masks)


@pytest.mark.parametrize("kind", ["expressions", "masks"])
def test_the_state_does_not_grow(model, kind):
    with torch.no_grad():
        state = model.start(model.encode_text(tokens(2))) if kind == "expressions" else followed(model, 2)
    _, state = walk(model, state, 3)
    sizes = [len(as_bytes(state))]
    for first in range(3, 33, 15):
        _, state = walk(model, state, 15, first=first)
        sizes.append(len(as_bytes(state)))
    assert state["frame"] == 33
    assert max(sizes) - min(sizes) < 2000  # names of parts in the file


def test_frames_are_encoded_once_for_all_objects(model, monkeypatch: pytest.MonkeyPatch):
    calls = []
    encode = model.encode_masks

    def counting(frame, masks):
        calls.append(len(masks))
        return encode(frame, masks)

    monkeypatch.setattr(model, "encode_masks", counting)
    _, state = walk(model, followed(model, 2), 1)
    assert calls == [2]
    keys = [state["first"][number]["keys"][0] for number in (1, 2)]
    assert keys[0] is keys[1]


def test_what_is_remembered_changes_the_answer(model):
    whole, _ = walk(model, followed(model, 1), 3)
    for references in ("first", "previous"):
        other = shaken(replace(ALWAYS, references=references))
        answers, _ = walk(other, followed(other, 1), 3)
        torch.testing.assert_close(answers[1].scores, whole[1].scores)  # first and previous are one frame
        if whole[1].masks.any():
            assert not torch.equal(answers[2].mask_logits, whole[2].mask_logits)


def test_a_low_score_gives_no_mask_and_leaves_no_trace():
    strict = shaken(replace(ALWAYS, expression_threshold=1.0))
    with torch.no_grad():
        state = strict.start(strict.encode_text(tokens(2)))
    answers, after = walk(strict, state, 2)
    assert not answers[-1].masks.any() and (answers[-1].mask_logits < 0).all()
    assert after["first"] == after["previous"] == {}


def test_frames_by_themselves_without_references():
    alone = shaken(replace(ALWAYS, references="none"))
    with torch.no_grad():
        text = alone.encode_text(tokens(1))
    answers, state = walk(alone, alone.start(text), 2)
    again, _ = walk(alone, alone.start(text), 1, first=1)
    assert torch.equal(answers[1].mask_logits, again[0].mask_logits)
    assert state["first"] == {}
    with pytest.raises(ValueError, match="alone"):
        walk(alone, followed(alone), 1)


def test_objects_come_late_and_are_corrected(model):
    state = model.start(None, torch.zeros(0, HEIGHT, WIDTH, dtype=torch.bool))
    answers, state = walk(model, state, 2)
    assert answers[0].masks.shape == (0, HEIGHT, WIDTH)
    answers, state = walk(model, model.give_masks(state, {7: rectangles(1)[0]}), 1, first=2)
    assert torch.equal(answers[0].masks[0], rectangles(1)[0])
    answers, state = walk(model, model.give_masks(state, {3: rectangles(2)[1]}), 1, first=3)
    assert state["objects"] == (3, 7)
    assert state["first"][3]["frame"] == 3 and state["first"][7]["frame"] == 2
    assert torch.equal(answers[0].masks[0] | answers[0].masks[1], answers[0].masks.any(dim=0))
    _, state = walk(model, model.give_masks(state, {7: rectangles(1)[0]}), 1, first=4)
    assert state["first"][7]["frame"] == state["previous"][7]["frame"] == 4


def test_a_dropped_expression_leaves_the_others_as_they_are(model):
    with torch.no_grad():
        state = model.start(model.encode_text(tokens(3)))
    _, state = walk(model, state, 2)
    kept = without_objects(state, (1, 3))
    assert kept["objects"] == (2,) and state["objects"] == (1, 2, 3)
    whole, _ = walk(model, state, 2, first=2)
    alone, _ = walk(model, kept, 2, first=2)
    for left, right in zip(alone, whole, strict=True):
        torch.testing.assert_close(left.mask_logits, right.mask_logits[1:2], atol=1e-3, rtol=1e-4)
        torch.testing.assert_close(left.scores, right.scores[1:2])


def test_a_given_mask_is_seen_whatever_the_others_are(model):
    _, state = walk(model, followed(model, 2), 2)
    everything = torch.ones(HEIGHT, WIDTH, dtype=torch.bool)
    answers, _ = walk(model, model.give_masks(state, {2: everything}), 1, first=2)
    assert answers[0].masks[1].all() and not answers[0].masks[0].any()


def test_a_lost_object_keeps_what_was_known_of_it(model):
    empty = torch.zeros(1, HEIGHT, WIDTH, dtype=torch.bool)
    strict = shaken(replace(ALWAYS, mask_threshold=1.0))
    _, state = walk(strict, followed(strict, 1), 1)
    answers, later = walk(strict, state, 2, first=1)
    assert torch.equal(answers[-1].masks, empty)
    assert later["previous"][1]["frame"] == 0


def test_twenty_objects_compete(model):
    masks = torch.zeros(20, HEIGHT, WIDTH, dtype=torch.bool)
    for index in range(20):
        masks[index, 16 * (index // 6) :, 16 * (index % 6) : 16 * (index % 6) + 16] = True
    answers, _ = walk(model, model.start(None, masks), 2)
    assert answers[1].masks.shape == masks.shape
    assert (answers[1].masks.sum(dim=0) <= 1).all()


def test_masks_are_decided_at_the_size_of_the_video(model):
    size = (90, 135)
    state = model.start(None, torch.ones(1, *size, dtype=torch.bool))
    answers, _ = walk(model, state, 2)
    assert answers[0].masks.all()
    assert answers[1].probabilities.shape == (1, *size)


def test_margins_tell_the_winner():
    probabilities = torch.rand(3, 9, 9, generator=torch.Generator().manual_seed(0))
    background = (1 - probabilities).prod(dim=0, keepdim=True)
    winner = torch.cat((background, probabilities)).argmax(dim=0)
    wins = winner == torch.arange(1, 4)[:, None, None]
    assert torch.equal(margins(probabilities) > 0, wins)
    torch.testing.assert_close(margins(probabilities[:1]), probabilities[:1].logit())


def test_errors_in_words(model):
    with torch.no_grad():
        text, frame = model.encode_text(tokens(2)), model.encode_video(clip())
    with pytest.raises(ValueError, match="starts from"):
        model.start(None)
    with pytest.raises(ValueError, match="as many masks"):
        model.start(text, rectangles(3))
    with pytest.raises(ValueError, match="no expression 3"):
        model.give_masks(model.start(text), {3: rectangles(1)[0]})
    with pytest.raises(ValueError, match="positive"):
        model.give_masks(followed(model), {0: rectangles(1)[0]})
    wrong = model.give_masks(followed(model), {1: torch.ones(5, 6, dtype=torch.bool)})
    with pytest.raises(ValueError, match=r"a mask of \(5, 6\)"):
        take_step(model, frame, wrong)
    _, state = walk(model, followed(model), 1)
    small = Clip(torch.zeros(1, 1, 3, 32, 64), torch.zeros(1, 1, 32, 64, dtype=torch.bool))
    with pytest.raises(ValueError, match="one size"), torch.no_grad():
        take_step(model, model.encode_video(small), state)
    with pytest.raises(ValueError, match="one frame"), torch.no_grad():
        take_step(model, model.encode_video(clip(2)), followed(model))


def test_a_session_goes_on_from_a_file():
    video = np.random.default_rng(0).integers(0, 255, (4, 50, 70, 3), dtype=np.uint8)
    frames = [Frame(index, index / 25, f"{index:05d}", image) for index, image in enumerate(video)]
    expressions = ["a red square.", "the blue circle"]
    segmenter = deixis.Segmenter(talking())
    unbroken = list(segmenter.stream(iter(video), expressions))
    session = segmenter.session(expressions)
    results = [result for frame in frames[:2] for result in session.push(frame)]
    resumed = segmenter.session(expressions)
    resumed.load_state(torch.load(io.BytesIO(as_bytes(session.state())), weights_only=True))
    results += [result for frame in frames[2:] for result in resumed.push(frame)]
    assert [result.masks.shape for result in results] == [(2, 50, 70)] * 4
    for result, expected in zip(results, unbroken, strict=True):
        np.testing.assert_array_equal(result.masks, expected.masks)
        np.testing.assert_array_equal(result.scores, expected.scores)


def talking():
    """A model that takes sentences, and frames of other sizes than the videos here."""
    model = shaken(replace(ALWAYS, inputs=replace(ALWAYS.inputs, short_side=40, long_side=64)))
    model.tokenizer = train_tokenizer(["a red square", "the blue circle"])
    return model


def test_frames_are_remembered_at_their_own_size():
    video = np.random.default_rng(0).integers(0, 255, (3, 50, 70, 3), dtype=np.uint8)
    model = talking()
    segmenter = deixis.Segmenter(model)
    found = list(segmenter.stream(iter(video), "a red square"))
    state = model.start(segmenter.engine.encode_expressions(["a red square"]), size=(50, 70))
    for image, result in zip(video, found, strict=True):
        clip = make_clip([fit_frame(image, model.config.inputs)], model.config.inputs, torch.device("cpu"))
        with torch.no_grad():
            answer, state = take_step(model, model.encode_video(clip), state)
        np.testing.assert_array_equal(result.masks, answer.masks.numpy())
    assert 0 < found[0].masks.mean() < 1


def test_masks_beside_sentences():
    """The second sentence is told where its object is in frame 1."""
    video = np.random.default_rng(0).integers(0, 255, (4, 50, 70, 3), dtype=np.uint8)
    labels = np.zeros((50, 70), np.uint8)
    labels[11:31, 7:33] = 2
    sentences = ["a red square", "the blue circle"]
    segmenter = deixis.Segmenter(talking())
    plain = segmenter(video, sentences)
    told = segmenter(video, sentences, masks={1: labels})
    np.testing.assert_array_equal(told.masks(1)[1], labels == 2)
    np.testing.assert_array_equal(told.masks(0), plain.masks(0))
    np.testing.assert_array_equal(told.masks(1)[0], plain.masks(1)[0])
    assert (told.masks(1)[2:] != plain.masks(1)[2:]).any()
    streamed = list(segmenter.stream(video, sentences, masks={1: labels}))
    np.testing.assert_array_equal(np.stack([one.masks[1] for one in streamed]), told.masks(1))
    assert told.information["masks"]["frames"] == {"1": [2]} and "masks" not in plain.information
    with pytest.raises(MaskError, match="shows object 2, and there is no sentence of that number"):
        segmenter(video, "a red square", masks={1: labels})


_IN_ANOTHER_PROCESS = """
import sys
import torch
from test_uniref_online import ALWAYS, walk
from tiny_uniref import shaken

answers, _ = walk(shaken(ALWAYS), torch.load(sys.argv[1], weights_only=True), 2, first=3)
torch.save([answer.mask_logits for answer in answers], sys.argv[2])
"""


@pytest.mark.slow
def test_a_state_goes_on_in_another_process(model, tmp_path: Path):
    _, state = walk(model, followed(model), 3)
    torch.save(state, tmp_path / "state.pt")
    command = [sys.executable, "-c", _IN_ANOTHER_PROCESS, tmp_path / "state.pt", tmp_path / "found.pt"]
    threads = {"OMP_NUM_THREADS": str(torch.get_num_threads())}
    here = Path(__file__).parent
    environment = {**os.environ, **threads, "PYTHONPATH": os.pathsep.join(map(str, (here, here.parents[1])))}
    subprocess.run(command, check=True, env=environment)
    expected, _ = walk(model, state, 2, first=3)
    for found, answer in zip(torch.load(tmp_path / "found.pt", weights_only=True), expected, strict=True):
        assert torch.equal(found, answer.mask_logits)
