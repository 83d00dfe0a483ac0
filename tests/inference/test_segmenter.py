import numpy as np
import pytest
import torch

import deixis
from deixis.errors import DeviceError, ExpressionError, SourceError, UnknownNameError
from deixis.inference.windows import WindowRule
from deixis.models.inputs import InputSpec
from deixis.ops.masks import masks_at_size
from deixis.structures import Tokens
from stand_ins import ColourModel, StandInConfig, coloured_video, online_model

EXPRESSIONS = ["the red square", "the blue one"]


def truth(video, channel):
    return video[..., channel] > 127


def iou(a, b):
    return (a & b).sum() / (a | b).sum()


def test_masks_are_those_of_the_named_objects_at_the_size_of_the_video():
    video = coloured_video(16)
    prediction = deixis.Segmenter(ColourModel())(video, EXPRESSIONS)
    assert len(prediction) == 16
    assert prediction.size == (64, 96)
    assert iou(prediction.masks(0), truth(video, 0)) > 0.6
    assert iou(prediction.masks(1), truth(video, 2)) > 0.6


def test_vision_runs_once_per_window_and_text_once_per_video():
    calls = []
    for expressions in (["red"], ["red", "green", "blue", "red thing", "the red one"]):
        model = ColourModel()
        deixis.Segmenter(model, expression_batch=2)(coloured_video(14), expressions)
        calls.append(model.calls)
    assert calls[0] == calls[1] == {"video": 3, "text": 1, "frames": 18}


def test_expressions_in_batches_or_alone_give_the_same():
    video = coloured_video(14, confusing=(4,))
    expressions = ["red", "green", "blue"]
    together = deixis.Segmenter(ColourModel())(video, expressions)
    batched = deixis.Segmenter(ColourModel(), expression_batch=2)(video, expressions)
    for index, expression in enumerate(expressions):
        alone = deixis.Segmenter(ColourModel())(video, expression)
        np.testing.assert_array_equal(alone.masks(0), together.masks(index))
        np.testing.assert_array_equal(batched.masks(index), together.masks(index))


def test_the_referent_is_chosen_once_over_all_windows():
    # The window of frames 4 to 9 prefers another object; the demo's rule falls for it, linked windows do not.
    video = coloured_video(20, confusing=(4,))
    linked = deixis.Segmenter(ColourModel())(video, "red").masks()
    assert iou(linked, truth(video, 0)) > 0.6
    apart = WindowRule(length=6, overlap=2, is_linked=False)
    published = deixis.Segmenter(ColourModel(), windows=apart)(video, "red").masks()
    assert iou(published[:4], truth(video[:4], 0)) > 0.6
    assert iou(published[4:8], truth(video[4:8], 1)) > 0.5
    assert iou(published[8:], truth(video[8:], 0)) > 0.6


def test_one_window_is_the_models_own_procedure():
    video = coloured_video(6)
    model = ColourModel()
    segmenter = deixis.Segmenter(model, windows="whole")
    text = segmenter.engine.encode_expressions(["red"])
    frames = [torch.from_numpy(frame).permute(2, 0, 1) for frame in video]
    from deixis.ops.resize import resize_frame

    small = [resize_frame(frame, 32, 64) for frame in frames]
    found = model.postprocess(model(segmenter.engine.encode_frames(small), text))
    logits = found.make_mask_logits(found.best[:, None])[0, :, 0]
    size = tuple(small[0].shape[-2:])
    expected = masks_at_size(logits, size, size, (64, 96))
    np.testing.assert_array_equal(segmenter(video, "red").masks(), expected.numpy())


def test_frames_without_the_object_are_empty_where_the_model_says_so():
    video = coloured_video(12)
    video[5:8, ..., 0] = 0
    always = deixis.Segmenter(ColourModel())(video, "red")
    inputs = InputSpec(
        short_side=32,
        long_side=64,
        mean=(0.0,) * 3,
        std=(1.0,) * 3,
        window_length=6,
        window_overlap=2,
        presence_threshold=0.5,
    )
    judged = deixis.Segmenter(ColourModel(StandInConfig(inputs=inputs)))(video, "red")
    assert judged.has_mask(0).tolist() == [not 5 <= index < 8 for index in range(12)]
    assert judged.presence[:, 0].tolist() == always.presence[:, 0].tolist()


def test_start_end_and_stride():
    video = coloured_video(20)
    prediction = deixis.segment(video, "red", model=ColourModel(), start="4f", end="16f", stride=3)
    assert [stamp.index for stamp in prediction.frames] == [4, 7, 10, 13]
    np.testing.assert_array_equal(
        prediction.masks(), deixis.segment(video[4:16:3], "red", model=ColourModel()).masks()
    )


