"""The normalisations as operators: what torch asks of an operator, and that compiled layers call them."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.autograd import forward_ad
from torch.library import opcheck

import trimtab
from trimtab.kernels import native
from trimtab.nn import BatchNorm1d, BatchNorm2d, LayerNorm, functional

layer_norm: Any = torch.ops.trimtab.layer_norm.default
batch_norm: Any = torch.ops.trimtab.batch_norm.default
quiet = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")  # of the compiler's own


def given(*shape: int, parameters: tuple[int, ...], dtype: torch.dtype = torch.float32, last: bool = False) -> list:
    draw = torch.Generator().manual_seed(0)
    x = torch.randn(shape, generator=draw, dtype=torch.float64).to(dtype)
    x = x.contiguous(memory_format=torch.channels_last) if last else x
    affine = [torch.randn(parameters, generator=draw).to(dtype).requires_grad_() for _ in range(2 if parameters else 0)]
    return [x.requires_grad_(), *(affine or [None, None])]


LAYER = {
    "rows": (given(4, 6, parameters=(6,)), 1),
    "two dimensions of features": (given(3, 4, 5, parameters=(4, 5)), 2),
    "no batch": (given(6, parameters=(6,)), 1),
    "without parameters": (given(4, 6, parameters=()), 1),
    "bfloat16": (given(4, 6, parameters=(6,), dtype=torch.bfloat16), 1),
    "float64, which plain operations do": (given(4, 6, parameters=(6,), dtype=torch.float64), 1),
    "with gaps, which they do": ([torch.randn(4, 12)[:, ::2].requires_grad_(), None, None], 1),
}
BATCH = {
    "2-D": given(8, 3, parameters=(3,)),
    "NCHW": given(4, 3, 5, 2, parameters=(3,)),
    "NHWC": given(4, 3, 5, 2, parameters=(3,), last=True),
    "without parameters": given(8, 3, parameters=()),
    "float64": given(8, 3, parameters=(3,), dtype=torch.float64),
}


@pytest.mark.parametrize("name", LAYER)
@pytest.mark.parametrize("correction", [0, 1])
@quiet
def test_torch_finds_nothing_wrong_with_layer_norm(name: str, correction: int) -> None:
    tensors, features = LAYER[name]
    opcheck(layer_norm, (*tensors, features, 1e-5, correction))


@pytest.mark.parametrize("name", BATCH)
@quiet
def test_torch_finds_nothing_wrong_with_batch_norm(name: str) -> None:
    opcheck(batch_norm, (*BATCH[name], 1e-5, 0))


@quiet
def test_torch_finds_nothing_wrong_with_the_backward_operators() -> None:
    x, dy, weight = torch.randn(3, 4, 6)
    statistics = torch.randn(3, 4, 1).unbind()
    opcheck(torch.ops.trimtab.layer_norm_backward.default, (dy, x, weight[0], *statistics, 1, 1e-5, 0))
    statistics = torch.randn(3, 1, 6).unbind()
    opcheck(torch.ops.trimtab.batch_norm_backward.default, (dy, x, weight[0], *statistics, 1e-5, 0))


@pytest.mark.parametrize("correction", [0, 1])
def test_derivatives(correction: int) -> None:
    def of_layer(*tensors: Tensor) -> Tensor:
        return layer_norm(*tensors, 1, 1e-3, correction)[0]

    def of_batch(*tensors: Tensor) -> Tensor:
        return batch_norm(*tensors, 1e-3, correction)[0]

    tensors = given(4, 6, parameters=(6,), dtype=torch.float64)
    for operator in (of_layer, of_batch):
        assert torch.autograd.gradcheck(operator, tensors)
        assert torch.autograd.gradgradcheck(operator, tensors)


def test_statistics_are_constants() -> None:
    y, shift, *_ = layer_norm(torch.randn(4, 6, requires_grad=True), None, None, 1, 1e-5, 0)
    assert y.requires_grad and not shift.requires_grad


@quiet  # torch compiles its own formulas for forward mode with torch.jit.script
def test_transforms_are_refused_and_the_functions_take_them() -> None:
    x = torch.randn(4, 6)
    with pytest.raises(RuntimeError, match=r"functional\.layer_norm is for both"):
        torch.func.jvp(lambda x: layer_norm(x, None, None, 1, 1e-5, 0)[0], (x,), (x,))
    with forward_ad.dual_level(), pytest.raises(RuntimeError, match=r"functional\.batch_norm is for both"):
        batch_norm(forward_ad.make_dual(x, x), None, None, 1e-5, 0)
    assert torch.func.jvp(lambda x: functional.layer_norm(x, (6,)), (x,), (x,))[1].shape == x.shape


def graph_of(model: nn.Module, x: Tensor) -> tuple[str, Tensor]:
    """What the compiler is given, and what comes out."""
    graphs: list[str] = []

    def backend(graph: torch.fx.GraphModule, _: list[Tensor]) -> Any:
        graphs.append(graph.code)
        return graph.forward

    torch._dynamo.reset()
    y = torch.compile(model, backend=backend, fullgraph=True)(x)
    return "".join(graphs), y


COMPILED = [
    (LayerNorm(6), (4, 6), "trimtab.layer_norm"),
    (LayerNorm((3, 6), bias=False, variance="unbiased").bfloat16(), (4, 3, 6), "trimtab.layer_norm"),
    (BatchNorm1d(6, affine=False), (4, 6), "trimtab.batch_norm"),
    (BatchNorm2d(3), (4, 3, 2, 5), "trimtab.batch_norm"),
]


@pytest.mark.skipif(not native.available(), reason=native.why_not())
@pytest.mark.parametrize(("layer", "shape", "operator"), COMPILED)
@quiet
def test_a_compiled_layer_calls_them(layer: nn.Module, shape: tuple[int, ...], operator: str) -> None:
    dtype = torch.bfloat16 if any(p.dtype == torch.bfloat16 for p in layer.parameters()) else torch.float32
    x = torch.randn(shape).to(dtype)
    graph, y = graph_of(copy.deepcopy(layer), x)
    assert operator in graph
    torch.testing.assert_close(y, copy.deepcopy(layer)(x))


@quiet
def test_a_compiled_layer_calls_none_where_plain_operations_are_better(monkeypatch: pytest.MonkeyPatch) -> None:
    x = torch.randn(4, 6)
    assert "trimtab" not in graph_of(LayerNorm(6).double(), x.double())[0]
    assert "trimtab" not in graph_of(nn.Sequential(Tangent(LayerNorm(6))), x)[0]
    monkeypatch.setattr(native, "available", lambda: False)
    assert "trimtab" not in graph_of(LayerNorm(6), x)[0]


class Tangent(nn.Module):
    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: Tensor) -> Tensor:
        return torch.func.jvp(self.inner, (x,), (x,))[1]


@pytest.mark.skipif(not native.available(), reason=native.why_not())
@pytest.mark.slow
@quiet
def test_a_model_trains_compiled_under_autocast() -> None:
    torch._dynamo.reset()
    torch.manual_seed(0)
    eager = nn.Sequential(nn.Conv2d(2, 4, 3), BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(16, 6), LayerNorm(6))
    twin, x = copy.deepcopy(eager), torch.randn(8, 2, 4, 4)
    for model in (eager, torch.compile(twin, fullgraph=True)):
        with torch.autocast("cpu", torch.bfloat16):
            y = model(x)
        assert y.dtype == torch.bfloat16
        y.float().square().sum().backward()
    for mine, expected in zip(twin.parameters(), eager.parameters(), strict=True):
        assert mine.grad is not None and expected.grad is not None
        assert (mine.grad - expected.grad).norm() < 0.05 * expected.grad.norm() + 1e-3


@quiet
def test_an_exported_layer_needs_no_trimtab_and_an_exported_operator_does() -> None:
    class Direct(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return layer_norm(x, None, None, 1, 1e-5, 0)[0]

    x = torch.randn(4, 6)
    for model, expected in ((trimtab.nn.LayerNorm(6), False), (Direct(), True)):
        program = torch.export.export(model, (x,))
        assert ("trimtab" in str(program.graph)) is expected
        torch.testing.assert_close(program.module()(x), model(x))
