from deixis.models.renaming import Renaming

TABLE = Renaming(
    pairs=(("a.*.w", "b.*.weight"), ("n_*", "norm.*"), ("rest.**", "other.**")), ignored=("**.index",)
)


def test_wildcards():
    assert TABLE.to_ours({"a.3.w": 1, "n_bias": 2, "rest.x.y": 3}) == (
        {"b.3.weight": 1, "norm.bias": 2, "other.x.y": 3},
        [],
    )


def test_back_again():
    names = {"a.3.w": 1, "n_bias": 2, "rest.x.y": 3}
    assert TABLE.to_published(TABLE.to_ours(names)[0]) == (names, [])


def test_unknown_and_ignored_names():
    assert TABLE.to_ours({"a.3.4.w": 1, "rest.x.index": 2}) == ({}, ["a.3.4.w"])
