import numpy as np
import pytest

import deixis
from deixis.errors import SourceError
from stand_ins import ColourModel, coloured_video

EXPRESSIONS = ["the red square", "the blue one"]


@pytest.fixture
def prediction():
    return deixis.segment(coloured_video(8), EXPRESSIONS, model=ColourModel())


def test_masks_by_place_by_text_and_by_frame(prediction):
    masks = prediction.masks("the blue one")
    assert masks.shape == (8, 64, 96)
    assert masks.dtype == np.bool_
    np.testing.assert_array_equal(masks, prediction.masks(1))
    np.testing.assert_array_equal(masks, prediction.masks(-1))
    np.testing.assert_array_equal(prediction[3].masks[1], masks[3])
    np.testing.assert_array_equal(prediction[-1].masks[1], masks[7])
    assert [frame.stamp.index for frame in prediction[2:5]] == [2, 3, 4]
    assert len(list(prediction)) == 8
    assert prediction.scores.shape == prediction.presence.shape == (8, 2)


def test_unknown_expressions_are_named(prediction):
    with pytest.raises(ValueError, match="no expression 'a dog'; there are"):
        prediction.masks("a dog")
    with pytest.raises(ValueError, match="no expression 2"):
        prediction.masks(2)


def test_it_says_what_made_it(prediction):
    information = prediction.information
    assert len(information["weights"]) == 64
    assert information["versions"]["deixis"] == deixis.__version__
    assert information["device"] == "cpu"
    assert information["expressions"] == EXPRESSIONS


def test_the_hash_of_weights_is_of_their_values():
    from deixis.inference.record import weights_hash

    model = ColourModel()
    before = weights_hash(model)
    assert before == weights_hash(ColourModel())
    model.scale.data += 1
    assert before != weights_hash(model)


def test_frames_can_be_read_again_unless_they_came_from_an_iterator(prediction):
    video = coloured_video(8)
    for index, result in enumerate(prediction.results()):
        np.testing.assert_array_equal(result.frame.image, video[index])
    once = deixis.segment(iter(video), EXPRESSIONS, model=ColourModel())
    with pytest.raises(SourceError, match=r"Segmenter\.stream"):
        next(once.results())
