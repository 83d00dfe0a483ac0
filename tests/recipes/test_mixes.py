import pytest

from deixis.data.catalog import DATASETS
from deixis.data.samplings import SAMPLINGS
from deixis.recipes.mixes import MIXES


def test_mixes_name_data_sets_with_such_a_split():
    for sources in MIXES.values():
        for source in sources:
            assert source.split in DATASETS[source.name].splits
            assert source.sampling in SAMPLINGS


def test_weights_of_table_1():
    """UniRef, supplement, table 1, stage III; both tasks alike."""
    weights = {source.name: source.weight for source in MIXES["uniref-videos"]}
    assert [weights[name] for name in ("coco", "youtube-vos-2019", "lvos", "ovis")] == [0.4, 0.3, 0.2, 0.1]
    assert weights["ref-youtube-vos"] == 0.55
    assert sum(weights[name] for name in ("refcoco", "refcoco+", "refcocog")) == pytest.approx(0.45)
    words = {source.name: SAMPLINGS[source.sampling].clip.has_words for source in MIXES["uniref-videos"]}
    shares = [sum(w for name, w in weights.items() if words[name] == told) for told in (False, True)]
    assert shares == pytest.approx([1, 1])


def test_sides_of_table_1():
    for source in MIXES["uniref-videos"]:
        transforms = SAMPLINGS[source.sampling].transforms
        is_image = source.name in ("coco", "refcoco", "refcoco+", "refcocog")
        limits = (480, 800, 1333) if is_image else (320, 640, 768)
        sides = transforms.short_sides
        assert (sides[0], sides[-1], transforms.long_side) == limits
