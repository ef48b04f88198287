"""What each kind of layer starts with, and what stays as it is."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from trimtab.init import SCHEMES, gain, initialize
from trimtab.methods.initialize import _gaussian_nodes


def _seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _x(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=_seeded(1))


def _std(p: Any) -> float:
    return float(p.detach().double().square().mean().sqrt())


def test_weights_by_the_gain_of_what_follows_and_biases_zero() -> None:
    net: Any = nn.Sequential(nn.Linear(500, 400), nn.GELU(), nn.Linear(400, 600), nn.Tanh(), nn.Linear(600, 300))
    initialize(net, generator=_seeded())
    for i, (g, fan_in) in {0: (1.53353, 500), 2: (1.59254, 400), 4: (1.0, 600)}.items():
        assert _std(net[i].weight) == pytest.approx(g / math.sqrt(fan_in), rel=0.01)
        assert bool((net[i].bias == 0).all())


@pytest.mark.parametrize(
    ("scheme", "std"),
    [
        ("xavier_uniform", math.sqrt(2) * math.sqrt(2 / (300 + 500))),
        ("xavier_normal", math.sqrt(2) * math.sqrt(2 / (300 + 500))),
        ("kaiming_uniform", math.sqrt(2 / 300)),
        ("kaiming_normal", math.sqrt(2 / 300)),
        ("lecun_uniform", math.sqrt(1 / 300)),
        ("lecun_normal", math.sqrt(1 / 300)),
        ("orthogonal", math.sqrt(2) / math.sqrt(500)),
        ("delta_orthogonal", math.sqrt(2) / math.sqrt(500)),
        ("lsuv", 1 / math.sqrt(500)),
        ("auto", math.sqrt(2 / 300)),
    ],
)
def test_every_scheme_on_a_whole_model(scheme: Any, std: float) -> None:
    net: Any = nn.Sequential(nn.Linear(300, 500), nn.ReLU(), nn.Linear(500, 2))
    report = initialize(net, scheme=scheme, generator=_seeded())
    assert scheme in SCHEMES and report.scheme == scheme
    assert _std(net[0].weight) == pytest.approx(std, rel=0.01)


def test_fan_out_keeps_the_gradient() -> None:
    net: Any = nn.Sequential(nn.Linear(200, 800), nn.ReLU(), nn.Linear(800, 2))
    initialize(net, scheme="kaiming_normal", mode="fan_out", generator=_seeded())
    assert _std(net[0].weight) == pytest.approx(math.sqrt(2 / 800), rel=0.01)


def test_convolutions_use_their_groups_and_delta_kernels() -> None:
    net: Any = nn.Sequential(nn.Conv2d(32, 64, 3, groups=4), nn.ReLU(), nn.ConvTranspose2d(64, 32, 4, stride=2))
    initialize(net, generator=_seeded())
    assert _std(net[0].weight) == pytest.approx(math.sqrt(2 / (8 * 9)), rel=0.02)
    assert _std(net[2].weight) == pytest.approx(math.sqrt(4 / (64 * 16)), rel=0.02)
    initialize(net, scheme="delta_orthogonal", generator=_seeded())
    weight = net[0].weight.detach()
    assert _std(weight[:, :, 0]) == 0 < _std(weight[:, :, 1, 1])


def test_our_own_norm_layers_start_as_new_too() -> None:
    norms = pytest.importorskip("trimtab.nn")
    net: Any = nn.Sequential(nn.Linear(4, 6), norms.BatchNorm1d(6), nn.ReLU(), norms.LayerNorm(6), nn.Linear(6, 2))
    with torch.no_grad():
        net(_x(8, 4) + 3)
        net[1].weight.fill_(5.0)
    report = initialize(net, _x(32, 4))
    assert bool((net[1].weight == 1).all()) and bool((net[1].running_mean == 0).all())
    assert report["0"].activation == "relu" and not report.kept


def test_norm_layers_start_as_new() -> None:
    net: Any = nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.LayerNorm(6), nn.GroupNorm(2, 6))
    with torch.no_grad():
        for _ in range(3):
            net(10 * _x(8, 4))
        for module in net[1:]:
            for p in module.parameters():
                p.fill_(7.0)
    initialize(net, _x(32, 4))
    for module in (net[1], net[3], net[4]):
        assert bool((module.weight == 1).all()) and bool((module.bias == 0).all())
    assert bool((net[1].running_mean == 0).all()) and bool((net[1].running_var == 1).all())
    assert int(net[1].num_batches_tracked) == 0


@pytest.mark.parametrize("kind", [nn.RNN, nn.LSTM, nn.GRU])
def test_recurrent_layers(kind: Any) -> None:
    layer: Any = kind(300, 40, num_layers=2, bidirectional=True)
    initialize(layer, generator=_seeded())
    gates = layer.weight_hh_l0.shape[0] // 40
    for name in ("weight_hh_l0", "weight_hh_l1_reverse"):
        for gate in getattr(layer, name).detach().double().numpy().reshape(gates, 40, 40):
            assert gate @ gate.T == pytest.approx(np.eye(40), abs=1e-5)
    assert _std(layer.weight_ih_l0) == pytest.approx(300**-0.5, rel=0.05)
    forget = 1.0 if kind is nn.LSTM else 0.0
    bias = layer.bias_ih_l0.detach() + layer.bias_hh_l0.detach()
    assert bias.reshape(gates, 40)[min(1, gates - 1)].tolist() == [forget] * 40
    assert float(bias.sum()) == 40 * forget


def test_recurrent_cells_and_projections() -> None:
    cell = nn.LSTMCell(5, 8)
    initialize(cell)
    assert cell.bias_ih.tolist() == [0.0] * 8 + [1.0] * 8 + [0.0] * 16
    projected: Any = nn.LSTM(5, 8, proj_size=3)
    initialize(projected)
    gate = projected.weight_hh_l0.detach()[:8]
    torch.testing.assert_close(gate.T @ gate, torch.eye(3), atol=1e-5, rtol=0)


def test_attention_projections_each_on_their_own() -> None:
    attention = nn.MultiheadAttention(200, 4)
    initialize(attention, generator=_seeded())
    for part in attention.in_proj_weight.detach().chunk(3):
        assert _std(part) == pytest.approx(200**-0.5, rel=0.02)  # as a [600, 200] matrix Xavier has 1/√400
    assert _std(attention.out_proj.weight) == pytest.approx(200**-0.5, rel=0.02)
    assert bool((attention.in_proj_bias == 0).all()) and bool((attention.out_proj.bias == 0).all())
    apart = nn.MultiheadAttention(32, 4, kdim=100, vdim=50, add_bias_kv=True)
    initialize(apart, generator=_seeded())
    assert _std(apart.k_proj_weight) == pytest.approx(0.1, rel=0.05)
    assert _std(apart.v_proj_weight) == pytest.approx(50**-0.5, rel=0.05)


def test_embeddings_and_ties() -> None:
    table: Any = nn.Embedding(400, 64, padding_idx=3)
    initialize(table, generator=_seeded())
    assert _std(table.weight) == pytest.approx(1, rel=0.02) and bool((table.weight[3] == 0).all())

    class Tied(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.table, self.head = nn.Embedding(400, 64), nn.Linear(64, 400, bias=False)
            self.head.weight = self.table.weight

        def forward(self, tokens: Tensor) -> Tensor:
            return self.head(self.table(tokens))

    for example in (None, torch.arange(50)):
        tied = Tied()
        report = initialize(tied, example, generator=_seeded())
        assert tied.head.weight is tied.table.weight
        assert _std(tied.table.weight) == pytest.approx(1 / 8, rel=0.02)  # unit logits
        assert report.kept == {"table.weight": "tied to head.weight: started there"}
        assert [start.parameter for start in report.started] == ["head.weight"]
        assert all(layer.factor == 1 for layer in report.layers)


def test_frozen_parameters_stay_unless_asked_for() -> None:
    net: Any = nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 2))
    net[0].requires_grad_(False)
    before = net[0].weight.clone()
    report = initialize(net, _x(16, 4))
    assert torch.equal(net[0].weight, before) and report["0"].factor == 1.0
    assert report.kept == {"0.weight": "frozen: left as it was", "0.bias": "frozen: left as it was"}
    report = initialize(net, _x(16, 4), "kaiming_normal", include_frozen=True)
    assert not torch.equal(net[0].weight, before) and not report.kept
    assert not net[0].weight.requires_grad and net[2].weight.requires_grad


@pytest.mark.parametrize("include_frozen", [False, True])
def test_a_frozen_backbone_keeps_its_running_estimates(include_frozen: bool) -> None:
    """In evaluation mode it is measured by them too, as the training will use it."""
    backbone: Any = nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(6), nn.ReLU())
    for _ in range(30):
        backbone(5 * _x(32, 4) + 3)
    backbone.requires_grad_(False).eval()
    before = [backbone[1].running_mean.clone(), backbone[1].running_var.clone()]
    net: Any = nn.Sequential(backbone, nn.Linear(6, 2))
    x = 5 * _x(32, 4) + 3
    initialize(net, x, include_frozen=include_frozen, generator=_seeded())
    kept = [torch.equal(a, b) for a, b in zip(before, (backbone[1].running_mean, backbone[1].running_var), strict=True)]
    assert kept == [not include_frozen] * 2
    assert _std(net.eval()(x)) == pytest.approx(1, rel=0.01)


def test_unknown_parameters_stay_and_are_listed() -> None:
    net: Any = nn.Sequential(nn.Linear(4, 4), nn.PReLU())
    net.register_parameter("token", nn.Parameter(torch.full((3,), 5.0)))
    report = initialize(net)
    assert set(report.kept) == {"token", "1.weight"} and net.token.tolist() == [5.0] * 3
    assert "token, 1.weight: no rule for it" in str(report)


def test_quantised_weights_stay() -> None:
    layer: Any = nn.Linear(4, 4)
    layer.weight = nn.Parameter(torch.ones(4, 4, dtype=torch.int8), requires_grad=False)
    assert initialize(layer).kept["weight"] == "holds torch.int8: left as it was"


def test_complex_models() -> None:
    net = nn.Sequential(*(nn.Linear(i, o, dtype=torch.complex64) for i, o in ((8, 16), (16, 4))))
    after = initialize(net, torch.complex(_x(64, 8), _x(64, 8)), generator=_seeded()).after
    assert after is not None and [row.forward for row in after.layers] == pytest.approx([1, 1], rel=0.01)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_low_precision_models(dtype: torch.dtype) -> None:
    net: Any = nn.Sequential(nn.Linear(64, 64), nn.GELU(), nn.LSTM(64, 8)).to(dtype)
    report = initialize(net, _x(32, 64).to(dtype), generator=_seeded())
    assert {p.dtype for p in net.parameters()} == {dtype}
    assert report.after is not None and report.after["0"].forward == pytest.approx(1, abs=0.02)


def test_one_generator_one_start_and_no_other_randomness() -> None:
    def start() -> dict[str, Tensor]:
        net = nn.Sequential(nn.Embedding(9, 8), nn.LSTM(8, 8, batch_first=True))
        net.append(nn.Module())
        net = nn.Sequential(nn.Conv1d(3, 4, 3), nn.BatchNorm1d(4), nn.ReLU(), nn.Dropout(), nn.Linear(8, 2))
        initialize(net, _x(4, 3, 10), generator=_seeded(7))
        return net.state_dict()

    torch.manual_seed(1)
    first = start()
    torch.manual_seed(2)
    second = start()
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_meta_models_are_left_on_meta_and_started_when_materialised() -> None:
    with torch.device("meta"):
        net = nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.SiLU(), nn.LSTM(8, 4))
    for example in (None, torch.empty(16, 6, device="meta")):
        report = initialize(net, example, generator=_seeded())
        assert all(p.is_meta for p in net.parameters()) and not report.started
        assert all("to_empty" in reason for reason in report.kept.values())
        assert report["0"].activation == "silu" and report.before is None and report.after is None
    net.to_empty(device="cpu")
    report = initialize(net, _x(16, 6), generator=_seeded())
    assert not report.kept and all(bool(t.isfinite().all()) for t in net.state_dict().values())
    assert report.after is not None and report.after.passed


def test_inside_a_default_device_the_model_keeps_its_own() -> None:
    """The quadrature's points are kept, and must not be those of the first device that asks."""
    _gaussian_nodes.cache_clear()
    net: Any = nn.Sequential(nn.Linear(6, 8), nn.GELU(), nn.Linear(8, 2))
    x = _x(16, 6)
    with torch.device("meta"):
        report = initialize(net, x, generator=_seeded())
    assert report.after is not None and report.after.passed
    assert gain("gelu") == pytest.approx(report["0"].gain)


