import pytest
import torch
from torch import nn
from toy import ToyModel

from deixis.errors import RecipeError
from deixis.training.optim import AveragedWeights, freeze, make_optimizer, rate_factor, set_rates
from deixis.training.recipe import Optim, Schedule


def test_groups_take_parameters_by_name_and_leave_none_out():
    model = ToyModel()
    optim = Optim(lr=1e-3, groups={"backbone": 1e-4, "text_encoder": 5e-4}, decay_all=False, weight_decay=0.1)
    optimizer = make_optimizer(model, optim)
    grouped = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    assert {id(parameter) for parameter in grouped} == {id(parameter) for parameter in model.parameters()}
    assert len(grouped) == len(list(model.parameters()))
    by_id = {id(parameter): group for group in optimizer.param_groups for parameter in group["params"]}
    assert by_id[id(model.backbone.weight)]["lr"] == 1e-4
    assert by_id[id(model.text_encoder.weight)]["lr"] == 5e-4
    assert by_id[id(model.head.weight)]["lr"] == 1e-3
    assert by_id[id(model.head.weight)]["weight_decay"] == 0.1
    assert by_id[id(model.head.bias)]["weight_decay"] == 0
    rates = set_rates(optimizer, 0.5)
    assert rates == {"backbone": 5e-5, "text_encoder": 2.5e-4, "rest": 5e-4}
    assert set_rates(optimizer, 1.0)["rest"] == 1e-3


def test_decay_all_decays_norms_and_biases_too():
    optimizer = make_optimizer(ToyModel(), Optim(weight_decay=0.1))
    assert all(group["weight_decay"] == 0.1 for group in optimizer.param_groups)


def test_names_that_fit_no_parameter_are_refused():
    with pytest.raises(RecipeError, match=r"optim\.groups names 'backbon_'"):
        make_optimizer(ToyModel(), Optim(groups={"backbon_": 1e-4}))
    with pytest.raises(RecipeError, match=r"optim\.frozen names 'nothing'"):
        freeze(ToyModel(), Optim(frozen=("nothing",)))


def test_frozen_parameters_are_not_in_the_optimiser():
    model = ToyModel()
    freeze(model, Optim(frozen=("text_encoder",)))
    optimizer = make_optimizer(model, Optim(groups={"text_encoder": 1e-4}))
    held = {id(parameter) for group in optimizer.param_groups for parameter in group["params"]}
    assert id(model.text_encoder.weight) not in held
    assert id(model.head.weight) in held


@pytest.mark.parametrize(
    ("schedule", "progress", "units", "expected"),
    [
        (Schedule(), 0.5, 5, 1.0),
        (Schedule(kind="multi-step", milestones=(50,), factor=0.4), 0.7, 49.99, 1.0),
        (Schedule(kind="multi-step", milestones=(50,), factor=0.4), 0.7, 50.0, 0.4),
        (Schedule(kind="multi-step", milestones=(2, 4), factor=0.1), 0.9, 5, 0.01),
        (Schedule(kind="published-mttr", factor=0.4), 0.0, 0.99, 1.0),
        (Schedule(kind="published-mttr", factor=0.4), 0.1, 1.0, 0.4),
        (Schedule(kind="poly", power=2.0), 0.5, 0, 0.25),
        (Schedule(kind="cosine", final=0.1), 0.0, 0, 1.0),
        (Schedule(kind="cosine", final=0.1), 0.5, 0, 0.55),
        (Schedule(kind="cosine", final=0.1), 1.0, 0, 0.1),
        (Schedule(warmup=0.2), 0.0, 0, 0.01),
        (Schedule(warmup=0.2), 0.1, 0, 0.505),
        (Schedule(warmup=0.2), 0.2, 0, 1.0),
    ],
)
def test_rate_factor(schedule, progress, units, expected):
    assert rate_factor(schedule, progress, units) == pytest.approx(expected)


def test_rates_fall_by_a_fixed_amount_and_start_again():
    """RefVOS, README, RefCOCO: 0.01 by 4e-4 to 3e-3, 6e-3 by 2.5e-4 to 1e-3, then 3e-5."""
    phases = ((1.0, 0.04, 0.3), (0.6, 0.025, 0.1), (0.003, 0.0, 0.003))
    schedule = Schedule(kind="falling", phases=phases)
    rates = [0.01 * rate_factor(schedule, 0.5, epoch + 0.9) for epoch in range(45)]
    first = [0.01 - 4e-4 * epoch for epoch in range(18)]  # 0.0032 is the last one above 3e-3
    second = [6e-3 - 2.5e-4 * epoch for epoch in range(20)]  # 0.00125 is the last one above 1e-3
    assert rates == pytest.approx([*first, *second, *[3e-5] * 7])
    last = Schedule(kind="falling", phases=((1.0, 0.4, 0.1),))
    assert [rate_factor(last, 0.5, epoch) for epoch in range(5)] == pytest.approx([1, 0.6, 0.2, 0.1, 0.1])


def test_sgd_takes_the_steps_of_its_formula():
    model = nn.Linear(1, 1, bias=False)
    nn.init.constant_(model.weight, 2.0)
    optimizer = make_optimizer(model, Optim(kind="sgd", lr=0.1, momentum=0.5, weight_decay=0.2))
    weight, velocity = 2.0, 0.0
    for _ in range(3):
        optimizer.zero_grad()
        model(torch.ones(1, 1)).sum().backward()  # the gradient is 1
        optimizer.step()
        velocity = 0.5 * velocity + 1 + 0.2 * weight
        weight -= 0.1 * velocity
        assert model.weight.item() == pytest.approx(weight, rel=1e-5)


def test_averaged_weights_follow_their_formula_and_swap_back():
    model = nn.Linear(2, 1)
    average = AveragedWeights(model, decay=0.9)
    start = model.weight.detach().clone()
    with torch.no_grad():
        model.weight.add_(1.0)
    average.update(model, step=0)  # decay (1 + 0) / (10 + 0)
    torch.testing.assert_close(average.weights["weight"], start + 0.9)
    average.update(model, step=1000)
    torch.testing.assert_close(average.weights["weight"], start + 0.91)
    average.swap(model)
    torch.testing.assert_close(model.weight.detach(), start + 0.91)
    average.swap(model)
    torch.testing.assert_close(model.weight.detach(), start + 1.0)
