"""Programs with two faults at once: one leads, the other is not lost, and what follows from them is folded."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from trimtab.core.finding import Diagnosis, Severity
from trimtab.pipeline import diagnose
from trimtab.watching import Watcher


def classes(n: int = 400, features: int = 8) -> tuple[Tensor, Tensor]:
    x = torch.randn(n, features)
    return x, x[:, :4].argmax(1)


def mlp(out: int, activation: type[nn.Module] = nn.ReLU, depth: int = 1) -> nn.Sequential:
    hidden = [part for _ in range(depth) for part in (nn.Linear(32, 32), activation())]
    return nn.Sequential(nn.Linear(8, 32), activation(), *hidden, nn.Linear(32, out))


def raw_inputs_and_no_zero_grad() -> tuple[torch.optim.Optimizer, Callable[[], Tensor], bool]:
    x, y = classes()
    model = mlp(4)
    return torch.optim.SGD(model.parameters(), lr=0.01), lambda: F.cross_entropy(model(300 * x + 500), y), False


def softmax_twice_and_tiny_rate() -> tuple[torch.optim.Optimizer, Callable[[], Tensor], bool]:
    x, y = classes()
    model = mlp(4)
    return torch.optim.SGD(model.parameters(), lr=1e-7), lambda: F.cross_entropy(model(x).softmax(1), y), True


def broadcast_and_raw_targets() -> tuple[torch.optim.Optimizer, Callable[[], Tensor], bool]:
    x, _ = classes(64)
    y = 300 + 80 * x[:, 0]
    model = mlp(1)
    return torch.optim.SGD(model.parameters(), lr=1e-5), lambda: F.mse_loss(model(x), y), True


def orphans_under_deep_sigmoid() -> tuple[torch.optim.Optimizer, Callable[[], Tensor], bool]:
    x, y = classes()
    model = mlp(4, nn.Sigmoid, depth=10)
    return torch.optim.SGD(model[-1].parameters(), lr=0.1), lambda: F.cross_entropy(model(x), y), True


def constant_start_and_no_zero_grad() -> tuple[torch.optim.Optimizer, Callable[[], Tensor], bool]:
    x, y = classes()
    model = mlp(4)
    for p in model.parameters():
        nn.init.constant_(p, 0.1)
    return torch.optim.SGD(model.parameters(), lr=0.05), lambda: F.cross_entropy(model(x), y), False


PROGRAMS: list[tuple[Callable[[], tuple[torch.optim.Optimizer, Callable[[], Tensor], bool]], set[str]]] = [
    (raw_inputs_and_no_zero_grad, {"TT101", "TT405"}),
    (softmax_twice_and_tiny_rate, {"TT603", "TT402"}),
    (broadcast_and_raw_targets, {"TT604", "TT102"}),
    (orphans_under_deep_sigmoid, {"TT404", "TT301"}),
    (constant_start_and_no_zero_grad, {"TT202", "TT405"}),
]


def train(make: Callable[[], tuple[torch.optim.Optimizer, Callable[[], Tensor], bool]], steps: int = 60) -> Diagnosis:
    torch.manual_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch warns of a broadcast loss itself
        with Watcher(budget=100) as watcher:
            optimizer, loss, clear = make()
            for _ in range(steps):
                loss().backward()
                optimizer.step()
                if clear:
                    optimizer.zero_grad()
    return diagnose(watcher)


@pytest.mark.parametrize(("make", "faults"), PROGRAMS, ids=lambda value: getattr(value, "__name__", ""))
def test_both_faults_are_told_and_one_of_them_leads(
    make: Callable[[], tuple[torch.optim.Optimizer, Callable[[], Tensor], bool]], faults: set[str]
) -> None:
    diagnosis = train(make)
    serious = [f for f in diagnosis.findings if f.severity > Severity.NOTE]
    assert serious[0].code in faults, [f.code for f in serious]
    assert faults <= {f.code for f in serious}, [f.code for f in serious]
    roots = {f.code for f in serious if f.root}
    assert roots <= faults, (roots, faults)
