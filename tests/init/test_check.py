"""The table of a start: its numbers against NumPy, its verdicts on good and bad starts."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from rich.console import Console
from torch import Tensor, nn
from torch.nn import functional as F

from trimtab.init import LIMITS, check, initialize, xavier_normal_


def _x(*shape: int, seed: int = 1) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def _seeded() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def _mlp(depth: int, width: int, activation: type[nn.Module]) -> nn.Sequential:
    return nn.Sequential(*(m for _ in range(depth) for m in (nn.Linear(width, width), activation())))


def test_numbers_are_those_of_a_backward_pass_by_hand() -> None:
    """Three layers, tanh, loss = sum of squares / 2, in NumPy."""
    net: Any = nn.Sequential(nn.Linear(5, 7), nn.Tanh(), nn.Linear(7, 6), nn.Tanh(), nn.Linear(6, 3)).double()
    x = _x(11, 5).double()
    found = check(net, x, loss=lambda y: y.square().sum() / 2)
    w = [layer.weight.detach().numpy() for layer in net[::2]]
    b = [layer.bias.detach().numpy() for layer in net[::2]]
    z1 = x.numpy() @ w[0].T + b[0]
    z2 = np.tanh(z1) @ w[1].T + b[1]
    z3 = np.tanh(z2) @ w[2].T + b[2]
    d3 = z3
    d2 = d3 @ w[2] * (1 - np.tanh(z2) ** 2)
    d1 = d2 @ w[1] * (1 - np.tanh(z1) ** 2)
    norms = [float(np.linalg.norm(d)) for d in (d1, d2, d3)]
    rms = [float(np.sqrt(np.mean(d**2))) for d in (d1, d2, d3)]
    assert [row.forward for row in found.layers] == pytest.approx([np.sqrt(np.mean(z**2)) for z in (z1, z2, z3)])
    assert [row.gradient for row in found.layers] == pytest.approx(norms)
    assert [row.gain for row in found.layers[1:]] == pytest.approx([norms[0] / norms[1], norms[1] / norms[2]])
    assert [row.gain_rms for row in found.layers[1:]] == pytest.approx([rms[0] / rms[1], rms[1] / rms[2]])
    assert math.isnan(found.layers[0].gain)
    assert found.product == pytest.approx(norms[0] / norms[2])
    assert found.gain == pytest.approx((norms[0] / norms[2]) ** 0.5)
    assert found["0"].activated == pytest.approx(float(np.sqrt(np.mean(np.tanh(z1) ** 2))))
    assert found["0"].saturated == pytest.approx(float(np.mean(1 - np.tanh(z1) ** 2 < 0.05)))
    assert found.depth == 3


def test_thirty_gelu_layers_keep_signal_and_gradient() -> None:
    """The formula alone drifts here; with an example it does not."""
    net, x = _mlp(30, 128, nn.GELU), _x(256, 128)
    initialize(net, generator=_seeded())
    assert check(net, x).growth > 3
    report = initialize(net, x, generator=_seeded())
    found = report.after
    assert found is not None and found.passed
    assert all(0.5 < row.forward < 2 for row in found.layers)
    fresh = check(net, _x(256, 128, seed=5))  # on other data too
    assert all(0.5 < row.forward < 2 for row in fresh.layers)
    assert all(0.5 < row.gain < 2 for row in found.layers[1:]) and 0.5 < found.gain < 2


@pytest.mark.parametrize("activation", [nn.ReLU, nn.SiLU, nn.Tanh, nn.ELU, nn.Mish, nn.Hardswish, nn.SELU])
def test_twenty_layers_of_any_activation(activation: type[nn.Module]) -> None:
    net, x = _mlp(20, 96, activation), _x(128, 96)
    found = initialize(net, x, generator=_seeded()).after
    assert found is not None and found.passed
    assert all(0.5 < row.forward < 2 for row in found.layers) and 0.5 < found.gain < 2


def test_bad_starts_fail_and_say_why() -> None:
    x = _x(64, 64)
    vanishing = check(_mlp(12, 64, nn.Sigmoid), x)
    assert not vanishing.passed and vanishing.gain < 0.25
    assert "of the gradient" in vanishing.problems[-1]
    exploding: Any = _mlp(12, 64, nn.ReLU)
    for layer in exploding[::2]:
        nn.init.normal_(layer.weight)
    found = check(exploding, x)
    assert not found.passed and found.growth > LIMITS["growth"][1] and "grows" in found.problems[-1]
    dead: Any = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2))
    nn.init.constant_(dead[0].bias, -50.0)
    found = check(dead, x)
    assert found["0"].dead == 1.0 and "0: 100% of the units are dead" in found.problems
    saturated: Any = nn.Sequential(nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, 2))
    nn.init.normal_(saturated[0].weight)
    assert "saturated" in check(saturated, x).problems[0]
    assert "not finite" in check(nn.Linear(64, 2), x * float("nan")).problems[0]


def test_dead_units_are_channels_of_a_convolution() -> None:
    net: Any = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Conv2d(4, 1, 3))
    with torch.no_grad():
        net[0].bias.copy_(torch.tensor([-99.0, 0.0, -99.0, 0.0]))
    assert check(net, _x(4, 1, 8, 8))["0"].dead == 0.5


def test_residual_network_transformer_and_recurrent_net_start_well() -> None:
    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv1, self.bn1 = nn.Conv2d(16, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16)
            self.conv2, self.bn2 = nn.Conv2d(16, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16)

        def forward(self, x: Tensor) -> Tensor:
            return F.relu(x + self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x))))))

    stem = nn.Conv2d(3, 16, 3, padding=1)
    resnet = nn.Sequential(stem, *(Block() for _ in range(8)), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 10))
    layer: Any = nn.TransformerEncoderLayer(32, 4, 64, batch_first=True, norm_first=True, activation="gelu")
    encoder = nn.TransformerEncoder(layer, 4, enable_nested_tensor=False)
    transformer = nn.Sequential(nn.Embedding(50, 32), encoder, nn.Linear(32, 50))

    class Reader(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.rnn, self.out = nn.GRU(8, 32, 2, batch_first=True), nn.Linear(32, 3)

        def forward(self, x: Tensor) -> Tensor:
            return self.out(self.rnn(x)[0])

    cases: list[tuple[nn.Module, Tensor]] = [
        (resnet, _x(8, 3, 12, 12)),
        (transformer, torch.randint(50, (8, 12), generator=_seeded())),
        (Reader(), _x(8, 20, 8)),
    ]
    for net, example in cases:
        found = initialize(net, example, generator=_seeded()).after
        assert found is not None and found.passed, str(found)
        assert 0.5 < found.gain < 2 and all(0.01 < row.forward < 3 for row in found.layers)


def test_the_depth_is_that_of_the_longest_way() -> None:
    class Two(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b, self.c, self.side = (nn.Linear(8, 8) for _ in range(4))

        def forward(self, x: Tensor) -> dict[str, Tensor]:
            return {"side": 1e6 * self.side(x), "main": self.c(self.b(self.a(x)))}

    net: Any = Two()
    for p in net.parameters():
        if p.dim() > 1:
            xavier_normal_(p)
    found = check(net, _x(16, 8))
    assert found.depth == 3 and [row.depth for row in found.layers] == [1, 1, 2, 3]
    assert 0.2 < found.product < 5  # the side way's gradient, a million times larger, is not on it


def test_tables_print_and_are_values() -> None:
    net: Any = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
    report = initialize(net, _x(32, 4), generator=_seeded())
    text = str(report.after)
    assert "2 layers deep: M = " in text and "M^1 = " in text and "pass" in text and "relu" in text
    assert "gain" in str(report) and "1.41" in str(report)
    console = Console(width=120, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    console.print(report)
    console.print(report.after)
    assert "M^1" in console.export_text()
    console.file.close()
    assert report.after is not None and hash(report.after.layers[0]) is not None
    assert all("E" not in line or "e" in line for line in text.splitlines())


def test_tables_fit_a_narrow_terminal_and_cut_no_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    layer: Any = nn.TransformerEncoderLayer(32, 4, 64, batch_first=True)
    report = initialize(nn.Sequential(nn.Linear(8, 32), nn.TransformerEncoder(layer, 2)), 1e-9 * _x(4, 5, 8))
    for table, columns in ((report, 7), (report.after, 6)):
        lines = str(table).splitlines()
        assert max(map(len, lines)) <= 80
        rows = [line.split() for line in lines if " linear " in line]
        assert len(rows) >= 3
        for cells in rows:
            numbers = [float(cell) for cell in cells[2:] if cell != "–"]
            assert len(cells) == 2 + columns and all(f"{n:.3g}" in cells for n in numbers)


def test_models_without_layers_gradients_or_values() -> None:
    found = check(nn.ReLU(), _x(4, 4))
    assert found.layers == () and found.passed and math.isnan(found.product)
    with torch.no_grad(), pytest.raises(ValueError, match="check: the model or the example is on the meta device"):
        check(nn.Linear(2, 2, device="meta"), _x(4, 2))
    hard = nn.Sequential(nn.Linear(4, 4), nn.ReLU())
    hard.register_forward_hook(lambda module, args, output: output.argmax(-1))
    assert check(hard, _x(4, 4)).problems == (
        "no gradient was measured: nothing that the model returned depends on its weights",
    )
    with pytest.raises(TypeError, match="the loss is a float; expected a tensor"):
        check(nn.Linear(2, 2), _x(4, 2), loss=lambda y: 1.0)  # type: ignore[arg-type, return-value]
    one: Any = check(nn.Linear(2, 2), _x(4, 2))
    assert one.product == 1.0 and one.depth == 1
