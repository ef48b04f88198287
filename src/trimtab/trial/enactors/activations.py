"""Other activations between the layers, whether they are modules or functions: a mode that sees every call of torch."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.modules.conv import _ConvNd
from torch.overrides import TorchFunctionMode

from trimtab.core.recipe import Change
from trimtab.trial.enactors.base import Call, Enactor
from trimtab.trial.enactors.starts import SEED

SQUASHING = frozenset(
    {torch.sigmoid, torch.tanh, Tensor.sigmoid, Tensor.tanh, F.sigmoid, F.tanh, torch.special.expit, Tensor.sigmoid_}
)
RECTIFYING = frozenset({torch.relu, F.relu, Tensor.relu, torch.relu_, Tensor.relu_, F.relu_})
WEIGHING = frozenset(
    {
        F.linear, F.conv1d, F.conv2d, F.conv3d, torch.matmul, Tensor.matmul, Tensor.__matmul__, torch.mm, Tensor.mm,
        torch.conv1d, torch.conv2d, torch.conv3d, torch.addmm, torch.bmm, torch.baddbmm,
    }
)  # fmt: skip


class _Mode(TorchFunctionMode):
    """Counts the calls of some functions in a forward pass, and puts another in the place of the hidden ones."""

    def __init__(self, wanted: frozenset[Any], instead: Callable[[Tensor], Tensor], hidden: int) -> None:
        super().__init__()
        self._wanted, self._instead, self._left = wanted, instead, hidden
        self.calls: list[bool] = []  # in order: True for an activation, False for a weight

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func in self._wanted:
            self.calls.append(True)
            if self._left > 0:
                self._left -= 1
                return self._instead(args[0])
        elif func in WEIGHING:
            self.calls.append(False)
        return func(*args, **(kwargs or {}))

    @property
    def hidden(self) -> int:
        """Activations behind which a weight still follows."""
        last = max((i for i, activation in enumerate(self.calls) if not activation), default=-1)
        return sum(self.calls[: last + 1])


class _OtherFunction(Enactor):
    """Within each forward pass of a model, hidden activations of some kind are computed by another function."""

    wanted: frozenset[Any] = frozenset()
    nothing_found = "no hidden activation of this kind is called in a model's forward pass"

    def __init__(self, change: Change) -> None:
        super().__init__(change)
        self._hidden: dict[int, int] = {}
        self._mode: _Mode | None = None
        self._probing = False

    @staticmethod
    def instead(x: Tensor) -> Tensor:
        """What is computed in its place."""
        return torch.relu(x)

    def prepare(self, model: nn.Module) -> None:
        """What else belongs to the change, once for each model that has such activations."""

    def model_seen(self, model: nn.Module, args: tuple[Any, ...]) -> None:
        counting = _Mode(self.wanted, self.instead, 0)
        state, self._probing = torch.get_rng_state(), True
        try:
            with contextlib.suppress(Exception), counting:
                model.forward(*args)
        finally:
            torch.set_rng_state(state)
            self._probing = False
        self._hidden[id(model)] = counting.hidden
        if counting.hidden:
            self.prepare(model)
            self.done += 1

    def module_begins(self, call: Call) -> None:
        if call.root and not self._probing and self._hidden.get(id(call.module)):
            self._mode = _Mode(self.wanted, self.instead, self._hidden[id(call.module)])
            self._mode.__enter__()

    def module_ends(self, call: Call) -> None:
        if call.root and self._mode is not None:
            mode, self._mode = self._mode, None
            mode.__exit__(None, None, None)


class ReplaceActivation(_OtherFunction):
    """ReLU in the place of hidden sigmoid and tanh, with weights ~ N(0, 2/fan_in)."""

    names = ("replace-activation",)
    wanted = SQUASHING

    def prepare(self, model: nn.Module) -> None:
        generator = torch.Generator().manual_seed(SEED)
        for layer in model.modules():
            if isinstance(layer, (nn.Linear, _ConvNd)):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu", generator=generator)
                if layer.bias is not None:
                    nn.init.zeros_(layer.bias)


class ReviveUnits(_OtherFunction):
    """LeakyReLU in the place of hidden ReLU, and biases that start at 0."""

    names = ("revive-units",)
    wanted = RECTIFYING

    @staticmethod
    def instead(x: Tensor) -> Tensor:
        return F.leaky_relu(x, 0.01)

    def prepare(self, model: nn.Module) -> None:
        for layer in model.modules():
            if isinstance(layer, (nn.Linear, _ConvNd)) and layer.bias is not None:
                nn.init.zeros_(layer.bias)
