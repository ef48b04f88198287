"""A compiled step: one graph, the same weights, averages, states and counts."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import nn
from torch._dynamo.exc import Unsupported
from torch._dynamo.testing import CompileCounter

from trimtab.average import EMA, RunningMean
from trimtab.clip import ClipByNorm
from trimtab.optim import SGD, Adam, AdamW, RMSprop

CASES = [
    (SGD, {"momentum": 0.9}, EMA(0.9)),
    (SGD, {"momentum": 0.9, "momentum_form": "ema", "bias_correction": True}, EMA(0.5, warmup=True)),
    (RMSprop, {"momentum": 0.9, "centered": True}, RunningMean()),
    (Adam, {"amsgrad": True, "capturable": True}, EMA(0.9, start="first")),
    (AdamW, {"eps_inside_sqrt": True}, EMA(0.9, bias_correction=False)),
]


@pytest.fixture(autouse=True)
def afresh():
    torch._dynamo.reset()


def whole(optimizer: Any, backend: Any = "eager") -> Any:
    return torch.compile(lambda: optimizer.step(), backend=backend, fullgraph=True)


@pytest.mark.parametrize(("kind", "options", "average"), CASES)
def test_is_one_graph_and_the_same_with_an_average_and_steps_left_out(kind, options, average):
    """The first step, two in a row and a later one meet inf or NaN."""
    found, counter = [], CompileCounter()
    for compiled in (False, True):
        torch.manual_seed(0)
        params = [nn.Parameter(torch.randn(3)), nn.Parameter(torch.randn(()))]
        common = {"clip": ClipByNorm(0.5), "average": average, "on_nonfinite": "skip", "weight_decay": 0.01}
        optimizer = kind(params, lr=0.05, **common, **options)
        step, counts, norms = whole(optimizer, counter) if compiled else optimizer.step, [], []
        for bad in (math.inf, 0.0, 0.0, math.nan, -math.inf, 0.0, 0.0, math.nan):
            for p in params:
                p.grad = torch.randn_like(p)
            params[0].grad = torch.randn(3) + torch.tensor([0.0, bad, 0.0])
            step()
            counts.append(optimizer.skipped_steps)
            norms.append(float("nan") if optimizer.grad_norm is None else float(optimizer.grad_norm))
        with optimizer.averaged():
            averages = [p.detach().clone() for p in params]
        found.append(([p.detach() for p in params], averages, optimizer.state_dict()["state"], counts, norms))
    torch.testing.assert_close(found[1], found[0], equal_nan=True)
    assert found[0][3] == [1, 1, 1, 2, 3, 3, 3, 4]
    assert counter.frame_count == 2  # with the state that the first step begins, and from then on


def test_an_average_of_nothing_is_not_shown():
    p = nn.Parameter(torch.ones(1))
    optimizer = SGD([p], average=EMA(0.9), on_nonfinite="skip")
    p.grad = torch.full((1,), torch.nan)
    whole(optimizer)()
    with optimizer.averaged():
        assert p == 1


def test_a_scalers_overflow_is_taken_back_on_the_device():
    p = nn.Parameter(torch.ones(1))
    optimizer = SGD([p], lr=0.5)
    step = whole(optimizer)
    for overflow, expected in ((1.0, 1.0), (0.0, 0.5)):
        p.grad = torch.full((1,), 4.0)
        vars(optimizer).update(grad_scale=torch.tensor(4.0), found_inf=torch.tensor([overflow]))  # as a GradScaler does
        step()
        assert p == expected and optimizer.skipped_steps == 1


def test_a_state_of_compiled_steps_holds_a_plain_count():
    p = nn.Parameter(torch.ones(1))
    optimizer = SGD([p], on_nonfinite="skip")
    p.grad = torch.full((1,), torch.nan)
    whole(optimizer)()
    assert optimizer.state_dict()["param_groups"][0]["skipped_steps"] == 1
    assert type(optimizer.state_dict()["param_groups"][0]["skipped_steps"]) is int


@pytest.mark.parametrize("options", [{"on_nonfinite": "raise"}, {"on_nonfinite": "skip", "dampening": 0.5}], ids=str)
def test_what_must_ask_the_host_breaks_the_graph_and_is_right(options):
    p = nn.Parameter(torch.ones(1))
    optimizer = SGD([p], momentum=0.9, **options)
    step = torch.compile(lambda: optimizer.step(), backend="eager")
    p.grad = torch.full((1,), torch.nan)
    if options["on_nonfinite"] == "raise":
        with pytest.raises(FloatingPointError, match="parameter 0"):
            step()
    else:
        step()
        assert optimizer.skipped_steps == 1
    assert p == 1
    torch._dynamo.reset()
    with pytest.raises(Unsupported):
        whole(optimizer)()


@pytest.mark.parametrize("kind", [SGD, RMSprop, Adam, AdamW])
def test_inside_a_compiled_training_step(kind):
    results = []
    for compiled in (False, True):
        torch.manual_seed(0)
        model = nn.Linear(3, 2)
        optimizer = kind(model.parameters(), lr=0.05, weight_decay=0.01, clip=ClipByNorm(0.5), average=EMA(0.9))

        def train_step(x, model=model, optimizer=optimizer):
            optimizer.zero_grad()
            model(x).square().sum().backward()
            optimizer.step()

        step = torch.compile(train_step, backend="eager") if compiled else train_step
        for _ in range(4):
            step(torch.randn(5, 3))
        with optimizer.averaged():
            results.append([p.detach().clone() for p in model.parameters()])
    torch.testing.assert_close(*results)


@pytest.mark.parametrize("over", ["all", "parameter"])
def test_reports_the_norm(over):
    p, q = nn.Parameter(torch.ones(1)), nn.Parameter(torch.ones(1))
    optimizer = SGD([p, q], clip=ClipByNorm(0.5, over=over))
    step = whole(optimizer)
    for size in (1.0, 2.0):
        p.grad, q.grad = torch.tensor([3 * size]), torch.tensor([4 * size])
        step()
        assert optimizer.grad_norm is not None
        assert optimizer.grad_norm.tolist() == (5 * size if over == "all" else [3 * size, 4 * size])
