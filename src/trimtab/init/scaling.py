"""Data-driven scale: each weight layer's output on an example, in execution order, brought to unit size."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from trimtab.init.layers import weight_layers
from trimtab.init.proportional import multiply
from trimtab.init.running import forward, tensors

TOLERANCE = 0.01  # of the output's standard deviation; the paper has 0.1 of its variance
MAX_PASSES = 10  # the paper's T_max

Factor = Callable[[Tensor], Tensor]


@dataclass(frozen=True, slots=True)
class Scaled:
    """What was done to a layer's weight: multiplied by `factor`; `problem` says why that was not enough."""

    factor: float
    problem: str | None = None


def rms_factor(output: Tensor) -> Tensor:
    """`1 / √E[z²]`: what the formula's schemes keep, and sound where the examples are nearly alike."""
    return output.to(torch.float64).square().mean().rsqrt()


def scaled(
    model: nn.Module,
    example: Any,
    targets: Mapping[str, float],
    factor: Factor,
    tolerance: float = TOLERANCE,
    passes: int = MAX_PASSES,
) -> dict[str, Scaled]:
    """Scale the named layers to their targets on an `untouched` model."""
    modules = {name: m for name, m in weight_layers(model).items() if name in targets}
    with torch.no_grad():
        return _Scaler(modules, targets, factor, tolerance, passes).run(model, example)


class _Scaler:
    """The runs of a model in which its layers are scaled; `_sizes` are those of this run's calls, squared."""

    def __init__(
        self, modules: dict[str, nn.Module], targets: Mapping[str, float], factor: Factor, tolerance: float, passes: int
    ) -> None:
        self._modules = modules
        self._targets = targets
        self._factor = factor
        self._tolerance = tolerance
        self._passes = passes
        self._total = dict.fromkeys(modules, 1.0)
        self._problems: dict[str, str] = {}
        self._shared: set[str] = set()
        self._sizes: dict[str, list[float]] = {}

    def run(self, model: nn.Module, example: Any) -> dict[str, Scaled]:
        for _ in range(self._passes):
            self._sizes = {name: [] for name in self._modules}
            with ExitStack() as stack:
                for name, module in self._modules.items():
                    stack.callback(module.register_forward_hook(self._hook(name), with_kwargs=True).remove)
                forward(model, example)
            self._shared = {name for name, sizes in self._sizes.items() if len(sizes) > 1}
            if not [name for name in sorted(self._shared) if self._scale_shared(name)]:
                break
        else:
            self._problems.update(dict.fromkeys(self._shared, "not settled"))
        called = [name for name, sizes in self._sizes.items() if sizes]
        return {name: Scaled(self._total[name], self._problems.get(name)) for name in called}

    def _hook(self, name: str) -> Any:
        def after(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> Any:
            if name not in self._shared and not self._sizes[name]:
                output = self._scale_now(name, output, lambda: module.forward(*args, **kwargs))
            wanted = self._wanted(name, output)
            self._sizes[name].append(1 / wanted / wanted if wanted else math.inf)
            return output

        return after

    def _scale_now(self, name: str, output: Any, again: Callable[[], Any]) -> Any:
        """Scale a layer until its output is right; returns that output, for the layers that follow."""
        for _ in range(self._passes):
            wanted = self._wanted(name, output)
            if self._settled(name, wanted) or not self._multiply(name, wanted):
                return output
            output = again()
            if abs(math.log(self._wanted(name, output) or math.inf)) > abs(math.log(wanted)) / 2:
                self._multiply(name, 1 / wanted)
                self._problems[name] = "its output does not follow the scale of its weight"
                return again()
        if not self._settled(name, self._wanted(name, output)):
            self._problems[name] = "not settled"
        return output

    def _scale_shared(self, name: str) -> bool:
        """Scale a layer by the mean over its calls; whether it had to be."""
        sizes = self._sizes[name]
        mean = sum(sizes) / len(sizes)
        wanted = mean**-0.5 if mean > 0 else math.inf
        if self._settled(name, wanted):
            return False
        return self._multiply(name, wanted)

    def _settled(self, name: str, wanted: float) -> bool:
        """Whether there is nothing to do, or nothing to be done."""
        if math.isinf(wanted):
            self._problems[name] = "dead: its output does not vary"
        elif not wanted > 0:
            self._problems[name] = "its output is not finite"
        else:
            return abs(wanted - 1) <= self._tolerance
        return True

    @torch.no_grad()
    def _wanted(self, name: str, output: Any) -> float:
        z = next(tensors(output), None)
        if z is None or not z.numel():
            return 1.0
        parts = torch.view_as_real(z) * 2**0.5 if z.is_complex() else z
        return self._targets[name] * float(self._factor(parts))

    def _multiply(self, name: str, by: float) -> bool:
        """Multiply a layer's weight; False, and a problem, where it cannot be."""
        if not multiply(self._modules[name], name, by):
            self._problems[name] = "its weight cannot have that scale: parametrisation or precision"
            return False
        self._total[name] *= by
        return True