def test_lazy_layers_need_an_example() -> None:
    with pytest.raises(ValueError, match=r"0.weight is lazy and has no shape yet; pass an example"):
        initialize(nn.Sequential(nn.LazyLinear(3)))
    net: Any = nn.Sequential(nn.LazyConv1d(4, 3), nn.LazyBatchNorm1d(), nn.ReLU(), nn.Flatten(), nn.LazyLinear(2))
    report = initialize(net, _x(8, 3, 9), generator=_seeded())
    assert [layer.fans.fan_in for layer in report.layers] == [9, 28]
    assert net.training and bool((net[1].running_mean == 0).all())


def test_wrong_arguments_are_refused() -> None:
    with pytest.raises(TypeError, match="the model is a list; expected"):
        initialize([nn.Linear(2, 2)])  # type: ignore[arg-type]
    for scheme in ("auto", "orthogonal"):
        with pytest.raises(TypeError, match=r"generator=0: expected a torch.Generator, as torch.Generator\(\)"):
            initialize(nn.Linear(2, 2), scheme=scheme, generator=0)  # type: ignore[arg-type]


def test_unknown_options_are_refused() -> None:
    with pytest.raises(ValueError, match="scheme='he', expected one of auto"):
        initialize(nn.Linear(2, 2), scheme="he")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="mode='fan'"):
        initialize(nn.Linear(2, 2), mode="fan")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="residual='fixup'"):
        initialize(nn.Linear(2, 2), residual="fixup")  # type: ignore[arg-type]


