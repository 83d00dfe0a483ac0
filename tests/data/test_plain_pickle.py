"""Pickles of plain values are read as the standard module reads them; all others are refused, unexecuted."""

import collections
import datetime
import os
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deixis.data.plain_pickle import read_plain_pickle
from deixis.errors import DatasetError

PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=4) | st.integers(), inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
    ),
    max_leaves=12,
)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("broken") / "a.p"


@given(value=PLAIN, protocol=st.integers(3, pickle.HIGHEST_PROTOCOL))
def test_plain_values_come_back(path, value, protocol):
    path.write_bytes(pickle.dumps([value, value, "again", "again"], protocol=protocol))
    assert read_plain_pickle(path) == [value, value, "again", "again"]


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_references_of_any_protocol(tmp_path, protocol):
    refs = [
        {"ref_id": 1, "sent_ids": [0, 2**40, -3], "split": "caf\xe9\n", "size": (1.5, None, True), "x": {}}
    ]
    path = tmp_path / "refs(unc).p"
    path.write_bytes(pickle.dumps(refs * 3, protocol=protocol))
    assert read_plain_pickle(path) == refs * 3


def test_texts_of_python_2_are_latin_1(tmp_path):
    # What cPickle of Python 2 wrote for [{'sent': 'caf\xe9 "x\'', 'id': 7L}] with protocols 0 and 2.
    written = (
        b"(lp1\n(dp2\nS'sent'\np3\nS'caf\\xe9 \"x\\''\np4\nsS'id'\np5\nL7L\nsa.",
        b"\x80\x02]q\x01}q\x02(U\x04sentq\x03U\x08caf\xe9 \"x'q\x04U\x02idq\x05\x8a\x01\x07ua.",
    )
    for content in written:
        path = tmp_path / "refs.p"
        path.write_bytes(content)
        assert read_plain_pickle(path) == [{"sent": "caf\xe9 \"x'", "id": 7}]
        assert pickle.loads(content, encoding="latin-1") == read_plain_pickle(path)


class Runs:
    """Would make a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (self.path,)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_files_that_run_code_are_refused_unexecuted(tmp_path, protocol):
    path, made = tmp_path / "refs.p", tmp_path / "made"
    for value in (Runs(str(made)), [Runs(str(made))], {"a": 1, "b": Runs(str(made))}):
        path.write_bytes(pickle.dumps(value, protocol=protocol))
        with pytest.raises(DatasetError, match=r"is refused: byte \d+ is the instruction") as error:
            read_plain_pickle(path)
        assert "\n" not in str(error.value) and not made.exists()
    pickle.loads(path.read_bytes())
    assert made.exists(), "the file does run code where it is unpickled"


@pytest.mark.parametrize(
    "value", [{1, 2}, collections.OrderedDict(a=1), datetime.date(2020, 1, 1), len, bytearray(b"a"), 1j, Runs]
)
def test_other_objects_are_refused(tmp_path, value):
    path = tmp_path / "refs.p"
    for protocol in (0, 2, 4, 5):
        path.write_bytes(pickle.dumps([value], protocol=protocol))
        with pytest.raises(DatasetError, match="is refused"):
            read_plain_pickle(path)


@pytest.mark.parametrize(
    "content",
    [
        b"", b"no pickle", b"(l", b"]", b".", b"]].", b"a.", b"]q\x00h\x07.", b"U\xffabc.", b"I7x\n.",
        b"S'a\n.",
        b"(]]u.", b"}]]s.", b"(K\x01d.", b"\x8a\x05\x01.", b"K\x01K\x02a.", b"X\x01\x00\x00\x00\xff.",
        b"\x8e\xff\xff\xff\xff\xff\xff\xff\xff.", b"0.", b"(a.", b"V\\ux\n.", b"S'\\x'\n.",
    ],
)  # fmt: skip
def test_broken_files_are_one_line(tmp_path, content):
    path = tmp_path / "refs.p"
    path.write_bytes(content)
    with pytest.raises(DatasetError, match=r"refs\.p") as error:
        read_plain_pickle(path)
    assert "\n" not in str(error.value)


@given(st.binary(max_size=60))
def test_any_bytes_give_plain_values_or_one_kind_of_error(path, content):
    path.write_bytes(content)
    try:
        value = read_plain_pickle(path)
    except DatasetError:
        return
    assert isinstance(value, list | dict | tuple | str | bytes | int | float | bool | type(None))
