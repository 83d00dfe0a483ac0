"""The parts of a training step, and the state that they share.

The loss of a step does not depend on how its clips are spread over processes and parts. Mask terms are
divided by the masks of a part, the others by its expressions; so each part's loss is weighted by its share of
the expressions, and its divisor of masks is chosen to make up for that.
"""

import math
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, Literal

import torch
from accelerate import Accelerator, DistributedDataParallelKwargs
from accelerate.state import AcceleratorState
from torch import Tensor, nn

from deixis.data.collate import PixelBatch
from deixis.errors import RecipeError, TrainingError
from deixis.layers.norm import sync_batch_norms
from deixis.models.base import ReferringModel
from deixis.structures import Batch

from .checkpoint import load_checkpoint, restore_random_state, save_checkpoint
from .concepts import ConceptBatch, ConceptLoss, check_concepts, concept_batches
from .folder import CHECKPOINTS
from .following import FollowLoss, TrainedPropagator, no_words
from .logging import Meter
from .optim import AveragedWeights, freeze, make_optimizer
from .recipe import Recipe
from .sources import ClipSource, PreparedTokens, make_batches, open_motion

AnyBatch = PixelBatch | ConceptBatch


@dataclass(frozen=True)
class Agreed:
    """What all processes know of a step: sums over all parts, and what the first process decided."""

    num_masks: float
    num_expressions: float
    num_parts: int
    is_stopping: bool
    is_checkpoint_due: bool


class ClipLoss(nn.Module):
    """Clips and expressions in, loss terms out: all that runs under autocast and gradient averaging."""

    def __init__(self, model: ReferringModel) -> None:
        """Wrap ``model``."""
        super().__init__()
        self.model = model

    def forward(self, batch: Batch, num_masks: float) -> dict[str, Tensor]:
        """Return the weighted terms."""
        return self.model.batch_losses(batch, num_masks)


