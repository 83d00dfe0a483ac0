import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from deixis.errors import SinkError
from deixis.inference.spool import MaskSpool
from deixis.ops.masks import masks_at_size


@settings(deadline=None)
@given(
    arrays.arrays(
        np.float32,
        st.tuples(*(st.integers(1, 3),) * 3, st.integers(1, 7), st.integers(1, 7)),
        elements=st.sampled_from([-30.0, -2.0, -0.5, 0.0, 0.25, 9.0]),
        fill=st.just(-1.5),
    )
)
def test_masks_of_stored_maps_are_those_of_the_full_maps(maps):
    maps = torch.from_numpy(maps)
    with MaskSpool() as spool:
        spool.append(maps[:, :1])
        spool.append(maps)
        for e, t, k in np.ndindex(*maps.shape[:3]):
            read = spool.read(1, t, e, k)
            size = (4 * maps.shape[-2], 4 * maps.shape[-1])
            expected = masks_at_size(maps[e, t, k][None], size, size, (50, 70))
            assert torch.equal(masks_at_size(read[None], size, size, (50, 70)), expected)
            assert torch.equal(read[read > 0], maps[e, t, k][maps[e, t, k] > 0])


def test_only_the_box_around_an_object_is_stored():
    maps = torch.full((1, 10, 2, 90, 160), -3.0)
    maps[:, :, 0, 40:50, 60:80] = 2.0
    with MaskSpool() as spool:
        spool.append(maps)
        numbers = 10 * 2 * 5 * 8
        assert spool.num_bytes == 10 * 12 * 22 * 4 + numbers


def test_a_full_disk_is_one_clear_line(monkeypatch):
    spool = MaskSpool()

    class FullDisk:
        def seek(self, *_):
            return 0

        def write(self, _):
            raise OSError(28, "No space left on device")

    spool.close()
    monkeypatch.setattr(spool, "_file", FullDisk())
    with pytest.raises(SinkError, match=r"No space left.*TMPDIR"):
        spool.append(torch.ones(1, 1, 1, 2, 2))
