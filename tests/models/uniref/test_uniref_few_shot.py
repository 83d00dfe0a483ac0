"""Few-shot segmentation by UniRef; with published parameters it is checked by the golden of images."""

import pytest
import torch
from test_uniref_model import HEIGHT, WIDTH, clip, rectangles

from deixis.models.base import ExampleModel
from deixis.models.uniref.config import VARIANTS
from deixis.structures import Clip
from tiny_uniref import TINY, shaken


@pytest.fixture(scope="module")
def model():
    return shaken()


def asked(model, examples, masks, frame):
    with torch.inference_mode():
        reference = model.learn_examples(examples, masks)
        found = model.find_alike(model.encode_video(frame), reference)
    assert found.mask_logits.shape == (1, HEIGHT // 4, WIDTH // 4)
    assert 0 <= float(found.scores) <= 1
    return found


def test_the_same_example_twice_says_as_much_as_once(model):
    frame, example, mask = clip(seed=1), clip(seed=2), rectangles(1)
    twice = Clip(example.frames.repeat(2, 1, 1, 1, 1), example.padding_mask.repeat(2, 1, 1, 1))
    once, again = asked(model, example, mask, frame), asked(model, twice, mask.repeat(2, 1, 1), frame)
    torch.testing.assert_close(again.mask_logits, once.mask_logits, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(again.scores, once.scores)


def test_masks_and_further_examples_matter_and_their_order_does_not(model):
    frame, examples, masks = clip(seed=1), clip(b=2, seed=2), rectangles(2)
    both = asked(model, examples, masks, frame)
    flipped = Clip(examples.frames.flip(0), examples.padding_mask.flip(0))
    torch.testing.assert_close(
        asked(model, flipped, masks.flip(0), frame).mask_logits, both.mask_logits, rtol=1e-4, atol=1e-4
    )
    first = Clip(examples.frames[:1], examples.padding_mask[:1])
    assert not torch.allclose(asked(model, first, masks[:1], frame).mask_logits, both.mask_logits, atol=1e-4)
    assert not torch.allclose(asked(model, examples, ~masks, frame).mask_logits, both.mask_logits, atol=1e-4)


def test_the_best_query_is_the_answer(model):
    frame, example = clip(seed=1), clip(seed=2)
    with torch.inference_mode():
        reference = model.learn_examples(example, rectangles(1))
        video = model.encode_video(frame)
        found, output = model.find_alike(video, reference), model(video, None, masks=reference)
        every = output.mask_logits()
    best = int(output.scores[0, 0].argmax())
    torch.testing.assert_close(found.mask_logits[0], every[0, 0, best], rtol=1e-3, atol=1e-3)
    assert float(found.scores) == float(output.scores.max())


def test_sizes_are_those_of_the_published_code_or_the_models_own(model):
    assert isinstance(model, ExampleModel)
    assert (model.example_inputs.short_side, model.example_inputs.long_side) == (480, 1333)
    for name in ("uniref-plus-resnet50", "uniref-plus-swin-l-images"):
        inputs = VARIANTS[name].example_inputs
        assert (inputs.short_side, inputs.long_side, inputs.mask_resize) == (480, 768, "cropped")
    inputs = VARIANTS["uniref-tiny-synthetic"].example_inputs
    assert (inputs.short_side, inputs.long_side) == (128, 256)


def test_one_mask_an_example(model):
    with pytest.raises(ValueError, match="a mask each"):
        model.learn_examples(clip(b=2), rectangles(1))
    with pytest.raises(ValueError, match="example_sides"):
        type(TINY)(example_sides=(480, 320))
