"""What users call goes to the kernels on a device that they take, and comes to the same as torch in float64."""

from __future__ import annotations

import importlib
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

import trimtab

Calls = list[str]


@pytest.fixture
def calls(device: torch.device, monkeypatch: pytest.MonkeyPatch) -> Calls:
    """The kernels' functions that were called; the native core stays out, so that a CPU stands for a GPU."""
    monkeypatch.setattr("trimtab.kernels.native.available", lambda: False)
    made: Calls = []

    def recorded(name: str, function: Callable[..., object]) -> Callable[..., object]:
        return lambda *args, **kwargs: made.append(name) or function(*args, **kwargs)

    for module, functions in {
        "batch_norm": ("forward", "backward", "evaluate"),
        "layer_norm": ("forward", "backward"),
        "moments": ("measure",),
    }.items():
        kernels = importlib.import_module(f"trimtab.kernels.triton.{module}")
        for name in functions:
            monkeypatch.setattr(kernels, name, recorded(f"{module}.{name}", getattr(kernels, name)))
    return made


def trained(layer: torch.nn.Module, x: Tensor, dy: Tensor) -> list[Tensor]:
    """y, and the gradients by x and the parameters."""
    x = x.clone().requires_grad_()
    y = layer(x)
    y.backward(dy)
    return [y.detach(), *(p.grad for p in (x, *layer.parameters()) if p.grad is not None)]


@pytest.mark.parametrize(
    ("name", "size", "shape"),
    [
        ("BatchNorm1d", 6, (9, 6)),
        ("BatchNorm2d", 3, (4, 3, 5, 7)),
        ("LayerNorm", 33, (2, 5, 33)),
        ("LayerNorm", (4, 5), (3, 4, 5)),
    ],
)
def test_layers_train_by_the_kernels(calls: Calls, device: torch.device, name: str, size, shape) -> None:
    draw = torch.Generator().manual_seed(0)
    x, dy = torch.randn(shape, generator=draw) + 3, torch.randn(shape, generator=draw)
    ours, wide = getattr(trimtab.nn, name)(size).to(device), getattr(torch.nn, name)(size).double()
    found, wanted = trained(ours, x.to(device), dy.to(device)), trained(wide, x.double(), dy.double())
    for one, other in zip(found, wanted, strict=True):
        torch.testing.assert_close(one.cpu().double(), other, rtol=1e-4, atol=1e-5)
    kind = "layer_norm" if name == "LayerNorm" else "batch_norm"
    assert calls == [f"{kind}.forward", f"{kind}.backward"]


def test_batch_norm_is_evaluated_by_the_kernels(calls: Calls, device: torch.device) -> None:
    x = torch.randn(4, 3, 5, generator=torch.Generator().manual_seed(0))
    layer, wide = trimtab.nn.BatchNorm1d(3).to(device).eval(), torch.nn.BatchNorm1d(3).double().eval()
    with torch.no_grad():
        torch.testing.assert_close(layer(x.to(device)).cpu().double(), wide(x.double()), rtol=1e-5, atol=1e-6)
    assert calls == ["batch_norm.evaluate"]


def test_a_standardizer_is_fitted_by_the_kernels_in_float64(calls: Calls, device: torch.device) -> None:
    x = torch.randn(500, 4, generator=torch.Generator().manual_seed(0)) + 1e4
    fitted = trimtab.data.Standardizer().fit(x.to(device))
    torch.testing.assert_close(fitted.mean.cpu().double().flatten(), x.double().mean(0), rtol=1e-12, atol=0)
    assert calls == ["moments.measure"]


def test_float64_is_left_to_torch(calls: Calls, device: torch.device) -> None:
    layer = trimtab.nn.LayerNorm(4).to(device).double()
    layer(torch.randn(2, 4, dtype=torch.float64, device=device))
    assert calls == []
