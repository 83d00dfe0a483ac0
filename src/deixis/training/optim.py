"""Parameter groups by name, learning rates over the run, averaged weights."""

import math
from collections.abc import Iterator

import torch
from torch import nn

from deixis.errors import RecipeError

from .recipe import Optim, Schedule

REST = "rest"
"""Name of the group of all parameters that no other group takes."""


def freeze(model: nn.Module, optim: Optim) -> None:
    """Stop training the parameters whose names contain a part in ``optim.frozen``.

    Raises:
        RecipeError: a part that no parameter's name contains.
    """
    for part in optim.frozen:
        named = [parameter for name, parameter in model.named_parameters() if part in name]
        if not named:
            raise RecipeError(f"optim.frozen names {part!r}, but no parameter of the model contains it")
        for parameter in named:
            parameter.requires_grad_(False)


def make_optimizer(model: nn.Module, optim: Optim) -> torch.optim.Optimizer:
    """Build the optimiser over the trained parameters, grouped by name.

    Each group of the optimiser carries its ``name`` and the ``peak`` rate that the schedule scales.

    Raises:
        RecipeError: a part in ``optim.groups`` that no parameter's name contains, or nothing to train.
    """
    groups: dict[tuple[str, bool], list[nn.Parameter]] = {}
    unused = set(optim.groups)
    for name, parameter in model.named_parameters():
        part = next((part for part in optim.groups if part in name), REST)
        unused.discard(part)
        if parameter.requires_grad:
            is_decayed = optim.decay_all or parameter.dim() > 1
            groups.setdefault((part, is_decayed), []).append(parameter)
    if unused:
        raise RecipeError(
            f"optim.groups names {sorted(unused)[0]!r}, but no parameter of the model contains it"
        )
    if not groups:
        raise RecipeError("optim.frozen leaves no parameter to train")
    settings = [
        {
            "params": parameters,
            "name": part,
            "peak": optim.groups.get(part, optim.lr),
            "lr": optim.groups.get(part, optim.lr),
            "weight_decay": optim.weight_decay if is_decayed else 0.0,
        }
        for (part, is_decayed), parameters in groups.items()
    ]
    if optim.kind == "sgd":
        return torch.optim.SGD(settings, momentum=optim.momentum)
    return torch.optim.AdamW(settings, betas=optim.betas, eps=optim.eps)


def rate_factor(schedule: Schedule, progress: float, units: float) -> float:
    """Return what every group's peak rate is multiplied by.

    Args:
        schedule: of the recipe.
        progress: share of the run that is done, in [0, 1].
        units: the same in epochs where the recipe counts epochs, else in steps.
    """
    factor = 1.0
    if schedule.kind == "multi-step":
        factor = schedule.factor ** sum(units >= milestone for milestone in schedule.milestones)
    elif schedule.kind == "published-mttr":
        factor = schedule.factor if units >= 1 else 1.0
    elif schedule.kind == "poly":
        factor = (1 - progress) ** schedule.power
    elif schedule.kind == "cosine":
        factor = schedule.final + (1 - schedule.final) * (1 + math.cos(math.pi * progress)) / 2
    elif schedule.kind == "falling":
        factor = falling_factor(schedule, units)
    if progress < schedule.warmup:
        factor *= 0.01 + 0.99 * progress / schedule.warmup
    return factor


def falling_factor(schedule: Schedule, units: float) -> float:
    """Return the factor of the schedule "falling" after whole ``units``."""
    done = math.floor(units)
    for first, fall, last in schedule.phases[:-1]:
        # Rounded, so that a last rate that is met exactly ends the phase whatever the digits of the fall.
        length = math.ceil(round((first - last) / fall, 6))
        if done < length:
            return first - fall * done
        done -= length
    first, fall, last = schedule.phases[-1]
    return max(first - fall * done, last)


def set_rates(optimizer: torch.optim.Optimizer, factor: float) -> dict[str, float]:
    """Scale the rate of every group and return the rates by group."""
    rates = {}
    for group in optimizer.param_groups:
        group["lr"] = group["peak"] * factor
        rates[group["name"]] = group["lr"]
    return rates


class AveragedWeights:
    """An exponential moving average of a model's floating tensors, often better than the last ones.

    Early on the decay is smaller, ``(1 + step) / (10 + step)``, so that the first weights are soon forgotten.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        """Start from the weights of ``model``."""
        self.decay = decay
        self.weights = {name: tensor.detach().clone() for name, tensor in _floating(model)}

    @torch.no_grad()
    def update(self, model: nn.Module, step: int) -> None:
        """Move the average towards ``model`` after its ``step``-th step."""
        decay = min(self.decay, (1 + step) / (10 + step))
        for name, tensor in _floating(model):
            self.weights[name].lerp_(tensor, 1 - decay)

    @torch.no_grad()
    def swap(self, model: nn.Module) -> None:
        """Exchange the average and the weights of ``model``; a second call changes them back."""
        for name, tensor in _floating(model):
            own = tensor.clone()
            tensor.copy_(self.weights[name])
            self.weights[name].copy_(own)


def _floating(model: nn.Module) -> Iterator[tuple[str, torch.Tensor]]:
    for name, tensor in model.state_dict().items():
        if tensor.is_floating_point():
            yield name, tensor