class Run:
    """A training run between two steps.

    Attributes:
        model: the model itself; ``network`` is the same under autocast and gradient averaging.
        average: averaged weights, where the recipe asks for them.
        step: steps done.
        seconds: time spent, over all resumptions, as the first process measures it.
        progress: share of the run that is done, 1 at its end.
    """

    def __init__(
        self,
        accelerator: Accelerator,
        recipe: Recipe,
        out: Path,
        model: ReferringModel | TrainedPropagator,
        sources: Sequence[ClipSource],
    ) -> None:
        """Put ``model`` and its optimiser on the device, at step 0.

        Raises:
            RecipeError: names in the recipe do not fit the model, or the batch cannot be shared by the
                processes.
        """
        pieces = accelerator.num_processes * recipe.accumulation
        if recipe.batch_size % pieces:
            raise RecipeError(
                f"batch_size must be a multiple of processes times accumulation ({pieces}), "
                f"got {recipe.batch_size}"
            )
        if model.tokenizer is None and not isinstance(model, TrainedPropagator):
            raise RecipeError(
                f"{recipe.model} has no tokenizer; name its tokenizer.json in the field tokenizer"
            )
        if recipe.concepts:
            check_concepts(recipe)
        self.motion = open_motion(recipe, model.config.inputs.motion)
        freeze(model, recipe.optim)
        if recipe.channels_last:
            use_channels_last(model)
        if recipe.sync_batch_norm and accelerator.num_processes > 1:
            sync_batch_norms(model)
        optimizer = make_optimizer(model, recipe.optim)
        self.accelerator, self.recipe, self.out, self.model, self.sources = (
            accelerator,
            recipe,
            out,
            model,
            sources,
        )
        self.network, self.optimizer = accelerator.prepare(make_loss(model, recipe), optimizer)
        self.network.train()
        self.average = AveragedWeights(model, recipe.ema) if recipe.ema else None
        self.meter = Meter()
        self.step, self.seconds = 0, 0.0
        clips = sum(len(source.plans) for source in sources)
        self.steps_per_epoch = math.ceil(clips / recipe.batch_size)
        # From here on each process draws its own dropout.
        torch.manual_seed(recipe.seed + accelerator.process_index)
        self._mark = self._saved = time.monotonic()
        self._start = (0.0, 0.0)

    @property
    def num_steps(self) -> int:
        """Length of the run in steps, the time limit apart."""
        return self.recipe.steps or self.recipe.epochs * self.steps_per_epoch

    @property
    def progress(self) -> float:
        """Share of the run that is done, in steps or in time, whichever is further; 1 at its end."""
        limit = 60 * self.recipe.time_limit
        return min(max(self.step / self.num_steps, self.seconds / limit if limit else 0.0), 1.0)

    @property
    def units(self) -> float:
        """Progress in epochs where the recipe counts epochs, else in steps."""
        if self.recipe.time_limit:
            return self.progress * (self.recipe.epochs or self.recipe.steps)
        return self.step / self.steps_per_epoch if self.recipe.epochs else self.step

    def batches(self) -> Iterator[AnyBatch]:
        """Yield this process's batches from the current step on."""
        rank, num_processes = self.accelerator.process_index, self.accelerator.num_processes
        tokenize = no_words
        if not isinstance(self.model, TrainedPropagator) and self.model.tokenizer is not None:
            tokenize = PreparedTokens(self.model.prepare_expression, self.model.tokenizer)
        if self.recipe.concepts:
            return concept_batches(
                self.recipe, tokenize, step=self.step, rank=rank, num_processes=num_processes
            )
        return make_batches(
            self.sources,
            self.recipe,
            tokenize,
            step=self.step,
            rank=rank,
            num_processes=num_processes,
            pin_memory=self.accelerator.device.type == "cuda",
            motion=self.motion,
        )

    def agree(self, parts: Sequence[AnyBatch], is_stopping: bool) -> Agreed:
        """Add up masks and expressions over processes; take the time and its consequences from the first."""
        now = time.monotonic()
        asked = [part.targets() for part in parts]
        masks = sum(self.model.count_masks(targets) for targets in asked if targets)
        expressions = sum(part.num_expressions for part in parts)
        interval = 60 * self.recipe.checkpoint_every
        is_due = bool(interval) and now - self._saved > interval
        first = [now - self._mark, float(is_due)] if self.accelerator.is_main_process else [0.0, 0.0]
        self._mark = now
        local = torch.tensor([masks, expressions, float(is_stopping), *first], dtype=torch.float64)
        total = self.accelerator.reduce(local.to(self.accelerator.device), "sum").tolist()
        self.seconds += total[3]
        num_parts = len(parts) * self.accelerator.num_processes
        return Agreed(total[0], total[1], num_parts, total[2] > 0, total[4] > 0)

    def sum_gradients(self, parts: Sequence[AnyBatch], agreed: Agreed) -> dict[str, float]:
        """Run forward and backward over ``parts``, and return this process's share of the loss terms.

        Raises:
            TrainingError: the loss is not finite; the message names the step and the terms.
        """
        inputs = self.model.config.inputs
        device, world = self.accelerator.device, self.accelerator.num_processes
        values: dict[str, float] = {}
        for index, part in enumerate(parts):
            batch = part.normalised(inputs.mean, inputs.std, device, channels_last=self.recipe.channels_last)
            share = part.num_expressions / agreed.num_expressions  # of the whole batch
            is_last = index == len(parts) - 1
            with self.accelerator.no_sync(self.network) if not is_last else nullcontext():
                # Divided by num_masks * share, then weighted by share: what is left is divided by num_masks.
                terms = self.network(batch, agreed.num_masks * share)
                loss = torch.stack([*terms.values()]).sum() * share
                self._check_finite(terms)
                # Gradients are averaged over processes; the shares already add up to 1.
                self.accelerator.backward(loss * world)
            for name, term in terms.items():
                values[name] = values.get(name, 0.0) + float(term.detach()) * share
        return values

    def clip_gradients(self) -> float:
        """Clip to the recipe's global norm and return the norm before; without clipping only measure it."""
        largest = self.recipe.optim.clip_norm or math.inf
        return float(self.accelerator.clip_grad_norm_(self.network.parameters(), largest))

    def finish_step(self, values: dict[str, float]) -> None:
        """Count the step and its ``values``."""
        self.step += 1
        if self.average is not None:
            self.average.update(self.model, self.step)
        self.meter.add(values)

    def summary(self, rates: dict[str, float]) -> dict[str, Any]:
        """Return the log line of the steps since the last: mean loss terms of all processes, rates, speed."""
        num_steps = self.meter.steps
        means = self.meter.means()
        tensor = torch.tensor([*means.values()], dtype=torch.float64, device=self.accelerator.device)
        totals = dict(zip(means, self.accelerator.reduce(tensor, "sum").tolist(), strict=True))
        norm = totals.pop("gradient_norm") / self.accelerator.num_processes
        seconds, progress = self.seconds, self.progress
        last_seconds, last_progress = self._start
        spent, gained = seconds - last_seconds, progress - last_progress
        self._start = (seconds, progress)
        return {
            "step": self.step,
            "progress": progress,
            "loss": sum(totals.values()),
            "terms": totals,
            "gradient_norm": norm,
            "lr": rates,
            "clips_per_second": num_steps * self.recipe.batch_size / spent if spent else 0.0,
            "seconds": seconds,
            "eta_seconds": spent / gained * (1 - progress) if gained else 0.0,
        }

    def validate(self, measure: Callable[[ReferringModel], dict[str, float]]) -> dict[str, float]:
        """Measure the model in evaluation mode, with the averaged weights where there are any."""
        assert not isinstance(self.model, TrainedPropagator), (
            "propagators are not validated (check_following)"
        )
        figures: dict[str, float] = {}
        if self.accelerator.is_main_process:
            self._swap_average()
            self.model.eval()
            figures = measure(self.model)
            self.model.train()
            self._swap_average()
        self.accelerator.wait_for_everyone()
        return figures

    def save(self) -> Path:
        """Write a checkpoint."""
        scaler = self.accelerator.scaler
        state = {
            "step": self.step,
            "seconds": self.seconds,
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "average": None if self.average is None else self.average.weights,
            "scaler": None if scaler is None else scaler.state_dict(),
        }
        own = {"sums": self.meter.sums, "steps": self.meter.steps}
        path = save_checkpoint(
            self.out / CHECKPOINTS,
            self.step,
            state,
            own,
            rank=self.accelerator.process_index,
            keep=self.recipe.keep_checkpoints,
            wait=self.accelerator.wait_for_everyone,
        )
        self._saved = time.monotonic()
        return path

    def restore(self, checkpoint: Path) -> None:
        """Go on from ``checkpoint``."""
        state, own = load_checkpoint(checkpoint, self.accelerator.process_index)
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        if self.average is not None:
            for name, tensor in state["average"].items():
                self.average.weights[name].copy_(tensor)
        if self.accelerator.scaler is not None:
            self.accelerator.scaler.load_state_dict(state["scaler"])
        self.step, self.seconds = state["step"], state["seconds"]
        self._start = (self.seconds, self.progress)
        if own is not None:
            self.meter = Meter(own["sums"], own["steps"])
            restore_random_state(own)

    def _swap_average(self) -> None:
        if self.average is not None:
            self.average.swap(self.model)

    def _check_finite(self, terms: dict[str, Tensor]) -> None:
        values = {name: float(term.detach()) for name, term in terms.items()}
        bad = {name: value for name, value in values.items() if not math.isfinite(value)}
        if bad:
            listed = ", ".join(f"{name} = {value}" for name, value in bad.items())
            raise TrainingError(
                f"the loss is not finite at step {self.step + 1}: {listed}; lower optim.lr, clip gradients "
                "(optim.clip_norm) or train in float32 (precision=no), then go on from the last checkpoint"
            )


