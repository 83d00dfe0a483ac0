import io

import pytest
import torch

from deixis import propagators
from deixis.errors import CheckpointError, UnknownNameError
from deixis.propagators.base import ObjectMasks, PropagatedMasks, Propagator
from deixis.propagators.states import pack_state, unpack_state
from deixis.propagators.translation import TranslationPropagator
from small_propagators import NAMES, small_propagator
from stand_ins import coloured_video

SIZE = (64, 96)


@pytest.fixture(scope="module", params=NAMES)
def propagator(request):
    return small_propagator(request.param)


def frames(num_frames=8):
    return torch.from_numpy(coloured_video(num_frames)).permute(0, 3, 1, 2)


def squares(index=0, channels=(0, 1)):
    return torch.stack([frames(index + 1)[index, channel] > 127 for channel in channels])


def test_names():
    with pytest.raises(UnknownNameError, match="translation"):
        propagators.build("translaton")
    with pytest.raises(CheckpointError, match="without weights"):
        propagators.build("stcn")
    with pytest.raises(CheckpointError, match="has no weights"):
        propagators.build("copy", "stcn.pth")
    with pytest.raises(CheckpointError, match="no checkpoint file"):
        propagators.build("stcn", "absent.pth")


def test_it_keeps_the_contract(propagator):
    assert isinstance(propagator, Propagator)
    first, second, *_ = frames()
    found, state = propagator.step(first, propagator.start(), ObjectMasks((3, 1), squares()))
    assert torch.equal(found.masks[[found.ids.index(3), found.ids.index(1)]], squares())
    again, _ = propagator.step(second, state)
    assert again.ids == found.ids and again.probabilities.shape == (2, *SIZE)
    assert again.presence.shape == (2,) and ((again.presence >= 0) & (again.presence <= 1)).all()
    assert (again.probabilities.sum(0) <= 1 + 1e-6).all()
    # A state is a value: stepping from it twice gives the same twice.
    assert torch.equal(propagator.step(second, state)[0].probabilities, again.probabilities)


def test_objects_may_join_and_be_corrected(propagator):
    images = frames()
    _, state = propagator.step(images[0], propagator.start(), ObjectMasks((1,), squares()[:1]))
    joined, state = propagator.step(images[1], state, ObjectMasks((2,), squares(1)[1:]))
    assert sorted(joined.ids) == [1, 2]
    corrected, state = propagator.step(images[2], state, ObjectMasks((1,), squares(2)[:1]))
    assert torch.equal(corrected.masks[corrected.ids.index(1)], squares(2)[0])
    assert sorted(propagator.step(images[3], state)[0].ids) == [1, 2]


def test_where_given_masks_overlap_each_pixel_has_one_owner(propagator):
    masks = torch.zeros(2, *SIZE, dtype=torch.bool)
    masks[0, 8:24, 16:32] = True
    masks[1, 12:30, 20:40] = True
    found, _ = propagator.step(frames()[0], propagator.start(), ObjectMasks((1, 2), masks))
    assert (found.masks.sum(0) <= 1).all()
    assert torch.equal(found.masks.any(0), masks.any(0))


def test_without_objects_nothing_is_found(propagator):
    images = frames()
    nothing, state = propagator.step(images[0], propagator.start())
    assert nothing.ids == () and nothing.masks.shape == (0, *SIZE) and nothing.presence.shape == (0,)
    none = ObjectMasks((), torch.zeros(0, *SIZE, dtype=torch.bool))
    assert propagator.step(images[1], state, none)[0].ids == ()
    _, state = propagator.step(images[1], state, ObjectMasks((4,), squares(1)[:1]))
    state = propagator.drop(state, (4,))
    assert propagator.step(images[2], state)[0].ids == ()
    found, _ = propagator.step(images[2], state, ObjectMasks((4,), squares(2)[:1]))
    assert torch.equal(found.masks, squares(2)[:1])


def test_a_dropped_object_takes_no_more_part(propagator):
    images = frames()
    _, alone = propagator.step(images[0], propagator.start(), ObjectMasks((1,), squares()[:1]))
    _, both = propagator.step(images[0], propagator.start(), ObjectMasks((1, 2), squares()))
    kept = propagator.drop(both, (2,))
    found, _ = propagator.step(images[1], kept)
    expected, _ = propagator.step(images[1], alone)
    assert found.ids == (1,)
    # What STCN remembers of an object was told where the others were.
    torch.testing.assert_close(found.probabilities, expected.probabilities, atol=1e-2, rtol=0)
    assert propagator.step(images[1], both)[0].ids == (1, 2)  # the state before is what it was
    with pytest.raises(ValueError, match="no object 7 to drop; followed are: 1, 2"):
        propagator.drop(both, (7,))


def test_the_first_object_may_be_dropped_and_come_back(propagator):
    images = frames()
    _, state = propagator.step(images[0], propagator.start(), ObjectMasks((5,), squares()[:1]))
    _, state = propagator.step(images[1], state, ObjectMasks((2,), squares(1)[1:]))
    _, state = propagator.step(images[2], state)
    state = propagator.drop(state, (5,))
    found, state = propagator.step(images[3], state)
    assert found.ids == (2,)
    found, state = propagator.step(images[4], state, ObjectMasks((5,), squares(4)[:1]))
    assert sorted(found.ids) == [2, 5]
    assert torch.equal(found.masks[found.ids.index(5)], squares(4)[0])
    assert sorted(propagator.step(images[5], state)[0].ids) == [2, 5]