ACTIVATIONS = [nn.ReLU, nn.GELU, nn.SiLU, nn.Tanh, nn.ELU, nn.Sigmoid, nn.Softplus, nn.Identity]


@settings(derandomize=True, deadline=None, max_examples=40)
@given(
    widths=st.lists(st.integers(1, 40), min_size=2, max_size=7),
    kinds=st.lists(st.sampled_from(ACTIVATIONS), min_size=6, max_size=6),
    norm=st.booleans(),
    scale=st.sampled_from([1e-20, 1e-4, 1.0, 1e6, 1e18, 1e20]),
    dtype=st.sampled_from([torch.float32, torch.float64]),
)
def test_any_network_puts_out_unit_scale_after_every_layer(
    widths: list[int], kinds: list[type[nn.Module]], norm: bool, scale: float, dtype: torch.dtype
) -> None:
    net = nn.Sequential()
    for i, o, kind in zip(widths, widths[1:], kinds, strict=False):
        net.append(nn.Linear(i, o))
        if norm:
            net.append(nn.LayerNorm(o))
        net.append(kind())
    net.to(dtype)
    report = initialize(net, scale * _x(33, widths[0]).to(dtype), generator=_seeded())
    assert report.after is not None
    for layer, row in zip(report.layers, report.after.layers, strict=True):
        assert layer.problem is not None or row.forward == pytest.approx(1, rel=0.02)
        assert layer.problem in (None, "dead: its output does not vary")  # of a width of 1: ReLU, or a norm
    assert all(bool(p.detach().isfinite().all()) for p in net.parameters())


