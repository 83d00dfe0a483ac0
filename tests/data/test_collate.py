from dataclasses import replace

import numpy as np
import pytest
import torch

from deixis.data.clips import Sample
from deixis.data.collate import collate
from deixis.structures import Tokens

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def tokenize(expressions):
    ids = torch.tensor([[len(expression), 1] for expression in expressions])
    return Tokens(ids, torch.zeros_like(ids, dtype=torch.bool))


def sample(t, height, width, num_objects, expressions, annotated=None):
    generator = np.random.default_rng(t)
    k = t if annotated is None else len(annotated)
    return Sample(
        frames=generator.integers(0, 256, (t, height, width, 3), dtype=np.uint8),
        masks=generator.random((num_objects, k, height, width)) > 0.5,
        annotated_frames=annotated,
        expressions=expressions,
        referents=tuple((index % num_objects,) for index in range(len(expressions))),
    )


@pytest.mark.parametrize("channels_last", [False, True])
def test_a_batch_holds_each_clip_in_its_corner_and_zeros_beyond(channels_last):
    one, two = sample(4, 6, 8, 2, ("a", "bb", "ccc")), sample(3, 7, 5, 1, ("dddd",))
    batch = collate([one, two], tokenize).normalised(MEAN, STD, channels_last=channels_last)
    assert batch.clip.frames.shape == (2, 4, 3, 7, 8)
    for index, clip in enumerate((one, two)):
        t, height, width = clip.frames.shape[:3]
        expected = (torch.from_numpy(clip.frames) / 255 - torch.tensor(MEAN)) / torch.tensor(STD)
        corner = batch.clip.frames[index, :t, :, :height, :width]
        torch.testing.assert_close(corner, expected.permute(0, 3, 1, 2), rtol=1e-5, atol=1e-5)
        inside = torch.zeros(4, 7, 8, dtype=torch.bool)
        inside[:t, :height, :width] = True
        assert torch.equal(batch.clip.padding_mask[index], ~inside)
        assert batch.clip.frames[index].permute(0, 2, 3, 1)[~inside].abs().max() == 0
    flat = batch.clip.frames.flatten(0, 1)
    assert flat.is_contiguous(memory_format=torch.channels_last) == channels_last


def test_expressions_know_their_clip_and_share_its_masks():
    one, two = sample(4, 6, 8, 2, ("a", "bb", "ccc")), sample(3, 7, 5, 1, ("dddd",))
    batch = collate([one, two], tokenize).normalised(MEAN, STD)
    assert batch.video_index.tolist() == [0, 0, 0, 1]
    assert batch.tokens.ids[:, 0].tolist() == [1, 2, 3, 4]
    assert [target.referents for target in batch.targets] == [(0,), (1,), (0,), (0,)]
    assert batch.targets[0].masks is batch.targets[2].masks
    assert batch.targets[0].masks.shape == (2, 4, 7, 8)
    np.testing.assert_array_equal(batch.targets[3].masks[:, :3, :7, :5].numpy(), two.masks)
    assert not batch.targets[3].masks[:, 3:].any()


def test_annotated_frames_are_one_choice_for_the_batch():
    clips = [sample(4, 6, 8, 2, ("a",), annotated=(2,)) for _ in range(2)]
    batch = collate(clips, tokenize).normalised(MEAN, STD)
    assert batch.clip.annotated_frames == (2,)
    assert batch.targets[0].masks.shape == (2, 1, 6, 8)
    with pytest.raises(ValueError, match="same annotated positions"):
        collate([clips[0], sample(4, 6, 8, 2, ("a",), annotated=(1,))], tokenize)


def test_a_clip_without_objects_has_targets_without_masks():
    empty = Sample(np.zeros((2, 4, 4, 3), np.uint8), np.zeros((0, 2, 4, 4), bool), None, ("nothing",), ((),))
    (target,) = collate([empty], tokenize).targets()
    assert target.masks.shape == (0, 2, 4, 4)
    assert target.referents == ()


def test_sides_are_padded_to_a_multiple():
    batch = collate([sample(2, 33, 60, 1, ("a",)), sample(2, 20, 64, 1, ("b",))], tokenize, 32)
    assert batch.frames.shape == (2, 2, 64, 64, 3)
    assert batch.masks[0].shape == (1, 2, 64, 64)
    assert (~batch.padding_mask).sum(dim=(1, 2, 3)).tolist() == [2 * 33 * 60, 2 * 20 * 64]


def test_frames_of_different_sizes_are_padded_each():
    clip = replace(sample(2, 6, 8, 1, ("a",)), frame_sizes=((6, 5), (4, 8)))
    batch = collate([clip], tokenize)
    inside = torch.zeros(1, 2, 6, 8, dtype=torch.bool)
    inside[0, 0, :6, :5] = inside[0, 1, :4, :8] = True
    assert torch.equal(batch.padding_mask, ~inside)


def test_labels_of_objects_go_with_their_masks():
    clips = [replace(sample(2, 4, 4, 2, ("a", "b")), labels=(5, 0)), sample(2, 4, 4, 1, ("c",))]
    targets = collate(clips, tokenize).targets()
    assert [None if one.labels is None else one.labels.tolist() for one in targets] == [[5, 0], [5, 0], None]
    assert targets[0].labels.dtype == torch.int64
