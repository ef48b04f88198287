"""What is measured equals an independent computation on the same run."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from trimtab.core.signal import (
    DEAD,
    DELTA_NORM,
    FEATURE_MEAN,
    FEATURE_NONFINITE,
    FEATURE_SD,
    GRAD_RMS,
    GRAD_USED_RMS,
    IN_RMS,
    IN_SPREAD,
    LEARNING_RATE,
    LOSS,
    LOSS_SCALE,
    SATURATED,
    STUCK,
    TIME_CALLS,
    TIME_GAIN,
    UPDATE_RMS,
    WEIGHT_RMS,
    ZERO,
    Signal,
)
from trimtab.core.trace import Trace
from trimtab.watching import Watcher


def watch(train: Callable[[], None]) -> Trace:
    torch.manual_seed(0)
    with Watcher(budget=100) as watcher:
        train()
    trace = watcher.trace()
    assert not [e for e in trace.events if e.data.get("reason") == "watcher"], trace.events
    return trace


def value(trace: Trace, signal: Signal, name: str, row: int = 0) -> float:
    names = [site.name for site in trace.of(signal.per)]
    return float(trace[signal][row, names.index(name)])


def rms(x: Tensor | None) -> float:
    assert x is not None
    return float(x.detach().double().square().mean().sqrt())


def test_layers_activations_and_gradients_of_a_functional_network() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc1, self.fc2, self.out = nn.Linear(6, 5), nn.Linear(5, 4), nn.Linear(4, 3)

        def forward(self, x: Tensor) -> Tensor:
            return self.out(F.relu(self.fc2(torch.tanh(3 * self.fc1(x)))))

    torch.manual_seed(1)
    net, x, y = Net(), torch.randn(40, 6), torch.randint(0, 3, (40,))
    z1 = net.fc1(x).detach().requires_grad_()
    h1 = torch.tanh(3 * z1)
    z2 = net.fc2(h1)
    h2 = F.relu(z2)
    z3 = net.out(h2)
    loss = F.cross_entropy(z3, y)
    d1, d2, d3 = torch.autograd.grad(loss, [z1, z2, z3])

    trace = watch(lambda: F.cross_entropy(net(x), y).backward())
    assert [site.name for site in trace.of("layer")] == ["fc1", "fc2", "out"]
    for name, entering, delta in (("fc1", x, d1), ("fc2", h1, d2), ("out", h2, d3)):
        assert value(trace, IN_RMS, name) == pytest.approx(rms(entering), rel=1e-5)
        assert value(trace, IN_SPREAD, name) == pytest.approx(rms(entering - entering.mean(0)), rel=1e-5)
        assert value(trace, DELTA_NORM, name) == pytest.approx(float(delta.norm()), rel=1e-5)
    flat = (1 - h1**2) < 0.05
    assert value(trace, SATURATED, "tanh after fc1") == pytest.approx(float(flat.float().mean()))
    assert value(trace, STUCK, "tanh after fc1") == pytest.approx(float(flat.all(0).float().mean()))
    assert value(trace, ZERO, "relu after fc2") == pytest.approx(float((h2 == 0).float().mean()))
    for name, p in net.named_parameters():
        assert p.grad is not None
        assert value(trace, GRAD_RMS, name) == pytest.approx(rms(p.grad), rel=1e-5)


def test_gradient_before_and_after_clipping_and_the_update_that_was_made() -> None:
    model = nn.Linear(4, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    seen: dict[str, float] = {}

    def train() -> None:
        (100 * model(torch.randn(8, 4))).square().mean().backward()
        seen["before"] = rms(model.weight.grad)
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        seen["after"], seen["weight"] = rms(model.weight.grad), rms(model.weight)
        old = model.weight.detach().clone()
        optimizer.step()
        seen["update"] = rms(model.weight - old)

    trace = watch(train)
    for signal, key in ((GRAD_RMS, "before"), (GRAD_USED_RMS, "after"), (WEIGHT_RMS, "weight"), (UPDATE_RMS, "update")):
        assert value(trace, signal, "model.weight") == pytest.approx(seen[key], rel=1e-5)
    assert seen["before"] > 10 * seen["after"]
    assert trace[LEARNING_RATE][0, 0] == 0.5


def test_features_over_batches_equal_the_moments_of_all_rows() -> None:
    model = nn.Linear(3, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
    batches = [
        torch.randn(50, 3, dtype=torch.float64).float() * 0.01 + torch.tensor([1e4, 0.0, -5.0]) for _ in range(6)
    ]

    def train() -> None:
        for x in batches:
            model(x).sum().backward()
            optimizer.step()

    trace = watch(train)
    rows = torch.cat(batches).double().numpy()
    np.testing.assert_allclose(trace[FEATURE_MEAN][-1], rows.mean(0), rtol=1e-6, atol=1e-4)
    np.testing.assert_allclose(trace[FEATURE_SD][-1], rows.std(0), rtol=1e-4)
    assert (trace[FEATURE_NONFINITE] == 0).all()


def test_scaling_inside_the_model_counts_as_scaling_of_the_data() -> None:
    class Scaled(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 2, 3)

        def forward(self, x: Tensor) -> Tensor:
            return self.conv(x.float() / 255)

    model = Scaled()
    trace = watch(lambda: model(torch.randint(0, 256, (4, 3, 8, 8))).sum().backward())
    assert [site.name for site in trace.of("feature")] == [f"conv input {i}" for i in range(3)]
    assert (trace[FEATURE_MEAN] < 1).all()


def test_dead_units_are_those_without_an_active_example_in_512() -> None:
    first = nn.Linear(2, 10)
    model = nn.Sequential(first, nn.ReLU(), nn.Linear(10, 1))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
    with torch.no_grad():
        first.bias.fill_(0.0)
        first.bias[:4] = -100.0

    def train() -> None:
        for _ in range(8):
            model(torch.randn(100, 2)).sum().backward()
            optimizer.step()

    trace = watch(train)
    dead = trace[DEAD][:, 0]
    assert list(trace.at(DEAD)) == [5, 6, 7]  # 512 examples are seen in the sixth batch of 100
    np.testing.assert_allclose(dead, 0.4, rtol=1e-6)


def test_dead_channels_of_a_convolution() -> None:
    first = nn.Conv2d(1, 4, 3)
    model = nn.Sequential(first, nn.ReLU(), nn.Flatten(), nn.Linear(16, 1))
    with torch.no_grad():
        assert first.bias is not None
        first.bias[0] = -100.0

    def train() -> None:
        for _ in range(3):
            model(torch.randn(256, 1, 4, 4)).sum().backward()

    trace = watch(train)
    assert trace[DEAD][-1, 0] == pytest.approx(0.25)


def test_gain_through_time_of_a_hand_unrolled_cell() -> None:
    length, gain = 12, 0.5
    w = (gain * torch.linalg.qr(torch.randn(6, 6, generator=torch.Generator().manual_seed(0)))[0]).requires_grad_()

    def train() -> None:
        h = torch.randn(5, 6)
        for _ in range(length):
            h = h @ w
        h.square().sum().backward()

    trace = watch(train)
    assert trace[TIME_CALLS][0, 0] == length
    assert trace[TIME_GAIN][0, 0] == pytest.approx(gain, rel=1e-4)


def test_gain_through_time_when_early_gradients_underflow() -> None:
    w = (0.2 * torch.eye(3)).requires_grad_()

    def train() -> None:
        h = torch.randn(4, 3)
        for _ in range(120):  # 0.2^119 is 0 in single precision
            h = h @ w + 0.1
        h.sum().backward()

    trace = watch(train)
    assert trace[TIME_GAIN][0, 0] == pytest.approx(0.2, rel=1e-2)


@pytest.mark.parametrize("cell", [nn.RNN, nn.GRU])
def test_recurrent_modules_show_their_time_steps(cell: Callable[..., nn.RNNBase]) -> None:
    rnn = cell(3, 4, batch_first=True)
    trace = watch(lambda: rnn(torch.randn(2, 9, 3))[0][:, -1].sum().backward())
    names = [site.name for site in trace.of("layer")]
    assert trace[TIME_CALLS][0, names.index("rnn.weight_hh_l0")] == 9


def test_loss_is_the_mean_over_accumulated_backwards() -> None:
    model = nn.Linear(2, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
    losses: list[float] = []

    def train() -> None:
        for _ in range(2):
            for _ in range(3):
                loss = model(torch.randn(4, 2)).square().mean()
                loss.backward()
                losses.append(loss.item())
            optimizer.step()
            optimizer.zero_grad()

    trace = watch(train)
    np.testing.assert_allclose(trace[LOSS][:, 0], [np.mean(losses[:3]), np.mean(losses[3:])], rtol=1e-12)
    assert trace.steps == 2


def test_a_scaled_loss_is_recorded_as_the_script_has_it() -> None:
    model = nn.Linear(4, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    seen: dict[str, float] = {}

    def train() -> None:
        loss = model(torch.randn(8, 4)).square().mean()
        scaler.scale(loss).backward()
        scaler.unscale_(optimizer)
        seen["loss"], seen["grad"] = loss.item(), rms(model.weight.grad)
        scaler.step(optimizer)

    trace = watch(train)
    assert value(trace, GRAD_RMS, "model.weight") == pytest.approx(seen["grad"], rel=1e-5)
    assert value(trace, GRAD_USED_RMS, "model.weight") == pytest.approx(seen["grad"], rel=1e-5)
    assert trace[LOSS][0, 0] == pytest.approx(seen["loss"])
    assert trace[LOSS_SCALE][0, 0] == 1024.0


def test_nan_that_is_measured_stands_as_inf() -> None:
    model = nn.Linear(2, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

    def train() -> None:
        (model(torch.randn(3, 2)).sum() * float("nan")).backward()
        optimizer.step()

    trace = watch(train)
    assert np.isinf(trace[LOSS]).all() and np.isinf(trace[GRAD_RMS]).all()


def test_statistics_hold_for_half_precision_and_large_gradients() -> None:
    model = nn.Linear(64, 64).to(torch.bfloat16)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)

    def train() -> None:
        (model(torch.randn(32, 64).bfloat16()).float() * 1e8).sum().backward()
        optimizer.step()

    trace = watch(train)
    assert value(trace, GRAD_RMS, "model.weight") == pytest.approx(rms(model.weight.grad), rel=1e-2)
