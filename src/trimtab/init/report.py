"""What `initialize` did, as values and as a table."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from trimtab.init.fans import Fans
from trimtab.init.table import Table, found, rendered
from trimtab.init.verdict import Check
from trimtab.init.writing import Start


@dataclass(frozen=True, slots=True)
class LayerStart:
    """A weight layer: what follows it, its fans, and by what its weight was multiplied to suit the example."""

    name: str
    activation: str
    gain: float
    fans: Fans
    residual: bool
    factor: float = 1.0
    problem: str | None = None


@dataclass(frozen=True)
class Report:
    """What `initialize` did: layers in execution (or definition) order, parameters started and kept, both checks."""

    scheme: str
    layers: tuple[LayerStart, ...]
    started: tuple[Start, ...]
    kept: Mapping[str, str]
    before: Check | None = None
    after: Check | None = None

    def __getitem__(self, name: str) -> LayerStart:
        """The layer of this name."""
        return found(self.layers, name)

    def __rich__(self) -> Any:
        return self._table().rich()

    def __str__(self) -> str:
        return rendered(self._table())

    def _table(self) -> Table:
        columns = (
            "layer", "activation", "gain", "fan\nin", "factor", "output\nbefore", "output\nafter", "M\nbefore",
            "M\nafter",
        )  # fmt: skip
        rows = [(x.name, x.activation, x.gain, x.fans.fan_in, x.factor, *self._scales(x.name)) for x in self.layers]
        said = [f"{x.name}: {x.problem}" for x in self.layers if x.problem]
        said += [_listed([n for n, r in self.kept.items() if r == reason], reason) for reason in _unique(self.kept)]
        if self.after is not None:
            said.append("check: " + ("pass" if self.after.passed else "; ".join(self.after.problems)))
        return Table(f"initialize: {self.scheme}", columns, rows, "\n".join(said))

    def _scales(self, name: str) -> tuple[float, ...]:
        """Output before and after, M before and after."""
        rows = [check[name] if check is not None else None for check in (self.before, self.after)]
        return tuple(getattr(row, field) if row else math.nan for field in ("forward", "gain") for row in rows)


def _unique(kept: Mapping[str, str]) -> list[str]:
    return list(dict.fromkeys(kept.values()))


def _listed(names: list[str], reason: str) -> str:
    """At most three names, and how many more."""
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f"{', '.join(names[:3])}{more}: {reason}"
