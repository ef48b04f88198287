"""Which layers end a residual branch, and what they start with."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from trimtab.init import initialize


def _seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _x(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=_seeded(1))


def _std(p: Any) -> float:
    return float(p.detach().double().square().mean().sqrt())


class Residual(nn.Module):
    """`x + b(f(a(norm(x))))`, or with a norm at the end of the branch."""

    def __init__(self, d: int, norm_last: bool = False) -> None:
        super().__init__()
        self.a, self.b = nn.Linear(d, 2 * d), nn.Linear(2 * d, d)
        self.norm, self.norm_last = nn.LayerNorm(d), norm_last

    def forward(self, x: Tensor) -> Tensor:
        if self.norm_last:
            return x + self.norm(self.b(F.relu(self.a(x))))
        return x + self.b(F.relu(self.a(self.norm(x))))


def _residual_net(norm_last: bool, blocks: int = 4) -> nn.Sequential:
    return nn.Sequential(nn.Linear(8, 64), *(Residual(64, norm_last) for _ in range(blocks)), nn.Linear(64, 2))


@pytest.mark.parametrize("example", [None, _x(64, 8)])
@pytest.mark.parametrize(("residual", "factor"), [("scale", 0.5), ("zero", 0.0), ("none", 1.0)])
def test_residual_branches_end_small(example: Tensor | None, residual: Any, factor: float) -> None:
    """Four branches: 1/√4, or nothing. Without an example they cannot be seen in code that is not torch's."""
    expected = factor if example is not None else 1.0
    net: Any = _residual_net(norm_last=True)
    initialize(net, example, residual=residual, generator=_seeded())
    assert [float(block.norm.weight.detach()[0]) for block in net[1:5]] == pytest.approx([expected] * 4)
    net: Any = _residual_net(norm_last=False)
    report = initialize(net, example, "kaiming_normal", residual=residual, generator=_seeded())
    assert [layer.residual for layer in report.layers].count(True) == (4 if example is not None else 0)
    for block in net[1:5]:
        assert _std(block.b.weight) == pytest.approx(expected / math.sqrt(128), rel=0.03)
        gain = 1.0 if example is None else math.sqrt(2)  # F.relu is seen only where it runs
        assert _std(block.a.weight) == pytest.approx(gain / 8, rel=0.03)


class Shortcut(nn.Module):
    """A block of a ResNet, with a projection around it where the width changes."""

    def __init__(self, i: int, o: int) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(i, o, 3, padding=1, bias=False), nn.BatchNorm2d(o)
        self.conv2, self.bn2 = nn.Conv2d(o, o, 3, padding=1, bias=False), nn.BatchNorm2d(o)
        self.relu = nn.ReLU(inplace=True)
        self.down = nn.Sequential(nn.Conv2d(i, o, 1, bias=False), nn.BatchNorm2d(o)) if i != o else None

    def forward(self, x: Tensor) -> Tensor:
        y = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        y += x if self.down is None else self.down(x)
        return self.relu(y)


def test_projection_shortcuts_are_no_branches() -> None:
    net: Any = nn.Sequential(Shortcut(4, 4), Shortcut(4, 8), Shortcut(8, 8), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    report = initialize(net, _x(4, 4, 6, 6))
    assert [layer.name for layer in report.layers if layer.residual] == ["0.conv2", "1.conv2", "2.conv2"]
    for block in net[:3]:
        assert float(block.bn2.weight[0].detach()) == pytest.approx(3**-0.5)
    assert float(net[1].down[1].weight[0].detach()) == 1.0
    assert all(layer.activation == "relu" for layer in report.layers)


def test_a_sum_through_time_is_no_residual_branch() -> None:
    class Cell(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.w, self.u, self.out = nn.Linear(4, 8), nn.Linear(8, 8), nn.Linear(8, 2)

        def forward(self, x: Tensor) -> Tensor:
            h = torch.zeros(x.shape[0], 8)
            for t in range(x.shape[1]):
                h = torch.tanh(self.w(x[:, t]) + self.u(h))
            return self.out(h)

    report = initialize(Cell(), _x(16, 5, 4))
    assert [(layer.name, layer.activation, layer.residual) for layer in report.layers] == [
        ("w", "tanh", False), ("u", "tanh", False), ("out", "linear", False)
    ]  # fmt: skip


def test_parallel_branches_and_sums_that_are_none() -> None:
    class Parallel(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.norm, self.a, self.b, self.c = nn.LayerNorm(8), nn.Linear(8, 8), nn.Linear(8, 16), nn.Linear(16, 8)

        def forward(self, x: Tensor) -> Tensor:
            h = self.norm(x)
            return x + self.a(h) + self.c(F.relu(self.b(h)))

    report = initialize(nn.Sequential(nn.Linear(4, 8), Parallel(), Parallel()), _x(32, 4))
    assert [layer.name for layer in report.layers if layer.residual] == ["1.a", "1.c", "2.a", "2.c"]

    class Positions(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.token, self.place, self.out = nn.Embedding(9, 8), nn.Linear(2, 8), nn.Linear(8, 2)

        def forward(self, token: Tensor, place: Tensor) -> Tensor:
            return self.out(self.token(token) + self.place(place))

    report = initialize(Positions(), (torch.arange(9), _x(9, 2)))
    assert not any(layer.residual for layer in report.layers)


def test_lsuv_brings_residual_branches_to_variance_one_as_its_paper_does() -> None:
    net: Any = _residual_net(norm_last=True)
    found = initialize(net, _x(64, 8), "lsuv").after
    assert found is not None and [float(block.norm.weight.detach()[0]) for block in net[1:5]] == [1.0] * 4
    assert found["1.b"].forward == pytest.approx(1, rel=0.05)


def test_a_norm_before_the_last_activation_closes_the_branch() -> None:
    """The norm would undo what the weight in front of it is multiplied by."""

    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.norm = nn.Linear(16, 16), nn.BatchNorm1d(16)

        def forward(self, x: Tensor) -> Tensor:
            return x + F.relu(self.norm(self.a(x)))

    net: Any = nn.Sequential(nn.Linear(8, 16), *(Block() for _ in range(4)))
    initialize(net, _x(64, 8), generator=_seeded())
    assert [float(block.norm.weight.detach()[0]) for block in net[1:]] == [0.5] * 4


def test_a_layer_beside_others_is_no_shortcut() -> None:
    class Heads(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.stem, self.other, self.a, self.b, self.c = (nn.Linear(8, 8) for _ in range(5))

        def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
            h = self.stem(x)
            return self.other(h), self.a(h) + self.c(F.relu(self.b(h)))

    assert not any(layer.residual for layer in initialize(Heads(), _x(32, 8)).layers)
