"""From the data of a recipe to batches: records, plans of clips, and the loader of one process."""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from deixis.data.clips import ClipPlan, References, Sample, plan_clips, read_clip
from deixis.data.collate import PixelBatch, collate
from deixis.data.plans import READ_MASKS, cached_plans
from deixis.data.records import VideoRecord
from deixis.data.rules import ClipRule, Transforms
from deixis.data.sampler import Draw, Sampler, ShardedBatches
from deixis.data.transforms import transform
from deixis.data.windows import position_among
from deixis.errors import CheckpointError, RecipeError, UnknownNameError
from deixis.flow.config import MotionSpec
from deixis.flow.reading import MotionReader
from deixis.structures import Tokens

from .recipe import DataSource, Recipe

Report = Callable[[int, int], None]


@dataclass(frozen=True)
class ClipSource:
    """The training clips of one data set: ``plans`` into ``records``, drawn in proportion to ``weight``."""

    records: Sequence[VideoRecord]
    plans: Sequence[ClipPlan]
    clip: ClipRule
    transforms: Transforms
    weight: float = 1.0


def open_sources(recipe: Recipe, report: Report | None = None) -> tuple[ClipSource, ...]:
    """Read the indexes of all data sets of ``recipe``; pixels are read later.

    ``report`` is told how many of how many clips of a cache are rendered.
    """
    return tuple(
        make_source(recipe, open_records(source, report), source.weight, source) for source in recipe.data
    )


def make_source(
    recipe: Recipe, records: Sequence[VideoRecord], weight: float = 1.0, source: DataSource | None = None
) -> ClipSource:
    """Plan the clips of ``records`` as ``recipe`` has it for ``source``, with the cache that it names."""
    clip, transforms = (recipe.clip, recipe.transforms) if source is None else recipe.sampling(source)
    if source is None or not source.cache or clip.kind not in READ_MASKS:
        plans = plan_clips(records, clip)
    else:
        plans = cached_plans(records, Path(source.cache), clip, name=f"{source.name}-{source.split}")
    share = weight * len(plans) if recipe.mixing == "concatenated" else weight
    return ClipSource(records, plans, clip, transforms, share)


def open_records(source: DataSource, report: Report | None = None) -> Sequence[VideoRecord]:
    """Return the records of one data source, from the cache of rendered clips where it names one."""
    if source.name.startswith("synthetic"):
        from deixis.synthetic.worlds import rendered_records

        rendered = rendered_records(source.name, source.split, source.num_clips or None)
        if not source.cache:
            return rendered
        from deixis.data.cache import cached_records

        name, settings = f"{source.name}-{source.split}", f"{rendered.settings!r} {rendered.first_seed}"
        return cached_records(rendered, Path(source.cache), name=name, settings=settings, report=report)
    from deixis.data.catalog import DATASETS, load_records

    found = load_records(source.name, source.root, source.split)
    if DATASETS[source.name].has_expressions:
        found = [record for record in found if record.expressions]
    return found[: source.num_clips] if source.num_clips else found


