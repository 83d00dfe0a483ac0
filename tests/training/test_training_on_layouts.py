"""The published recipes read the published layouts."""

from collections import Counter
from dataclasses import replace
from itertools import islice

import pytest
from toy_world import COLOURS

from deixis.data.sampler import Sampler
from deixis.recipes import RECIPES
from deixis.recipes.mixes import MIXES
from deixis.recipes.referformer import REFCOCO
from deixis.synthetic.benchmark import SceneRecords, records
from deixis.synthetic.scene import SceneSettings
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


@pytest.fixture(scope="module")
def miniatures(tmp_path_factory):
    """A root for each data set of the mixes: few, short videos."""
    roots = {}
    rendered = SceneRecords("train", SceneSettings(length=7, size=(48, 72)), 50, 2)
    videos = ("ref-youtube-vos", "a2d-sentences", "youtube-vos-2019", "lvos", "ovis")
    for layout in (*REFCOCO, "coco", "fss-1000", *videos):
        roots[layout] = export(rendered, tmp_path_factory.mktemp("mix") / layout, layout, "train")
    return roots


def small(recipe, roots, **changes):
    """Return the recipe with its data sets where the miniatures are, and few clips at a time."""
    data = tuple(replace(source, root=str(roots[source.name]), cache="") for source in recipe.data)
    return replace(recipe, data=data, num_workers=0, batch_size=8, **changes)


def test_joint_training_mixes_videos_and_moving_images_in_a_batch(miniatures):
    recipe = small(RECIPES["referformer-resnet50-joint"], miniatures)
    sources = open_sources(recipe)
    assert [source.weight for source in sources] == [len(source.plans) for source in sources]
    pixels = next(make_batches(sources, recipe, train_tokenizer(COLOURS)))
    assert pixels.frames.shape[:2] == (8, 5)
    assert [side % 32 for side in pixels.frames.shape[2:4]] == [0, 0]
    assert pixels.annotated_frames is None
    draws = islice(
        Sampler([len(one.plans) for one in sources], [one.weight for one in sources], recipe.seed).draws(), 8
    )
    assert {draw.source for draw in draws} > {3}  # images and videos
    for target in pixels.targets():
        assert not target.referents or target.masks.any()  # else another was drawn


@pytest.mark.parametrize(
    ("stage", "length", "k"), [("refcoco", 1, 1), ("a2d", 5, 1), ("ref-youtube-vos", 5, 5)]
)
def test_the_stages_of_referformer_make_their_batches(miniatures, stage, length, k):
    recipe = small(RECIPES[f"referformer-swin-t-{stage}"], miniatures)
    pixels = next(make_batches(open_sources(recipe), recipe, train_tokenizer(COLOURS)))
    assert pixels.frames.shape[:2] == (8, length)
    targets = pixels.targets()
    assert len(targets) == 8
    assert all(target.masks.shape[:2] == (len(target.referents), k) for target in targets)
    assert all(target.has_visibility == (stage != "a2d") for target in targets)
    if stage == "a2d":
        (position,) = pixels.annotated_frames
        assert 1 <= position <= 3


def test_the_mix_of_uniref_gives_two_clips_of_a_task_at_a_time(miniatures):
    recipe = small(RECIPES["mttr-a2d-w8"], miniatures, run_length=2)
    data = tuple(replace(source, root=str(miniatures[source.name])) for source in MIXES["uniref-videos"])
    recipe = replace(recipe, data=data, accumulation=4)
    sources = open_sources(recipe)
    batches = islice(make_batches(sources, recipe, train_tokenizer(["it", *COLOURS])), 12)
    for pixels in batches:
        assert pixels.frames.shape[:2] == (2, 2)
        assert all(len(target.masks) == len(target.referents) for target in pixels.targets())
    sampler = Sampler(
        [len(one.plans) for one in sources], [one.weight for one in sources], recipe.seed, recipe.run_length
    )
    shares = Counter(data[draw.source].name for draw in islice(sampler.draws(), 4000))
    for source in data:
        assert shares[source.name] / 4000 == pytest.approx(source.weight / 2, abs=0.002)


def test_the_stage_of_uniref_with_examples_learns_from_images_after_their_examples(miniatures):
    recipe = small(RECIPES["uniref-plus-resnet50-fss"], miniatures)
    recipe = replace(recipe, data=recipe.data[-1:], batch_size=2)
    (source,) = open_sources(recipe)
    assert len(source.plans) == sum(len(record.frame_names) for record in source.records)
    pixels = next(make_batches((source,), recipe, train_tokenizer(["object"])))
    assert pixels.frames.shape[:2] == (2, 2) and pixels.references == "masks"
    assert [side % 32 for side in pixels.frames.shape[2:4]] == [0, 0]
    for target in pixels.targets():
        assert target.masks.shape[:2] == (1, 2) and target.masks.any(dim=(2, 3)).all()
