"""Large JSON files element by element: the same values as the standard parser, at places that can be read."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deixis.data import json_stream
from deixis.data.json_stream import iterate_elements, read_element
from deixis.errors import DatasetError

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("broken") / "a.json"


@given(
    content=st.dictionaries(st.sampled_from(["images", "annotations", "info", "é"]), VALUES)
    | st.lists(VALUES, max_size=5),
    is_ascii=st.booleans(),
    indent=st.sampled_from([None, 2]),
    piece=st.sampled_from([1, 7, 1 << 20]),
)
def test_elements_are_those_of_the_standard_parser(path, content, is_ascii, indent, piece):
    path.write_text(json.dumps(content, ensure_ascii=is_ascii, indent=indent), encoding="utf-8")
    expected = (
        [("", value) for value in content]
        if isinstance(content, list)
        else [
            (key, value)
            for key in content
            if key in ("images", "é") and isinstance(content[key], list)
            for value in content[key]
        ]
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_stream, "_PIECE", piece)
        found = list(iterate_elements(path, ("", "images", "é")))
    assert [(one.key, one.value) for one in found] == expected
    assert [read_element(path, one.offset, one.length) for one in found] == [value for _, value in expected]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"images": [{"id": 1}, {"id"', "byte 23"),
        ('{"images": [1 2]}', "'2' instead of , or ] at byte 14"),
        ('{"images": [1]', "ends in the middle"),
        ('{"images": [1]} extra', "more text behind its end"),
        ("{1: []}", "a key is 1"),
        ("", "ends in the middle"),
        ("<html>not found</html>", "starts with '<'"),
        ("[" * 100_000, "recursion"),
    ],
)
def test_broken_files_are_one_line(tmp_path, text, message):
    path = tmp_path / "a.json"
    path.write_text(text)
    with pytest.raises(DatasetError, match=message) as error:
        list(iterate_elements(path, ("", "images")))
    assert "\n" not in str(error.value) and str(path) in str(error.value)


def test_a_byte_order_mark_is_passed_over(tmp_path):
    path = tmp_path / "a.json"
    path.write_bytes(b"\xef\xbb\xbf[1, 23]")
    assert [(one.value, one.offset, one.length) for one in iterate_elements(path)] == [(1, 4, 1), (23, 7, 2)]


def test_missing_and_changed_files(tmp_path):
    path = tmp_path / "a.json"
    with pytest.raises(DatasetError, match="there is no"):
        list(iterate_elements(path))
    path.write_text('["one", "two"]')
    second = list(iterate_elements(path))[1]
    path.write_text('["onetwo"]')
    with pytest.raises(DatasetError, match="did it change"):
        read_element(path, second.offset, second.length)