def test_empty_models_and_layers() -> None:
    assert initialize(nn.ReLU(), _x(3, 3)).layers == ()
    with pytest.warns(UserWarning, match="zero-element"):
        layer = nn.Linear(0, 3)
    assert initialize(layer)[""].fans.fan_in == 0


class Elman(nn.Module):
    """A recurrent network written by hand, whose state starts at 0."""

    def __init__(self) -> None:
        super().__init__()
        self.enter, self.carry, self.leave = nn.Linear(6, 16), nn.Linear(16, 16, bias=False), nn.Linear(16, 3)
        nn.init.normal_(self.carry.weight, std=0.02)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = x.new_zeros(len(x), 16)
        for t in range(x.shape[1]):
            h = torch.tanh(self.enter(x[:, t]) + self.carry(h))
        return self.leave(h)


def test_a_recurrence_by_hand_is_orthogonal_and_what_enters_it_stays_small() -> None:
    model, x = Elman(), torch.randn(64, 20, 6, generator=torch.Generator().manual_seed(0))
    report = initialize(model, x, generator=torch.Generator().manual_seed(1))
    identity = model.carry.weight @ model.carry.weight.T
    torch.testing.assert_close(identity, torch.eye(16), atol=1e-5, rtol=0)
    assert 0.6 < float(model.enter.weight.detach().std() * 6**0.5) < 1.4
    assert report.after is not None and report.after.passed


def test_a_square_layer_that_is_called_once_is_drawn_as_any_other() -> None:
    layer = nn.Linear(16, 16)
    model = nn.Sequential(layer, nn.Tanh(), nn.Linear(16, 16))
    initialize(model, torch.randn(64, 16), generator=torch.Generator().manual_seed(1))
    singular = torch.linalg.svdvals(layer.weight.detach())
    assert float(singular.max() / singular.min()) > 3
