"""What was found of a model's start, as a table with a verdict, and the limits that decide it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from trimtab.init.table import Table, found, number, rendered

# Inside these a start passes. All but the first are those of the rules of `trimtab run`, calibrated on its clinic.
LIMITS = {
    "scale": (1e-3, 1e3),  # RMS of a layer's output: beyond, half precision and ε in norms and optimizers are felt
    "growth": (1e-3, 20.0),  # of the forward scale from the first depth to the last (TT201)
    "product": (2e-3, 1e3),  # M^depth: share of the top gradient that gets to the first layer (TT301, TT302)
    "dead": (0.0, 0.8),  # share of units that are 0 on every example (TT212)
    "saturated": (0.0, 0.5),  # share of outputs where the slope is below 1/20 of the largest (TT211)
}


@dataclass(frozen=True, slots=True)
class LayerCheck:
    """One call of a weight layer. `gain` is M_i = ‖dL/dφ_{i−1}‖ / ‖dL/dφ_i‖, φ_i its output; NaN stands for not known.

    `forward` and `activated` are the RMS of its output and of what its activation makes of that; `gradient` is the norm
    ‖dL/dφ_i‖, `gain_rms` the gain with RMS in place of the norms.
    """

    name: str
    depth: int
    activation: str
    forward: float
    activated: float
    gradient: float
    gain: float
    gain_rms: float
    dead: float
    saturated: float


@dataclass(frozen=True)
class Check:
    """The start of a model: a row per call of a weight layer, in execution order, and the verdict.

    `product` is ‖dL/dφ‖ at the first depth over that at the last, M^(depth − 1); `gain` the M that makes it; `growth`
    the forward scale at the last depth over that at the first. `problems` says what is outside `LIMITS`; none passes.
    """

    layers: tuple[LayerCheck, ...]
    depth: int
    gain: float
    product: float
    growth: float
    problems: tuple[str, ...] = field(default=())

    @property
    def passed(self) -> bool:
        """Whether every limit holds."""
        return not self.problems

    def __getitem__(self, name: str) -> LayerCheck:
        """The row of a layer, that of its first call if it has several."""
        return found(self.layers, name)

    def __rich__(self) -> Any:
        return self._table().rich()

    def __str__(self) -> str:
        return rendered(self._table())

    def _table(self) -> Table:
        columns = ("layer", "activation", "output", "activated", "gradient", "gain M", "dead", "saturated")
        rows = [
            (row.name, row.activation, row.forward, row.activated, row.gradient, row.gain, row.dead, row.saturated)
            for row in self.layers
        ]
        said = "pass" if self.passed else "fail: " + "; ".join(self.problems)
        steps = max(self.depth - 1, 0)  # from the first layer to the last
        about = f"{self.depth} layers deep: M = {number(self.gain)} a layer, M^{steps} = {number(self.product)}"
        return Table("start of the model", columns, rows, f"{about}\n{said}")


def problems_of(rows: tuple[LayerCheck, ...], product: float, growth: float) -> list[str]:
    """What lies outside the limits, in words."""
    found: list[str] = []
    for row in rows:
        if not math.isfinite(row.forward):
            found.append(f"{row.name}: the output is empty or not finite")
        elif row.forward and not _within("scale", row.forward):
            found.append(f"{row.name}: output of RMS {row.forward:.2g}")
        if row.dead > LIMITS["dead"][1]:
            found.append(f"{row.name}: {row.dead:.0%} of the units are dead")
        if row.saturated > LIMITS["saturated"][1]:
            found.append(f"{row.name}: {row.saturated:.0%} saturated")
    if not math.isnan(product) and not _within("product", product):
        found.append(f"the first layer gets {product:.2g} of the gradient")
    if not math.isnan(growth) and not _within("growth", growth):
        found.append(f"the signal grows by {growth:.2g}" if growth > 1 else f"the signal shrinks to {growth:.2g}")
    return found


def _within(limit: str, number: float) -> bool:
    low, high = LIMITS[limit]
    return low <= number <= high
