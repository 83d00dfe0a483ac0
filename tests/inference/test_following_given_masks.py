from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import deixis
from deixis.errors import MaskError, SourceError, UnknownNameError
from deixis.inference.following import Follower
from deixis.inference.given import describe_given, place_given, read_given
from deixis.propagators.base import ObjectMasks
from deixis.propagators.copying import CopyPropagator
from deixis.video.frames import Frame, Source
from deixis.video.sources import open_source
from small_propagators import small_propagator
from stand_ins import coloured_video

T = 9
VIDEO = coloured_video(T)


def labels(index, ids=(1, 2)):
    """A label map of the red and the green square."""
    found = np.zeros(VIDEO.shape[1:3], np.uint8)
    for channel, number in enumerate(ids):
        if number:
            found[VIDEO[index, ..., channel] > 127] = number
    return found


def truth(channel):
    return VIDEO[..., channel] > 127


def open_frame(height):
    return Frame(0, 0.0, "00000", VIDEO[0, :height])


def write(path: Path, values) -> Path:
    Image.fromarray(values).save(path)
    return path


def test_without_a_name_the_network_that_ships_follows():
    prediction = deixis.segment(VIDEO, masks=labels(0))
    assert prediction.information["propagator"] == "stcn-tiny-synthetic-bounded"
    found, wanted = prediction.masks("object 1"), truth(0)
    assert (found & wanted).sum() / (found | wanted).sum() > 0.6


def test_the_objects_of_the_first_frame_are_followed(tmp_path: Path):
    path = write(tmp_path / "first_frame.png", labels(0, (7, 3)))
    prediction = deixis.segment(VIDEO, propagator="translation", masks=path)
    assert prediction.expressions == ("object 3", "object 7") and prediction.object_ids == (3, 7)
    np.testing.assert_array_equal(prediction.masks("object 7"), truth(0))
    np.testing.assert_array_equal(prediction.masks("object 3"), truth(1))
    assert prediction.information["propagator"] == "translation"
    assert prediction.information["masks"]["frames"] == {"first": [3, 7]}
    prediction.save(tmp_path / "out", ["masks"])
    picture = np.array(Image.open(tmp_path / "out" / "masks" / "00008.png"))
    np.testing.assert_array_equal(picture, labels(8, (7, 3)))


def separate(index):
    return np.stack([labels(index) == 1, labels(index) == 2])


@pytest.mark.parametrize(
    "given",
    [
        labels(4),
        torch.from_numpy(labels(4).astype(np.int64)),
        separate(4),
        ObjectMasks((1, 2), torch.from_numpy(separate(4))),
    ],
)
def test_from_any_frame_in_both_directions(given):
    prediction = Follower("translation")(VIDEO, {4: given})
    for place, channel in enumerate((0, 1)):
        np.testing.assert_array_equal(prediction.masks(place), truth(channel))
    assert prediction.presence.min() == 1
    forward = Follower("translation")(VIDEO, {4: given}, ways="forward")
    assert not forward.masks(0)[:4].any()
    np.testing.assert_array_equal(forward.masks(0)[4:], truth(0)[4:])


def test_objects_of_several_frames_join_and_are_corrected():
    """One object is given in two frames, another in the second alone: copies show what came from where."""
    both = Follower(CopyPropagator())(VIDEO, {2: labels(2, (1, 0)), 6: labels(6)})
    one, two = both.masks(0), both.masks(1)
    for index in range(T):
        anchor = 2 if index < 6 else 6
        np.testing.assert_array_equal(one[index], labels(anchor) == 1)
        np.testing.assert_array_equal(two[index], labels(6) == 2)
    forward = Follower(CopyPropagator())(VIDEO, {2: labels(2, (1, 0)), 6: labels(6)}, ways="forward")
    assert not forward.masks(0)[:2].any() and not forward.masks(1)[:6].any()
    np.testing.assert_array_equal(forward.presence[:, 1], [0] * 6 + [1] * 3)


def test_backward_gives_way_to_forward_where_they_meet():
    later = labels(5, (0, 2))
    later[labels(0, (1, 0)) > 0] = 2
    found = Follower(CopyPropagator())(VIDEO, {0: labels(0, (1, 0)), 5: later})
    np.testing.assert_array_equal(found.masks(0)[0], labels(0) == 1)
    np.testing.assert_array_equal(found.masks(1)[0], (later == 2) & (labels(0) != 1))


def test_a_stream_is_read_once_and_the_rest_is_told(tmp_path: Path):
    found = Follower("translation")(iter(VIDEO), labels(0))
    np.testing.assert_array_equal(found.masks(0), truth(0))
    with pytest.raises(MaskError, match="read only once"):
        Follower("translation")(iter(VIDEO), {3: labels(3)})


def test_progress_and_laziness():
    told = []
    source = open_source(VIDEO)
    results = Follower("translation").iterate(source, {5: labels(5)}, progress=lambda *one: told.append(one))
    assert told == []
    next(results)
    assert told[:6] == [("propagate backward", index) for index in range(1, 7)]
    assert sum(1 for _ in results) == T - 1 and told[-1] == ("propagate", T)


