"""Data-driven scale: variance 1 (lsuv) or RMS 1 (auto) of each layer's output, in execution order."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F

from trimtab.init import check, initialize, lsuv_, orthogonal_


def _x(*shape: int, seed: int = 1) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def _outputs(model: nn.Module, example: Tensor) -> list[np.ndarray]:
    """What each linear or convolution layer puts out, in execution order."""
    seen: list[np.ndarray] = []
    handles = [
        m.register_forward_hook(lambda _m, _a, z: seen.append(z.detach().double().numpy()))
        for m in model.modules()
        if isinstance(m, (nn.Linear, nn.Conv1d, nn.Conv2d, nn.ConvTranspose2d))
    ]
    with torch.no_grad():
        model(example)
    for handle in handles:
        handle.remove()
    return seen


def test_as_the_paper_does_by_numpy() -> None:
    """Algorithm 1 in float64, layer after layer, from the same orthogonal start."""
    net: Any = nn.Sequential(nn.Linear(6, 9), nn.Tanh(), nn.Linear(9, 7), nn.ReLU(), nn.Linear(7, 3)).double()
    generator = torch.Generator().manual_seed(0)
    x = _x(50, 6).double()
    for layer in net[::2]:
        orthogonal_(layer.weight, generator=generator)
        nn.init.zeros_(layer.bias)
    weights = [layer.weight.detach().numpy().copy() for layer in net[::2]]
    h = x.numpy()
    for w, f in zip(weights, (np.tanh, lambda z: np.maximum(z, 0), lambda z: z), strict=True):
        w /= np.sqrt(np.var(h @ w.T))
        h = f(h @ w.T)
    done = lsuv_(net, x, tolerance=1e-9)
    assert all(scaled.problem is None for scaled in done.values()) and list(done) == ["0", "2", "4"]
    for layer, w in zip(net[::2], weights, strict=True):
        assert layer.weight.detach().numpy() == pytest.approx(w, rel=1e-6)


@settings(derandomize=True, deadline=None, max_examples=20)
@given(scale=st.sampled_from([1e-15, 1e-6, 1.0, 1e4, 1e15]), mean=st.floats(-1e3, 1e3), batch=st.sampled_from([2, 64]))
def test_variance_one_whatever_the_data(scale: float, mean: float, batch: int) -> None:
    net: Any = nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 32), nn.GELU(), nn.Linear(32, 8))
    x = (_x(batch, 16) + mean) * scale
    report = initialize(net, x, "lsuv", generator=torch.Generator().manual_seed(0))
    assert all(layer.problem is None for layer in report.layers)
    assert [z.var() for z in _outputs(net, x)] == pytest.approx([1.0] * 3, rel=0.03)


@pytest.mark.parametrize(
    ("net", "shape"),
    [
        (
            nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Conv2d(8, 8, 3, groups=2), nn.Tanh(), nn.Flatten()),
            (4, 3, 9, 9),
        ),
        (nn.Sequential(nn.ConvTranspose2d(3, 4, 4, 2), nn.SiLU(), nn.ConvTranspose2d(4, 2, 3, 3)), (4, 3, 5, 5)),
        (nn.Sequential(nn.Conv1d(2, 9, 3), nn.ELU(), nn.Conv1d(9, 4, 1)), (8, 2, 20)),
    ],
)
def test_convolutions(net: nn.Sequential, shape: tuple[int, ...]) -> None:
    x = _x(*shape)
    for scheme in ("lsuv", "auto"):
        initialize(net, x, scheme)
        sizes = [z.var() if scheme == "lsuv" else (z**2).mean() for z in _outputs(net, x)]
        assert sizes == pytest.approx([1.0, 1.0], rel=0.03)


class Recurrent(nn.Module):
    """One layer, many calls."""

    def __init__(self) -> None:
        super().__init__()
        self.cell, self.out = nn.Linear(16, 16), nn.Linear(16, 4)

    def forward(self, x: Tensor) -> Tensor:
        for _ in range(5):
            x = torch.tanh(self.cell(x))
        return self.out(x)


def test_shared_layers_have_variance_one_on_the_mean_of_their_calls() -> None:
    net, x = Recurrent(), _x(64, 16)
    report = initialize(net, x, "lsuv", generator=torch.Generator().manual_seed(0))
    *calls, out = [z.var() for z in _outputs(net, x)]
    assert len(calls) == 5 and report["cell"].problem is None
    assert np.mean(calls) == pytest.approx(1, rel=0.03)
    assert out == pytest.approx(1, rel=0.03)


def test_residual_branches_are_seen_one_after_the_other() -> None:
    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = nn.Linear(16, 16), nn.Linear(16, 16)

        def forward(self, x: Tensor) -> Tensor:
            return x + self.b(F.relu(self.a(x)))

    net, x = nn.Sequential(Block(), Block(), Block(), Block()), _x(128, 16)
    report = initialize(net, x, generator=torch.Generator().manual_seed(0))
    sizes = [float((z**2).mean() ** 0.5) for z in _outputs(net, x)]
    assert sizes[::2] == pytest.approx([1.0] * 4, rel=0.02)  # within the branch
    assert sizes[1::2] == pytest.approx([0.5] * 4, rel=0.02)  # at its end 1/√4
    assert [layer.residual for layer in report.layers] == [False, True] * 4


def test_dead_layers_are_reported_and_left_alone() -> None:
    class Dead(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b, self.c = nn.Linear(4, 8), nn.Linear(8, 8), nn.Linear(8, 2)

        def forward(self, x: Tensor) -> Tensor:
            return self.c(self.b(F.relu(self.a(x) - 1e9)))

    net: Any = Dead()
    report = initialize(net, _x(32, 4), generator=torch.Generator().manual_seed(0))
    assert report["a"].problem is None
    assert report["b"].problem == report["c"].problem == "dead: its output does not vary"
    assert report["b"].factor == 1.0 and bool(net.b.weight.detach().isfinite().all())
    assert report.after is not None and not report.after.passed
    assert "b: dead" in str(report)


@pytest.mark.parametrize("scheme", ["lsuv", "auto"])
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_data_that_is_not_finite_changes_nothing(value: float, scheme: Any) -> None:
    x = _x(8, 4)
    x[0, 0] = value
    net: Any = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 2))
    report = initialize(net, x, scheme)
    assert report["0"].problem == "its output is not finite" and report["0"].factor == 1.0
    assert all(bool(p.detach().isfinite().all()) for p in net.parameters())
    assert report.after is not None and not report.after.passed


def test_an_empty_batch_scales_nothing() -> None:
    report = initialize(nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 2)), torch.empty(0, 4))
    assert all(layer.factor == 1.0 for layer in report.layers)
    assert report.after is not None and "empty" in report.after.problems[0]


def test_frozen_layers_and_biases_keep_what_they_have() -> None:
    net: Any = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 4))
    net[0].requires_grad_(False)
    before = [p.detach().clone() for p in (*net[0].parameters(), net[2].bias)]
    done = lsuv_(net, _x(64, 4))
    assert list(done) == ["2"]
    assert all(torch.equal(a, b) for a, b in zip(before, (*net[0].parameters(), net[2].bias), strict=True))
    assert _outputs(net, _x(64, 4))[1].var() == pytest.approx(1, rel=0.03)


def test_inside_autocast_the_new_weights_count() -> None:
    net, x = nn.Sequential(nn.Linear(16, 32), nn.GELU(), nn.Linear(32, 4)), _x(64, 16)
    with torch.autocast("cpu", torch.bfloat16):
        net(x)
        report = initialize(net, x, generator=torch.Generator().manual_seed(0))
    assert all(layer.problem is None and 0.1 < layer.factor < 10 for layer in report.layers)
    assert check(net, x)["0"].forward == pytest.approx(1, rel=0.03)


def test_what_reads_a_recurrent_state_is_not_blown_up() -> None:
    class Reader(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.lstm, self.out = nn.LSTM(6, 16, batch_first=True), nn.Linear(16, 2)

        def forward(self, x: Tensor) -> Tensor:
            return self.out(self.lstm(x)[0][:, -1])

    assert initialize(Reader(), 0.01 * _x(8, 5, 6))["out"].factor == 1.0


def test_attention_is_scaled_by_its_output_projection() -> None:
    layer: Any = nn.MultiheadAttention(16, 4, batch_first=True)

    class Self(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.attention = layer

        def forward(self, x: Tensor) -> Any:
            return self.attention(x, x, x, need_weights=False)[0]

    net, x = Self(), _x(16, 10, 16)
    report = initialize(net, x, generator=torch.Generator().manual_seed(0))
    assert report["attention"].factor > 1.0
    assert check(net, x)["attention"].forward == pytest.approx(1, rel=0.02)
