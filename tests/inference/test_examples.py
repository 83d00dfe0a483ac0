import numpy as np
import pytest
import torch
from PIL import Image

import deixis
from deixis.errors import MaskError, SourceError
from deixis.inference.examples import NAME, Finder, read_examples
from stand_ins import AlikeModel, ColourModel, coloured_video

VIDEO = coloured_video(6)


def thing(channel, index=0):
    """A frame and the mask of the square of a colour in it."""
    return VIDEO[index], VIDEO[index, ..., channel] > 127


@pytest.fixture
def finder():
    return Finder(AlikeModel(), device="cpu")


def overlap(found, wanted):
    return (found & wanted).sum() / (found | wanted).sum()


@pytest.mark.parametrize("channel", [0, 1])
def test_what_examples_show_is_found_in_every_frame(finder, channel):
    prediction = finder(VIDEO, [thing(channel, 0), thing(channel, 4)])
    assert prediction.expressions == (NAME,) and len(prediction) == 6
    assert overlap(prediction.masks(), VIDEO[..., channel] > 127) > 0.8
    assert prediction.scores.tolist() == [[pytest.approx(0.7)]] * 6


def test_examples_are_looked_at_once(finder):
    finder(VIDEO, [thing(0)])
    assert finder.model.num_looks == 1
    learned = finder.learn([thing(0)])
    for image in VIDEO[:3]:
        finder.find(image, learned)
    assert finder.model.num_looks == 2


def test_examples_may_have_different_sizes(finder):
    image, mask = thing(0)
    wide = np.concatenate([image, image], axis=1), np.concatenate([mask, mask], axis=1)
    found = finder([VIDEO[3]], [thing(0), wide])
    assert overlap(found.masks(), VIDEO[3:4, ..., 0] > 127) > 0.8


def test_too_low_a_score_leaves_the_mask_empty():
    model = AlikeModel()
    assert Finder(model, device="cpu", min_score=0.6)([VIDEO[0]], [thing(0)]).masks().any()
    assert not Finder(model, device="cpu", min_score=0.8)([VIDEO[0]], [thing(0)]).masks().any()
    with pytest.raises(ValueError, match="min_score"):
        Finder(model, min_score=2)


def test_files_say_the_same_as_arrays(finder, tmp_path):
    image, mask = thing(1)
    Image.fromarray(np.ascontiguousarray(image)).save(tmp_path / "a.png")
    white = mask.astype(np.uint8) * 255
    Image.fromarray(white).save(tmp_path / "grey.png")
    Image.fromarray(white).convert("RGB").save(tmp_path / "colours.png")
    Image.fromarray(np.where(mask, 7, 0).astype(np.uint8)).save(tmp_path / "ids.png")
    void = np.where(mask, 7, 0).astype(np.uint8)
    void[0] = 255
    Image.fromarray(void).save(tmp_path / "void.png")
    expected = finder.learn([(image, mask)])
    for name in ("grey", "colours", "ids", "void"):
        learned = finder.learn({tmp_path / "a.png": tmp_path / f"{name}.png"})
        assert learned.description["sha256"] == expected.description["sha256"]
        assert learned.description["images"] == [str(tmp_path / "a.png")]
    assert finder.learn([(image, torch.from_numpy(mask))]).description == expected.description
    assert finder.describe([(image, mask)]) == finder.describe(expected)
    other = finder.learn([thing(0)])
    assert other.description["sha256"] != expected.description["sha256"]


def test_examples_that_cannot_be_used(finder, tmp_path):
    image, mask = thing(0)
    Image.fromarray((np.arange(mask.size) % 5).astype(np.uint8).reshape(mask.shape)).save(
        tmp_path / "many.png"
    )
    (tmp_path / "no.png").write_bytes(b"nothing")
    for wrong, message in [
        (mask[:-1], "is 96x63, but the image is 96x64"),
        (np.zeros_like(mask), "empty; paint"),
        (mask.astype(np.float32), "float32"),
        (tmp_path / "many.png", "shows 4 ids"),
        (tmp_path / "absent.png", "there is no mask"),
        (tmp_path / "no.png", "cannot be read as a mask"),
    ]:
        with pytest.raises(MaskError, match=message):
            read_examples([(image, wrong)])
    with pytest.raises(SourceError, match="several frames"):
        read_examples([(_folder(tmp_path), mask)])
    with pytest.raises(ValueError, match="no examples"):
        finder(VIDEO, {})
    with pytest.raises(ValueError, match="is no example"):
        read_examples("a.png")


def _folder(tmp_path):
    folder = tmp_path / "frames"
    folder.mkdir()
    for index in range(2):
        Image.fromarray(np.ascontiguousarray(VIDEO[index])).save(folder / f"{index}.png")
    return folder


def test_a_model_that_takes_no_examples():
    with pytest.raises(ValueError, match="takes no examples; name a UniRef"):
        deixis.Finder(ColourModel())


def test_in_one_call_examples_stand_alone():
    prediction = deixis.segment([VIDEO[2]], examples=[thing(0)], model=AlikeModel(), device="cpu")
    assert overlap(prediction.masks(), VIDEO[2:3, ..., 0] > 127) > 0.8
    with pytest.raises(ValueError, match="examples alone"):
        deixis.segment(VIDEO, "red", examples=[thing(0)], model=AlikeModel())
    with pytest.raises(ValueError, match="expressions or masks, or examples"):
        deixis.segment(VIDEO)
