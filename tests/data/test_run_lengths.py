"""Masks kept as run lengths: text and lists of counts, in memory and in a large file."""

import json

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from deixis.data.readers import ImageFolder
from deixis.data.run_lengths import IndexedRleMasks, RleMasks, index_tracks
from deixis.ops.run_lengths import encode_rle


def as_counts(mask):
    """Give run lengths as a list of counts, down the columns."""
    flat = mask.T.ravel()
    changes = np.flatnonzero(np.diff(np.concatenate([[0], flat.astype(int), [2]])))
    return {"size": list(mask.shape), "counts": np.diff([0, *changes]).tolist()}


@given(st.integers(0, 2**32 - 1), st.integers(1, 7), st.integers(1, 7), st.floats(0, 1))
def test_counts_as_text_and_as_lists_are_the_same_masks(seed, height, width, share):
    masks = np.random.default_rng(seed).random((4, height, width)) < share
    texts = [code if mask.any() else None for code, mask in zip(encode_rle(masks), masks, strict=True)]
    reader = RleMasks("here", (height, width), {3: texts, 5: [as_counts(mask) for mask in masks]})
    found = reader.read([2, 0, 3], [5, 3])
    np.testing.assert_array_equal(found[0], masks[[2, 0, 3]])
    np.testing.assert_array_equal(found[1], masks[[2, 0, 3]])


def test_an_index_finds_the_tracks_in_any_spacing(tmp_path):
    masks = np.random.default_rng(0).random((20, 3, 9, 11)) < 0.3
    tracks = {str(number): encode_rle(some) for number, some in enumerate(masks, start=7)}
    tracks["9"][1] = None
    masks[2, 1] = False
    for number, layout in enumerate(({}, {"indent": 2}, {"separators": (",", ":")})):
        path = tmp_path / f"{number}.json"
        path.write_text(json.dumps(tracks, **layout) + "\n")
        reader = IndexedRleMasks(path, index_tracks(path), ImageFolder(tmp_path, ("0", "1", "2")))
        np.testing.assert_array_equal(reader.read([0, 1, 2], range(7, 27)), masks)