def test_call_iterate_and_answers_agree():
    video = coloured_video(13, confusing=(4,))
    segmenter = deixis.Segmenter(ColourModel())
    prediction = segmenter(iter(video), EXPRESSIONS)
    for results in (segmenter.iterate(video, EXPRESSIONS), segmenter.answers(iter(video), EXPRESSIONS)):
        masks = [result.masks for result in results]
        np.testing.assert_array_equal(np.stack(masks, 1), [prediction.masks(0), prediction.masks(1)])
    for index, result in enumerate(segmenter.iterate(video, EXPRESSIONS)):
        np.testing.assert_array_equal(result.frame.image, video[index])


def test_an_iterator_cannot_be_shown_after_it_was_read():
    with pytest.raises(SourceError, match="use stream"):
        deixis.Segmenter(ColourModel()).iterate(iter(coloured_video(3)), "red")


def test_online_models_answer_frame_by_frame():
    video = coloured_video(9)
    segmenter = deixis.Segmenter(online_model())
    prediction = segmenter(video, EXPRESSIONS)
    assert iou(prediction.masks(1), truth(video, 2)) > 0.6
    np.testing.assert_allclose(prediction.scores[:, 0], [n / (n + 1) for n in range(1, 10)])
    streamed = [result.masks for result in segmenter.iterate(iter(video), EXPRESSIONS)]
    np.testing.assert_array_equal(np.stack(streamed)[:, 1], prediction.masks(1))
    assert segmenter.model.calls["video"] == 18


def test_ready_token_ids_need_no_tokenizer():
    video = coloured_video(4)
    model = ColourModel()
    model.tokenizer = None
    segmenter = deixis.Segmenter(model)
    with pytest.raises(ExpressionError, match="without a tokenizer"):
        segmenter(video, "blue")
    tokens = Tokens(torch.tensor([[3]]), torch.tensor([[False]]))
    assert iou(segmenter(video, "blue", tokens=tokens).masks(), truth(video, 2)) > 0.6


def test_progress_is_told():
    told = []
    deixis.Segmenter(ColourModel())(coloured_video(10), "red", progress=lambda *what: told.append(what))
    assert told == [("look", 6), ("look", 10)] + [("masks", done) for done in range(1, 11)]


def test_bfloat16_runs_and_says_so():
    segmenter = deixis.Segmenter(ColourModel(), dtype="bfloat16")
    video = coloured_video(6)
    prediction = segmenter(video, "red")
    assert iou(prediction.masks(), truth(video, 0)) > 0.6
    assert prediction.information["dtype"] == "bfloat16"


@pytest.mark.parametrize(
    ("expressions", "message"),
    [
        ([], "at least one expression"),
        ([""], "empty"),
        (["  \n "], "empty"),
        (["dog " * 10_000], "10,000 words"),
        (["a dog\x07"], r"U\+0007"),
    ],
)
def test_expressions_that_are_none(expressions, message):
    def untouched():
        raise AssertionError("no frame may be read")
        yield

    with pytest.raises(ExpressionError, match=message):
        deixis.Segmenter(ColourModel())(untouched(), expressions)


def test_expressions_that_are_not_strings():
    # Under the tests' own checking of types it is that which refuses.
    with pytest.raises((ExpressionError, TypeError), match=r"must be a string|type"):
        deixis.Segmenter(ColourModel())(coloured_video(3), [3])


@pytest.mark.parametrize("expression", ["красный квадрат", "红色的方块", "المربع الأحمر", "🟥 red"])
def test_other_scripts_are_sentences_too(expression):
    assert len(deixis.Segmenter(ColourModel())(coloured_video(3), expression)) == 3


def test_devices_and_types_that_are_not_there(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(DeviceError, match="cuda"):
        deixis.Segmenter(ColourModel(), device="cuda")
    with pytest.raises(ValueError, match="float32, bfloat16"):
        deixis.Segmenter(ColourModel(), dtype="int8")


def test_unknown_models_and_rules_offer_the_closest():
    with pytest.raises(UnknownNameError, match="mttr"):
        deixis.Segmenter("mtr-tiny-syntetic")
    with pytest.raises(UnknownNameError, match="did you mean whole"):
        deixis.Segmenter(ColourModel(), windows="whol")
    with pytest.raises(ValueError, match="goes with a model's name"):
        deixis.Segmenter(ColourModel(), checkpoint="weights.pth")
    with pytest.raises(ValueError, match="at least 1"):
        deixis.Segmenter(ColourModel(), num_candidates=0)


def test_lack_of_memory_says_what_to_make_smaller(monkeypatch):
    model = ColourModel()

    def too_much(_):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(model, "encode_video", too_much)
    with pytest.raises(DeviceError, match="no memory left for 3 frames"):
        deixis.Segmenter(model)(coloured_video(3), "red")
