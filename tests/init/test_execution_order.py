"""Which activation follows which layer: seen where the model runs, read where it is defined."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

from trimtab.init import Report, gain, initialize


class Net(nn.Module):
    """Layers defined in any order, and a forward pass given as a function of them."""

    def __init__(self, forward: Callable[..., Tensor], **layers: nn.Module) -> None:
        super().__init__()
        for name, layer in layers.items():
            setattr(self, name, layer)
        self._forward = forward

    def forward(self, *args: Tensor) -> Tensor:
        return self._forward(self, *args)


def _x(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


def _order(report: Report) -> list[str]:
    return [layer.name for layer in report.layers]


def test_execution_order_and_not_definition_order() -> None:
    net = Net(
        lambda m, x: m.last(F.gelu(m.middle(torch.tanh(m.first(x))))),
        last=nn.Linear(8, 2), first=nn.Linear(4, 8), middle=nn.Linear(8, 8),
    )  # fmt: skip
    report = initialize(net, _x(32, 4))
    assert _order(report) == ["first", "middle", "last"]
    assert [layer.activation for layer in report.layers] == ["tanh", "gelu", "linear"]
    assert report["middle"].gain == pytest.approx(gain("gelu"))
    assert [row.depth for row in report.after.layers] == [1, 2, 3]  # type: ignore[union-attr]


@pytest.mark.filterwarnings("ignore:None of the inputs have requires_grad:UserWarning")  # of checkpoint, reentrant
@pytest.mark.parametrize(
    ("activate", "expected"),
    [
        (F.relu, gain("relu")),
        (lambda x: x.relu_(), gain("relu")),
        (lambda x: x.tanh(), gain("tanh")),
        (torch.sigmoid, gain("sigmoid")),
        (lambda x: x * torch.sigmoid(x), gain("silu")),
        (lambda x: x * F.softplus(x).tanh(), gain("mish")),
        (lambda x: torch.where(x > 0, x, 0.2 * x), gain("leaky_relu", negative_slope=0.2)),
        (lambda x: torch.maximum(x, torch.zeros(())), gain("relu")),
        (lambda x: F.relu(x).square(), gain(lambda z: F.relu(z) ** 2)),
        (lambda x: 2**0.5 * F.relu(x), 1.0),
        (lambda x: torch.sin(30 * x), 2**0.5),
        (lambda x: F.glu(torch.cat([x, x], -1)), gain("sigmoid")),
        (lambda x: x.chunk(2, -1)[0] * F.gelu(x.chunk(2, -1)[1]), gain("gelu")),
        (lambda x: F.dropout(F.silu(F.layer_norm(x, x.shape[-1:])), 0.5), gain("silu")),
        (lambda x: F.softmax(x, -1), 1.0),
        (lambda x: x.transpose(0, 1).contiguous().transpose(0, 1).clamp(min=0), gain("relu")),
        (lambda x: (x - x.mean(0)) / x.std(0), 1.0),
        (lambda x: F.elu(x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6)), gain("elu")),
        (lambda x: F.relu(x.to(torch.float64)).float(), gain("relu")),
        (lambda x: F.relu(x.masked_fill(x.isnan(), 0.0)), gain("relu")),
        (lambda x: checkpoint(F.silu, x, use_reentrant=False), gain("silu")),
        (lambda x: checkpoint(F.silu, x, use_reentrant=True), gain("silu")),
        (lambda x: F.threshold(F.rrelu(x), -9.0, 0.0), gain(nn.RReLU())),
    ],
)
def test_functional_activations_are_seen(activate: Callable[[Tensor], Tensor], expected: float) -> None:
    net = Net(lambda m, x: m.b(activate(m.a(x))), a=nn.Linear(6, 8), b=nn.LazyLinear(3))
    assert initialize(net, _x(32, 6))["a"].gain == pytest.approx(expected, abs=2e-3)


@pytest.mark.parametrize(
    "activation",
    [
        nn.CELU(), nn.ELU(0.5), nn.GELU("tanh"), nn.Hardshrink(), nn.Hardsigmoid(), nn.Hardswish(), nn.Hardtanh(),
        nn.LeakyReLU(0.2), nn.LogSigmoid(), nn.Mish(), nn.PReLU(8), nn.ReLU(inplace=True), nn.ReLU6(), nn.RReLU(),
        nn.SELU(), nn.SiLU(inplace=True), nn.Sigmoid(), nn.Softplus(2.0), nn.Softshrink(), nn.Softsign(), nn.Tanh(),
        nn.Tanhshrink(), nn.Threshold(0.1, 0.2), nn.GLU(), nn.Softmax(-1), nn.LogSoftmax(-1), nn.Softmin(-1),
    ],
    ids=lambda m: type(m).__name__,
)  # fmt: skip
def test_modules_seen_running_read_in_order_and_alone_have_one_gain(activation: nn.Module) -> None:
    net = nn.Sequential(nn.Linear(6, 8), activation, nn.LazyLinear(3))
    seen, read = (initialize(net, example)["0"] for example in (_x(32, 6), None))
    assert seen.gain == pytest.approx(read.gain, abs=1e-9)
    assert seen.gain == pytest.approx(gain(activation), abs=1e-9)
    if isinstance(activation, (nn.LeakyReLU, nn.LogSigmoid, nn.LogSoftmax, nn.GELU, nn.PReLU)):
        assert seen.activation == read.activation  # others are made of several operations, which are named


def test_norm_pooling_and_reshaping_are_passed_through() -> None:
    net = nn.Sequential(
        nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.MaxPool2d(2), nn.Dropout2d(), nn.SiLU(), nn.AdaptiveAvgPool2d(2),
        nn.Flatten(), nn.Linear(32, 16), nn.LayerNorm(16), nn.Tanh(), nn.Linear(16, 2),
    )  # fmt: skip
    for report in (initialize(net, _x(4, 3, 12, 12)), initialize(net)):
        assert [layer.activation for layer in report.layers] == ["silu", "tanh", "linear"]


def test_a_gate_of_two_layers_activates_the_one_that_goes_through_it() -> None:
    net = Net(
        lambda m, x: m.down(F.silu(m.gate(x)) * m.up(x)),
        gate=nn.Linear(6, 16), up=nn.Linear(6, 16), down=nn.Linear(16, 6),
    )  # fmt: skip
    report = initialize(net, _x(64, 6))
    assert [layer.activation for layer in report.layers] == ["silu", "gate", "linear"]
    assert report["up"].gain == 1.0


def test_what_enters_a_layer_together_has_each_its_activation() -> None:
    net = Net(
        lambda m, x: m.pair(F.relu(m.a(x)), torch.tanh(m.b(x))),
        a=nn.Linear(6, 5), b=nn.Linear(6, 4), pair=nn.Bilinear(5, 4, 2),
    )  # fmt: skip
    assert [layer.activation for layer in initialize(net, _x(32, 6)).layers] == ["relu", "tanh", "linear"]


def test_attention_by_hand_ends_in_softmax_for_queries_and_keys() -> None:
    def attend(m: Any, x: Tensor) -> Tensor:
        q, k, v = m.q(x), m.k(x), m.v(x)
        return m.o(F.softmax(q @ k.transpose(-1, -2) / 8**0.5, -1) @ v)

    net = Net(attend, q=nn.Linear(8, 8), k=nn.Linear(8, 8), v=nn.Linear(8, 8), o=nn.Linear(8, 8))
    report = initialize(net, _x(4, 5, 8))
    assert [layer.gain for layer in report.layers] == [1.0, 1.0, 1.0, 1.0]
    assert report["q"].activation == report["k"].activation == "softmax"
    assert report.after["o"].depth == 2  # type: ignore[union-attr, index]


def test_statistics_are_no_activations() -> None:
    """A norm by hand squares the stream; a squeeze-and-excite gate is an activation of its own layer alone."""

    def forward(m: Any, x: Tensor) -> Tensor:
        h = m.a(x)
        h = h + m.b(h * torch.rsqrt(h.pow(2).mean(-1, keepdim=True) + 1e-6))
        gate = torch.sigmoid(m.gate(h.mean(1)))
        return m.c((h - h.mean(-1, keepdim=True)) / (h.var(-1, keepdim=True) + 1e-6).sqrt() * gate[:, None])

    layers = {"a": nn.Linear(6, 8), "b": nn.Linear(8, 8), "gate": nn.Linear(8, 8), "c": nn.Linear(8, 2)}
    report = initialize(Net(forward, **layers), _x(16, 5, 6))
    assert [layer.activation for layer in report.layers] == ["linear", "linear", "sigmoid", "linear"]


def test_a_shared_activation_module_in_a_container_is_read_for_all_its_layers() -> None:
    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv1, self.act, self.conv2 = nn.Conv2d(4, 4, 3), nn.ReLU(), nn.Conv2d(4, 4, 3)

    report = initialize(nn.Sequential(Block(), Block(), nn.Flatten(), nn.Linear(4, 2)))
    assert [layer.activation for layer in report.layers] == ["relu"] * 4 + ["linear"]


def test_without_example_functional_activations_can_be_told() -> None:
    net = Net(lambda m, x: m.b(F.relu(m.a(x))), a=nn.Linear(6, 8), b=nn.Linear(8, 3))
    assert initialize(net)["a"].gain == 1.0
    report = initialize(net, activation=F.relu)
    assert report["a"].gain == pytest.approx(2**0.5)
    assert report["b"].gain == 1.0  # the last layer's output is the model's


def test_transformer_layers_say_their_activation() -> None:
    layer = nn.TransformerEncoderLayer(8, 2, 16, activation="gelu", batch_first=True)
    for report in (initialize(layer), initialize(layer, _x(2, 5, 8))):
        assert report["linear1"].activation == "gelu"
        assert report["linear2"].residual and report["self_attn"].residual


def test_examples_of_every_form() -> None:
    net = Net(lambda m, x, y: m.c(F.relu(m.a(x) + m.b(y))), a=nn.Linear(4, 8), b=nn.Linear(6, 8), c=nn.Linear(8, 1))

    class Keywords(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = net

        def forward(self, *, x: Tensor, y: Tensor) -> dict[str, list[Tensor]]:
            return {"out": [self.net(x, y)]}

    x, y = _x(16, 4), _x(16, 6)
    for report in (initialize(net, (x, y)), initialize(net, [x, y]), initialize(Keywords(), {"y": y, "x": x})):
        assert [layer.activation for layer in report.layers] == ["relu", "relu", "linear"]


def test_a_failing_example_names_layer_and_shapes() -> None:
    net = nn.Sequential(nn.Linear(4, 5), nn.Sequential(nn.ReLU(), nn.Linear(6, 2)))
    with pytest.raises(RuntimeError, match=r"layer '1.1' \(Linear\(in_features=6.*given float32\[3, 5\]"):
        initialize(net, _x(3, 4))
    with pytest.raises(RuntimeError, match=r"layer '1' \(BatchNorm1d.*pass a batch of more examples"):
        initialize(nn.Sequential(nn.Linear(4, 5), nn.BatchNorm1d(5)), _x(1, 4))
    with pytest.raises(RuntimeError, match="a tuple its positional arguments: leave out the targets"):
        initialize(nn.Sequential(nn.Linear(4, 5)), (_x(3, 4), torch.zeros(3)))
    with pytest.raises(RuntimeError, match="failed on the example in Net"):
        initialize(Net(lambda m, x: x + torch.zeros(99, 98)), _x(1, 4))


def test_models_that_do_more_than_call_layers() -> None:
    def failing(m: Any, x: Tensor) -> Tensor:
        try:
            m.broken(x)
        except RuntimeError:
            return m.b(F.silu(m.a(x)))
        raise AssertionError

    def by_its_own_gradient(m: Any, x: Tensor) -> Tensor:
        with torch.enable_grad():
            x = x.requires_grad_()
            return torch.autograd.grad(m.b(F.silu(m.a(x))).sum(), x, create_graph=True)[0]

    def by_value(m: Any, x: Tensor) -> Tensor:
        y = m.a(x)
        return m.b(F.silu(y) if bool(y.isfinite().all()) else y)

    def with_its_loss(m: Any, x: Tensor) -> Any:
        y = m.b(F.silu(m.a(x)))
        return {"loss": F.mse_loss(y, torch.zeros_like(y)), "out": (y, None, 3)}

    def mapped(m: Any, x: Tensor) -> Tensor:
        return torch.vmap(lambda row: m.b(F.silu(m.a(row))))(x)

    for forward in (failing, by_its_own_gradient, by_value, with_its_loss, mapped):
        net = Net(forward, a=nn.Linear(6, 8), b=nn.Linear(8, 3), broken=nn.Linear(99, 2))
        report = initialize(net, _x(32, 6))
        assert report["a"].activation == "silu", forward
        assert report["broken"].activation == "not called"
        assert report.after is not None and report.after["a"].forward == pytest.approx(1, rel=0.02)


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
def test_scripted_parts_are_passed_over() -> None:
    part: Any = torch.jit.script(nn.Sequential(nn.Linear(6, 8), nn.GELU()))
    report = initialize(nn.Sequential(part, nn.Linear(8, 2)), _x(32, 6))
    assert [layer.name for layer in report.layers] == ["1"]
    assert set(report.kept) == {"0.0.weight", "0.0.bias"}


def test_a_layer_that_is_not_there_is_named() -> None:
    report = initialize(nn.Sequential(nn.Linear(6, 8), nn.GELU()), _x(32, 6))
    with pytest.raises(KeyError, match="no layer 'fc'; there are '0'"):
        report["fc"]
    with pytest.raises(KeyError, match="no layer 'fc'"):
        report.after["fc"]  # type: ignore[index]
