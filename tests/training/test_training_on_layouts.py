"""The published recipes read the published layouts."""

import pytest
from toy_world import COLOURS

from deixis.recipes import RECIPES
from deixis.synthetic.benchmark import records
from deixis.synthetic.write import export
from deixis.text.words import train_tokenizer
from deixis.training.override import override
from deixis.training.sources import make_batches, open_sources


@pytest.mark.parametrize(
    ("name", "layout", "length", "position", "short_side"),
    [
        ("mttr-a2d-w8", "a2d-sentences", 8, (4,), 320),
        ("mttr-ref-youtube-vos-w12", "ref-youtube-vos", 12, None, 360),
    ],
)
def test_a_published_recipe_makes_its_batches_from_its_layout(
    tmp_path, name, layout, length, position, short_side
):
    rendered = records("train", 2)
    export(rendered, tmp_path, layout, "train")
    recipe = override(
        RECIPES[name], {"data.root": str(tmp_path), "data.cache": "", "batch_size": 2, "num_workers": 0}
    )
    (source,) = open_sources(recipe)
    singular = [one for record in rendered for one in record.expressions if len(one.object_ids) == 1]
    assert len(source.plans) >= len(singular)  # every expression in each window or annotated frame
    assert all(len(plan.expressions) == 1 for plan in source.plans)
    pixels = next(make_batches([source], recipe, train_tokenizer(COLOURS)))
    batch = pixels.normalised((0.5,) * 3, (0.5,) * 3)
    assert batch.clip.frames.shape[:3] == (2, length, 3)
    assert min(batch.clip.frames.shape[-2:]) == short_side
    assert batch.clip.annotated_frames == position
    assert len(batch.targets) == 2
    for target in batch.targets:
        assert target.masks.shape[1] == (length if position is None else 1)
        assert target.has_visibility == (position is None)
        if target.referents:
            assert target.masks[list(target.referents)].any()
