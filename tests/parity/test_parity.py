import json
from pathlib import Path

import numpy as np
import pytest

from deixis.errors import DatasetError, UnknownNameError
from deixis.parity import check
from deixis.parity.check import compare, relative_error, select
from deixis.parity.draw import draw_inputs, draw_parameters, fill, generator

SHARED = Path(__file__).parents[2] / ".." / "shared" / "goldens" / "fill.py"


def test_fill_depends_on_the_name_and_shape_alone():
    assert np.array_equal(fill("a.weight", (3, 4)), fill("a.weight", (3, 4)))
    assert not np.array_equal(fill("a.weight", (3, 4)), fill("b.weight", (3, 4)))
    assert fill("a.weight", (3, 4)).dtype == np.float32


def test_fill_scales_by_kind():
    assert abs(fill("norm.weight", (10_000,)).mean() - 1) < 0.01
    assert abs(fill("norm.bias", (10_000,)).std() - 0.02) < 0.001
    assert abs(fill("conv.weight", (1000, 4, 5)).std() - 20**-0.5) < 0.005
    assert 0.5 <= fill("norm.running_var", (1000,)).min() < fill("norm.running_var", (1000,)).max() < 1.5
    assert abs(fill("norm.running_mean", (10_000,)).std() - 0.1) < 0.005
    assert fill("logit_scale", ()).shape == ()


@pytest.mark.skipif(not SHARED.is_file(), reason="the shared goldens are not here")
@pytest.mark.parametrize(
    "name, shape",
    [
        ("w.weight", (3, 4)),
        ("n.weight", (5,)),
        ("n.bias", (5,)),
        ("n.running_var", (5,)),
        ("n.running_mean", (5,)),
        ("s", ()),
    ],
)
def test_fill_equals_the_recorded_rule(name: str, shape: tuple[int, ...]):
    recorded: dict = {}
    exec(compile(SHARED.read_text(), "fill.py", "exec"), recorded)
    assert np.array_equal(fill(name, shape), recorded["fill"](name, shape))


def test_exceptions_of_the_fill():
    layout = {"a.0.weight": [2, 3], "b.0.weight": [2, 3], "bias": [4], "query.weight": [2, 2]}
    drawn = draw_parameters(
        layout,
        {"b.*": {"same_as": "a.*"}, "bias": {"add": 2.0, "index": -1}, "query.weight": {"scale": 16.0}},
    )
    assert np.array_equal(drawn["b.0.weight"], drawn["a.0.weight"])
    difference = drawn["bias"] - fill("bias", [4])
    assert np.allclose(difference, [0, 0, 0, 2])
    assert np.array_equal(drawn["query.weight"], fill("query.weight", [2, 2]) * 16)


def test_images_are_sums_of_draws():
    drawn = draw_inputs(
        [
            {
                "size": [3, 5],
                "terms": [
                    {"generator": "fine", "shape": [2, 1, 3, 5], "index": 1},
                    {"generator": "coarse", "shape": [2, 1, 2, 3], "repeat": 2, "scale": 3},
                ],
            }
        ]
    )
    fine = generator("fine").standard_normal((2, 1, 3, 5)).astype(np.float32)[1]
    coarse = generator("coarse").standard_normal((2, 1, 2, 3)).astype(np.float32)[0]
    blocks = coarse[:, [0, 0, 1]][:, :, [0, 0, 1, 1, 2]]
    assert np.array_equal(drawn[0], fine + blocks * np.float32(3))


def test_exceptions_must_make_sense():
    with pytest.raises(ValueError, match="no parameter"):
        draw_parameters({"a": [1]}, {"b": {"scale": 2}})
    with pytest.raises(ValueError, match="unknown rule"):
        draw_parameters({"a": [1]}, {"a": {"times": 2}})


def test_inputs_are_drawn_wherever_they_stand():
    drawn = draw_inputs({"videos": [{"generator": "v", "shape": [2, 3], "scale": 2.0}], "size": [4, 5]})
    expected = generator("v").standard_normal([2, 3]).astype(np.float32) * 2
    assert np.array_equal(drawn["videos"][0], expected)
    assert drawn["size"] == [4, 5]


@pytest.mark.parametrize(
    "text, expected",
    [
        (":,::2", np.s_[:, ::2]),
        ("...,::3", np.s_[..., ::3]),
        ("1,:,-1", np.s_[1, :, -1]),
        ("1:3,0,::2", np.s_[1:3, 0, ::2]),
    ],
)
def test_slices(text: str, expected):
    array = np.arange(4 * 5 * 6).reshape(4, 5, 6)
    assert np.array_equal(select(array, {"slice": text}), array[expected])


def test_other_selections():
    array = np.arange(12).reshape(3, 4)
    assert select(array, "all") is array
    assert select(array, {"flat_step": 5}).tolist() == [0, 5, 10]
    for wrong in ("some", {"slice": "a:b"}, {"step": 2}):
        with pytest.raises(DatasetError):
            select(array, wrong)


def test_relative_error():
    assert relative_error(np.array([1.0, 2.5]), np.array([1.0, 2.0])) == 0.25
    assert relative_error(np.array([np.nan, 2]), np.array([1.0, 2.0])) == float("inf")
    assert relative_error(np.array([0.5]), np.array([0.0])) == 0.5


def test_comparisons_that_cannot_be_made_do_not_pass():
    entry = {"shape": [2], "select": "all", "stage": "x"}
    values = np.zeros(2, np.float32)
    assert compare("x", values, values, entry, 1e-4).is_equal
    assert not compare("x", None, values, entry, 1e-4).is_equal
    assert "shape" in (compare("x", np.zeros(3, np.float32), values, entry, 1e-4).problem or "")
    flags = np.array([True, False])
    assert compare("x", ~flags, flags, {**entry, "differing": 0.4}, 1.0).error == 1
    assert not compare("x", ~flags, flags, entry, 1.0).is_equal


def test_broken_goldens(tmp_path: Path):
    with pytest.raises(DatasetError, match="cannot read"):
        check(tmp_path / "golden.npz")
    (tmp_path / "golden.json").write_text("[1, 2]")
    with pytest.raises(DatasetError, match="object"):
        check(tmp_path / "golden.npz")
    (tmp_path / "golden.json").write_text("{}")
    with pytest.raises(DatasetError, match="sidecar"):
        check(tmp_path / "golden.npz")
    (tmp_path / "golden.json").write_text(json.dumps({"kind": "loss", "arrays": {"x": {}}, "model": "mttr"}))
    (tmp_path / "golden.npz").write_bytes(b"no zip")
    with pytest.raises(DatasetError, match="not a file of arrays"):
        check(tmp_path / "golden.npz")
    (tmp_path / "golden.json").write_text(json.dumps({"kind": "loss", "arrays": {}, "model": "mtr"}))
    with pytest.raises(UnknownNameError, match="mttr"):
        check(tmp_path / "golden.npz")