def test_an_object_may_be_out_of_sight(propagator):
    images = frames(3)
    _, state = propagator.step(images[0], propagator.start(), ObjectMasks((1, 2), squares()))
    _, state = propagator.step(torch.zeros_like(images[1]), state)
    found, _ = propagator.step(images[2], state)
    assert set(found.ids) == {1, 2} and found.probabilities.isfinite().all()


def test_twenty_objects(propagator):
    masks = torch.zeros(20, *SIZE, dtype=torch.bool)
    for index in range(20):
        masks[
            index, 16 * (index // 5) + 2 : 16 * (index // 5) + 14, 16 * (index % 5) : 16 * (index % 5) + 12
        ] = 1
    ids = tuple(range(1, 21))
    images = frames()
    found, state = propagator.step(images[0], propagator.start(), ObjectMasks(ids, masks))
    assert torch.equal(found.masks, masks)
    found, state = propagator.step(images[1], state)
    assert found.ids == ids and (found.masks.sum(dim=0) <= 1).all()
    assert propagator.step(images[2], propagator.drop(state, ids[3:]))[0].ids == ids[:3]


def test_a_saved_state_goes_on_bit_for_bit(propagator):
    images = frames()
    _, state = propagator.step(images[0], propagator.start(), ObjectMasks((3, 1), squares()))
    _, state = propagator.step(images[1], state)
    file = io.BytesIO()
    torch.save(pack_state(state), file)
    loaded = unpack_state(torch.load(io.BytesIO(file.getvalue()), weights_only=True), propagator)
    for index in (2, 3):
        expected, state = propagator.step(images[index], state)
        found, loaded = propagator.step(images[index], loaded)
        assert found.ids == expected.ids and torch.equal(found.probabilities, expected.probabilities)
    with pytest.raises(ValueError, match="no state of"):
        unpack_state({"something": 1}, propagator)


def test_only_tensors_and_plain_values_are_saved():
    with pytest.raises(TypeError, match="cannot hold a module"):
        pack_state((1, {"a": torch}))
    whole = torch.arange(1000)
    assert pack_state((whole[:2], whole))[0].untyped_storage().nbytes() == 16


def test_breaches_are_said(propagator):
    image = frames()[0]
    _, state = propagator.step(image, propagator.start(), ObjectMasks((1,), squares()[:1]))
    with pytest.raises(ValueError, match="one size"):
        propagator.step(image[:, :32], state)
    with pytest.raises(ValueError, match="for a frame of"):
        propagator.step(image, state, ObjectMasks((1,), squares()[:1, :32]))
    with pytest.raises(ValueError, match="positive"):
        ObjectMasks((0,), squares()[:1])
    with pytest.raises(ValueError, match="each once"):
        ObjectMasks((1, 1), squares())


def test_the_background_wins_ties():
    half = torch.full((2, 1, 2), 0.25)
    half[0, 0, 0], half[1, 0, 1] = 0.5, 0.6
    masks = PropagatedMasks((1, 2), half, torch.ones(2)).masks
    assert masks.tolist() == [[[True, False]], [[False, True]]]
    even = torch.tensor([[[0.5]]])
    assert not PropagatedMasks((1,), even, torch.ones(1)).masks.any()


def test_translation_follows_what_moves_and_leaves():
    """The square runs out of the frame to the right, two pixels a frame, and is gone."""
    video = torch.zeros(24, 3, 40, 60, dtype=torch.uint8)
    generator = torch.Generator().manual_seed(0)
    texture = torch.randint(60, 255, (3, 12, 12), generator=generator, dtype=torch.uint8)
    truth = torch.zeros(24, 40, 60, dtype=torch.bool)
    for index in range(24):
        left = 30 + 2 * index
        width = max(min(12, 60 - left), 0)
        video[index, :, 10:22, left : left + width] = texture[:, :, :width]
        truth[index, 10:22, left : left + width] = True
    propagator = TranslationPropagator(radius=4)
    _, state = propagator.step(video[0], propagator.start(), ObjectMasks((1,), truth[:1]))
    for index in range(1, 24):
        found, state = propagator.step(video[index], state)
        if truth[index].sum() >= 0.25 * truth[0].sum():
            assert torch.equal(found.masks[0], truth[index]), index
    assert found.masks.sum() < truth[0].sum() / 2


def test_translation_finds_what_comes_back():
    """The square leaves by the right side for three frames, and comes back there."""
    lefts = [40, 46, 52, 58, 64, 64, 64, 58, 52, 46, 40]
    generator = torch.Generator().manual_seed(0)
    texture = torch.randint(60, 255, (3, 12, 12), generator=generator, dtype=torch.uint8)
    video = torch.zeros(len(lefts), 3, 40, 60, dtype=torch.uint8)
    truth = torch.zeros(len(lefts), 40, 60, dtype=torch.bool)
    for index, left in enumerate(lefts):
        width = max(min(12, 60 - left), 0)
        video[index, :, 10:22, left : left + width] = texture[:, :, :width]
        truth[index, 10:22, left : left + width] = True
    propagator = TranslationPropagator(radius=12)
    _, state = propagator.step(video[0], propagator.start(), ObjectMasks((1,), truth[:1]))
    for index in range(1, len(lefts)):
        found, state = propagator.step(video[index], state)
        if truth[index].sum() >= 0.25 * truth[0].sum():
            assert torch.equal(found.masks[0], truth[index]), index


def test_translation_needs_something_to_follow():
    propagator = TranslationPropagator()
    with pytest.raises(ValueError, match="is empty"):
        propagator.step(
            frames()[0], propagator.start(), ObjectMasks((1,), torch.zeros(1, *SIZE, dtype=torch.bool))
        )
    with pytest.raises(ValueError, match="radius"):
        TranslationPropagator(radius=0)
