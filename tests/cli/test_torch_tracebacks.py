"""Tracebacks through torch are those of a run without hooks, armed or not."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from trimtab.cli.tracebacks import clean
from trimtab.watching import Watcher

Both = Callable[..., tuple[Any, Any]]

FAILS = """
import sys
import torch
from torch import nn

class Outer(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = nn.Sequential(nn.Linear(3, 3), nn.ReLU(inplace=True), nn.Linear(3, 1))
    def forward(self, x, *, scale=1.0):
        try:
            return self.inner(
                x
            ) * scale
        except RuntimeError as error:
            raise ValueError("the inner model failed") from error

model = Outer()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for x in torch.ones(2, 3), torch.ones(2, 4):
    optimizer.zero_grad()
    model(x, scale=2.0).sum().backward()
    optimizer.step()
"""


def test_an_uncaught_error_under_armed_hooks(both: Both, tmp_path: Path) -> None:
    (tmp_path / "fails.py").write_text(FAILS)
    plain, watched = both("fails.py")
    assert watched == plain
    assert plain.code == 1
    assert "forward_call" in plain.err


class Odd(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
        return x.clone()

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        raise ArithmeticError("in backward")


def _forward(model: nn.Module) -> None:
    model(torch.ones(2, 4))


def _own_hook(model: nn.Module) -> None:
    model.register_forward_hook(lambda module, inputs, output: None)
    model(torch.ones(2, 4))


def _backward(model: nn.Module) -> None:
    Odd.apply(model(torch.ones(2, 3))).sum().backward()


def _closure(model: nn.Module) -> None:
    torch.optim.SGD(model.parameters(), lr=0.1).step(lambda: 1 / 0)


def _grad(model: nn.Module) -> None:
    torch.autograd.grad(torch.ones(1), torch.ones(1))


def _no_parameters(model: nn.Module) -> None:
    torch.optim.SGD([], lr=0.1)


def _failing_hook(model: nn.Module) -> None:
    def fail(module: nn.Module, inputs: Any, output: Any) -> None:
        raise LookupError("in a hook of the program's own")

    model.register_forward_hook(fail)
    model(torch.ones(2, 3))


@pytest.mark.parametrize("fail", [_forward, _own_hook, _backward, _closure, _grad, _no_parameters, _failing_hook])
def test_a_cleaned_traceback_is_that_of_a_run_without_hooks(fail: Callable[[nn.Module], None]) -> None:
    plain = _caught(fail)
    watcher = Watcher().start()
    try:
        watched = _caught(fail)
        clean(watched)
    finally:
        watcher.stop()
    assert traceback.format_exception(watched) == traceback.format_exception(plain)


def _caught(fail: Callable[[nn.Module], None]) -> BaseException:
    model = nn.Sequential(nn.Linear(3, 3), nn.Sequential(nn.ReLU(), nn.Linear(3, 1)))
    try:
        fail(model)
    except Exception as error:
        return error
    raise AssertionError("nothing was raised")


def test_exceptions_that_refer_to_each_other_are_cleaned_once() -> None:
    one, other = ValueError("one"), ValueError("other")
    one.__cause__, other.__cause__ = other, one
    clean(one)
    assert one.__cause__ is other


BROKEN = {
    "ImportError": "import missing_part",
    "OSError": "def load():\n    raise OSError('no such library')\nload()",
    "SyntaxError": "def f(:",
}


@pytest.mark.parametrize("body", BROKEN.values(), ids=BROKEN.keys())
def test_a_torch_that_cannot_be_imported(both: Both, tmp_path: Path, body: str) -> None:
    (tmp_path / "torch.py").write_text(body)
    (tmp_path / "uses.py").write_text("import torch\n")
    plain, watched = both("uses.py")
    assert watched == plain