def make_loss(model: ReferringModel | TrainedPropagator, recipe: Recipe) -> nn.Module:
    """Return what is run of ``model``: batches in, loss terms out."""
    if isinstance(model, TrainedPropagator):
        return FollowLoss(model)
    return ConceptLoss(model) if recipe.concepts else ClipLoss(model)


class StopSignal:
    """While it is entered, SIGTERM is only noted: the loop ends after its step, with a checkpoint."""

    def __init__(self) -> None:
        self.is_set = False

    def __enter__(self) -> "StopSignal":
        self._is_main_thread = threading.current_thread() is threading.main_thread()
        if self._is_main_thread:
            self._previous = signal.signal(signal.SIGTERM, self._note)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._is_main_thread:
            signal.signal(signal.SIGTERM, self._previous)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.is_set = True


def start_accelerator(recipe: Recipe, device: Literal["auto", "cpu"]) -> Accelerator:
    """Join the processes of the run and choose device and precision.

    Raises:
        RecipeError: float16 on a machine without GPU.
    """
    # Accelerate keeps the precision of the first run of a process for all later ones.
    AcceleratorState._reset_state()
    is_cpu = device == "cpu" or not torch.cuda.is_available()
    if recipe.precision == "fp16" and is_cpu:
        raise RecipeError("precision fp16 needs a GPU; use bf16 or no")
    return Accelerator(
        cpu=is_cpu,
        mixed_precision=recipe.precision,
        # A clip without objects gives no gradient to the mask branch.
        kwargs_handlers=[DistributedDataParallelKwargs(find_unused_parameters=True)],
    )


def use_channels_last(model: nn.Module) -> None:
    """Lay the weights of 2-D convolutions out with channels last."""
    for parameter in model.parameters():
        if parameter.dim() == 4:
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
