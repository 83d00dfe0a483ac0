"""The variants of UniRef, and what may not be said of one."""

import pytest

from deixis.models.uniref.config import FOLLOWING, VARIANTS, UniRefConfig


@pytest.mark.parametrize("backbone", ["resnet50", "swin-l"])
def test_benchmarks_of_the_published_code(backbone: str):
    """UniRef++: 0.4 and 0.3; 0.3 on DAVIS-17 and 0.5 on LVOS for objects; language alone on Ref-DAVIS17."""
    names = {"": (0.4, 0.3, "both"), "-davis17": (0.3, 0.3, "both"), "-lvos": (0.5, 0.3, "both")}
    for end, expected in (names | {"-ref-davis17": (0.4, 0.0, "none")}).items():
        config = VARIANTS[f"uniref-plus-{backbone}{end}"]
        assert (config.mask_threshold, config.expression_threshold, config.references) == expected
        assert (f"uniref-plus-{backbone}{end}" in FOLLOWING) == (config.references != "none")
        assert config.inputs.merging == "product-background"


def test_only_variants_for_videos_follow_masks():
    assert "uniref-resnet50" in FOLLOWING and "uniref-tiny-synthetic" in FOLLOWING
    assert not any(name.endswith(("-images", "-boxes")) for name in FOLLOWING)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"width": 100}, "heads"),
        ({"num_queries": 0}, "num_queries must be at least 1"),
        ({"mask_threshold": 1.5}, "mask_threshold must lie in"),
        ({"references": "last"}, "references must be one of both"),
    ],
)
def test_impossible_choices_are_told(fields, message: str):
    with pytest.raises(ValueError, match=message):
        UniRefConfig(**fields)