class ClipDataset(Dataset):
    """Clips by draw. The chances of a clip follow from the seed and the position of its draw alone."""

    def __init__(
        self, sources: Sequence[ClipSource], recipe: Recipe, motion: MotionReader | None = None
    ) -> None:
        """Build over ``sources``, for the seed and the batches of ``recipe``; ``motion`` reads the frames."""
        self.sources = sources
        self.recipe = recipe
        self.motion = motion

    def __getitem__(self, index: Draw) -> Sample:
        source = self.sources[index.source]
        generator = np.random.default_rng([self.recipe.seed, 1, index.position])
        place, rule = index.index, self._rule_at(source.clip, index.position)
        references = self._references(source.clip, index.position)
        for redraw in range(source.clip.redraws + 1):
            if redraw:
                place = int(generator.integers(len(source.plans)))
            plan = source.plans[place]
            predicted = self._predicted_frames(plan, source.clip, index.position)
            record = source.records[plan.record]
            sample = read_clip(record, plan, generator, rule, predicted, self.motion, references)
            sample = transform(sample, source.transforms, generator)
            is_pair = rule.kind in ("reference-pair", "example-pair")
            if sample.is_answered(everywhere=is_pair, at_first=rule.kind == "jumps"):
                break
        return sample

    def _rule_at(self, rule: ClipRule, position: int) -> ClipRule:
        """Return the rule with its reach at this position of the training, by steps or epochs."""
        if not rule.reaches:
            return rule
        num_clips = sum(len(source.plans) for source in self.sources)
        total = self.recipe.steps * self.recipe.batch_size or self.recipe.epochs * num_clips
        reaches = [reach for share, reach in sorted(rule.reaches) if position >= share * total]
        return replace(rule, reach=reaches[-1] if reaches else rule.reach)

    def _predicted_frames(self, plan: ClipPlan, rule: ClipRule, position: int) -> tuple[int, ...] | None:
        """Draw the frames to predict. All clips of a step have the same: one batch holds one choice."""
        choice = np.random.default_rng([self.recipe.seed, 2, position // self.recipe.batch_size])
        if plan.predicts_around:
            return (position_among(rule.length, choice),)
        if rule.predicted_frames and plan.annotated_frames is None:
            return tuple(sorted(choice.choice(rule.length, rule.predicted_frames, replace=False).tolist()))
        return None

    def _references(self, rule: ClipRule, position: int) -> References:
        """Draw what is shown of the first frame, besides words: the same for all clips of a turn."""
        if not rule.mask_share:
            return "words"
        chance = np.random.default_rng([self.recipe.seed, 4, position // self.recipe.run_length])
        return "both" if chance.random() < rule.mask_share else "words"


@dataclass(frozen=True)
class PreparedTokens:
    """Expressions to tokens of what a model wants to be shown of them; a class as is :class:`Collate`."""

    prepare: Callable[[str], str]
    tokenize: Callable[[Sequence[str]], Tokens]

    def __call__(self, expressions: Sequence[str]) -> Tokens:
        """Encode ``expressions``."""
        return self.tokenize([self.prepare(expression) for expression in expressions])


@dataclass(frozen=True)
class Collate:
    """Samples to a batch; a class so that processes that load data can take it along."""

    tokenize: Callable[[Sequence[str]], Tokens]
    pad_multiple: int = 1

    def __call__(self, samples: Sequence[Sample]) -> PixelBatch:
        """Batch ``samples``."""
        return collate(samples, self.tokenize, self.pad_multiple)


def make_batches(
    sources: Sequence[ClipSource],
    recipe: Recipe,
    tokenize: Callable[[Sequence[str]], Tokens],
    *,
    step: int = 0,
    rank: int = 0,
    num_processes: int = 1,
    pin_memory: bool = False,
    motion: MotionReader | None = None,
) -> Iterator[PixelBatch]:
    """Yield the batches of one process from ``step`` on, without end; ``recipe.accumulation`` make a step.

    ``motion`` reads the frames for models that want to see what moves in them.
    """
    sampler = Sampler(
        [len(source.plans) for source in sources],
        [source.weight for source in sources],
        recipe.seed,
        recipe.run_length,
    )
    draws = ShardedBatches(
        sampler,
        batch_size=recipe.batch_size,
        parts=recipe.accumulation,
        rank=rank,
        num_processes=num_processes,
        position=step * recipe.batch_size,
    )
    loader = DataLoader(
        ClipDataset(sources, recipe, motion),
        batch_sampler=draws,  # type: ignore[invalid-argument-type]  any iterable of lists will do
        collate_fn=Collate(tokenize, recipe.pad_multiple),
        num_workers=recipe.num_workers,
        pin_memory=pin_memory,
        # A generator of its own: the loader must not draw from the one that dropout uses.
        generator=torch.Generator().manual_seed(recipe.seed),
        worker_init_fn=_start_worker,
    )
    return iter(loader)


def open_motion(recipe: Recipe, wanted: MotionSpec | None) -> MotionReader | None:
    """Return what reads frames with their motion, for a model that wants it.

    Args:
        recipe: may name another estimator of flow than the model's, its weights, and a cache.
        wanted: by the model; None: no motion.

    Raises:
        RecipeError: the model wants no flow and the recipe has settings for it, the estimator lacks its
            weights, or the flow of clips made of still images is asked for.
        SinkError: the cache cannot be written.
    """
    from deixis.flow.cache import CachedFlow
    from deixis.flow.estimator import find_estimator

    settings = recipe.flow
    if wanted is None:
        if settings != type(settings)():
            raise RecipeError(f"the recipe has settings for flow, but {recipe.model} does not look at it")
        return None
    if any(recipe.sampling(source)[1].pseudo_video for source in recipe.data):
        raise RecipeError(
            f"{recipe.model} looks at flow, which clips made of still images do not have; set "
            "transforms.pseudo_video to false"
        )
    try:
        estimator = find_estimator(settings.estimator or wanted.estimator, weights=settings.weights or None)
    except (ValueError, UnknownNameError, CheckpointError) as error:
        raise RecipeError(f"flow: {error}") from error
    return MotionReader(wanted, CachedFlow(estimator, settings.cache) if settings.cache else estimator)


def _start_worker(worker: int) -> None:
    """Leave the group of processes that a signal to stop goes to, and use one thread.

    The loop answers such a signal with a checkpoint, for which it has to get to the end of its step; a worker
    that stopped at once would end the run instead. OpenCV would start a thread for every core in each worker.
    """
    import cv2

    cv2.setNumThreads(0)
    os.setpgid(0, 0)
