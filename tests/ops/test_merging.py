import json
from pathlib import Path

import numpy as np
import pytest

from deixis.ops.merging import MERGES, merge_by_product, merge_by_threshold, paint, paint_in_order

GOLDEN = json.loads(
    (Path(__file__).parents[1] / "goldens" / "metrics" / "merge_void_binary.json").read_text()
)["soft_merge"]


@pytest.mark.parametrize(
    ("name", "published"),
    [
        ("threshold-argmax", "referformer"),
        ("product-background", "product_background"),
        ("higher-id-overrides", "higher_id_overrides"),
    ],
)
def test_golden_label_maps(name, published):
    scores = np.array(GOLDEN["scores"], np.float32).reshape(GOLDEN["shape"])
    found = MERGES[name](scores)
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found.ravel(), GOLDEN[published])


def test_where_the_rules_differ():
    weak = np.full((3, 1, 1), 0.4)
    assert merge_by_product(weak).item() == 1 and merge_by_threshold(weak).item() == 0
    tie = np.full((2, 1, 1), 0.5)
    assert merge_by_threshold(tie).item() == 1 and merge_by_product(tie).item() == 1


def test_painting_goes_by_id_and_not_by_place():
    masks = np.array([[[True, True, False]], [[False, True, True]]])
    np.testing.assert_array_equal(paint_in_order(masks), [[1, 2, 2]])
    np.testing.assert_array_equal(paint(masks, [7, 3]), [[7, 7, 3]])
    np.testing.assert_array_equal(paint(masks, [3, 7]), [[3, 7, 7]])
