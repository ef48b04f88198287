"""Values into parameters, each once, and none that must stay as it is."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from trimtab.init.layers import is_frozen, leaves, value, write


@dataclass(frozen=True, slots=True)
class Start:
    """A parameter, the rule that filled it, and the RMS that it then had."""

    parameter: str
    rule: str
    rms: float


class Writer:
    """Writes new values, except into frozen, tied and meta parameters, and keeps the record of both."""

    def __init__(self, include_frozen: bool) -> None:
        self.include_frozen = include_frozen
        self.started: list[Start] = []
        self.kept: dict[str, str] = {}
        self._first: dict[int, str] = {}  # where each parameter was dealt with, by its id

    def __call__(
        self, layer: str, module: nn.Module, parameter: str, make: Callable[[Tensor], Tensor], rule: str
    ) -> None:
        """Set a layer's parameter to `make(like it)`; nothing if the layer has none of that name."""
        if value(module, parameter) is None:
            return
        name, own = f"{layer}.{parameter}" if layer else parameter, leaves(module, parameter)
        reason = self._reason(own)
        self._first.update((id(p), name) for p in own if id(p) not in self._first)
        if reason is not None:
            self.kept[name] = reason
            return
        with torch.no_grad():
            made = make(value(module, parameter)).to(own[0].device)  # type: ignore[arg-type]
            write(module, parameter, made, layer)
        self.started.append(Start(name, rule, _rms(made)))

    def keeps(self, module: nn.Module) -> bool:
        """Whether a layer is frozen and stays as it is."""
        return not self.include_frozen and is_frozen(module)

    def keep_others(self, model: nn.Module) -> None:
        """Record the parameters that no rule knows."""
        for name, parameter in model.named_parameters():
            if id(parameter) not in self._first:
                self.kept[name] = "no rule for it: left as it was"

    def _reason(self, own: list[nn.Parameter]) -> str | None:
        for p in own:
            if id(p) in self._first:
                return f"tied to {self._first[id(p)]}: started there"
            if is_lazy(p):
                return "not materialised yet"
            if p.is_meta:
                return "on the meta device: materialise it by to_empty(device=...), then initialise again"
            if not (p.is_floating_point() or p.is_complex()):
                return f"holds {p.dtype}: left as it was"
            if not p.requires_grad and not self.include_frozen:
                return "frozen: left as it was"
        return None


def _rms(values: Tensor) -> float:
    size = torch.linalg.vector_norm(values.abs() if values.is_complex() else values, dtype=torch.float64)
    return float(size) / math.sqrt(max(values.numel(), 1))