def test_a_folder_of_masks_called_after_frames(tmp_path: Path):
    (tmp_path / "given").mkdir()
    for index in (1, 6):
        write(tmp_path / "given" / f"{index:05d}.png", labels(index))
    write(tmp_path / "given" / "00003.png", np.zeros_like(labels(0)))  # says nothing
    given = read_given(tmp_path / "given")
    assert list(given) == ["00001", "00006"]
    assert list(place_given(given, open_source(VIDEO))) == [1, 6]
    assert list(place_given(given, open_source(VIDEO, start="1f", stride=5))) == [0, 1]
    with pytest.raises(MaskError, match=r"00001.png is for frame 00001.*\(00000 to 00008\)"):
        place_given(given, open_source(VIDEO, stride=2))
    assert describe_given(given)["frames"] == {"00001": [1, 2], "00006": [1, 2]}
    assert describe_given(given) == describe_given(read_given(tmp_path / "given"))
    single = read_given(tmp_path / "given" / "00006.png")
    assert list(place_given(single, open_source(VIDEO))) == [6]


def test_names_of_frames_that_are_no_numbers(tmp_path: Path):
    folder = tmp_path / "frames"
    folder.mkdir()
    for index in range(3):
        write(folder / f"shot-{index + 1}.png", VIDEO[index])
    source = open_source(folder)
    assert list(place_given(read_given({"shot-2": labels(1)}), source)) == [1]
    assert list(place_given(read_given({"2": labels(1), 0: labels(0)}), source)) == [0, 2]
    with pytest.raises(MaskError, match="are for one frame"):
        place_given(read_given({"shot-2": labels(1), 1: labels(1)}), source)


def test_black_and_white_masks_and_void():
    white = np.where(labels(0) == 1, 255, 0).astype(np.uint8)
    assert read_given(white)[None].masks.ids == (1,)
    assert read_given(labels(0) == 1)[None].masks.ids == (1,)
    mixed = labels(0)
    mixed[-1] = 255
    assert read_given(mixed)[None].masks.ids == (1, 2)


def test_what_cannot_be_followed_is_told_in_a_line(tmp_path: Path):
    empty = np.zeros((64, 96), np.uint8)
    with pytest.raises(MaskError, match=r"empty.png shows no object: every pixel is 0"):
        read_given(write(tmp_path / "empty.png", empty))
    with pytest.raises(MaskError, match=r"holds no \.png"):
        (tmp_path / "nothing").mkdir()
        read_given(tmp_path / "nothing")
    with pytest.raises(MaskError, match="there is no mask"):
        read_given(tmp_path / "absent.png")
    with pytest.raises(MaskError, match="stores colours"):
        read_given(write(tmp_path / "colours.png", VIDEO[0]))
    smooth = np.arange(64 * 96, dtype=np.int64).reshape(64, 96) % 200
    with pytest.raises(MaskError, match=r"199 different ids.*antialiasing"):
        read_given(smooth)
    with pytest.raises(MaskError, match="id -1"):
        read_given(empty.astype(np.int64) - 1)
    with pytest.raises(MaskError, match="give ids as integers"):
        read_given(empty.astype(np.float32))
    small = write(tmp_path / "small.png", labels(0)[:32])
    with pytest.raises(MaskError, match=r"small.png is 96x32, but the frames are 96x64"):
        Follower("translation")(VIDEO, small)
    with pytest.raises(MaskError, match="is 96x32"):
        Follower("translation")(VIDEO, {5: small})
    with pytest.raises(MaskError, match="for frame 99, which is not among"):
        Follower("translation")(VIDEO, {99: labels(0)})
    with pytest.raises(SourceError, match="gave no frame"):
        Follower("translation")(iter([]), labels(0))
    with pytest.raises(ValueError, match="one size"):
        Follower("translation")(
            Source("x", None, None, None, lambda: map(open_frame, (64, 64, 32))), labels(0)
        )
    with pytest.raises(ValueError, match="give expressions or masks"):
        deixis.segment(VIDEO)
    with pytest.raises(ValueError, match="ways must be"):
        Follower("translation").iterate(open_source(VIDEO), labels(0), ways="backward")
    with pytest.raises(ValueError, match="goes with a propagator's name"):
        Follower(CopyPropagator(), checkpoint="stcn.pth")
    with pytest.raises(UnknownNameError, match="translation"):
        Follower("transltion")


@pytest.mark.parametrize("name", ["stcn", "uniref"])
def test_networks_follow_too(name):
    follower = Follower(small_propagator(name))
    found = follower(VIDEO[:4], {1: labels(1)})
    np.testing.assert_array_equal(found.masks(0)[1], labels(1) == 1)
    assert len(found.information["weights"]) == 64
    again = follower(VIDEO[:4], {1: labels(1)})
    assert again.counts == found.counts
