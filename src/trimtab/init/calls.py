"""What is seen of a model that runs: its weight layers at work."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from trimtab.init.signals import Function


@dataclass(slots=True)
class Call:
    """A weight layer at work: once for each time that it is called."""

    index: int
    layer: str
    sources: frozenset[int]
    ancestors: frozenset[int]
    depth: int
    entering: int | None  # which storage its input lies in
    names: tuple[str, ...] = ()
    factors: tuple[Function, ...] = ()
    activated: Any = None  # what `on_activation` returned of the activation that follows
    residual: bool = False
    closing_norm: str | None = None  # the norm at the end of its residual branch


@dataclass(slots=True)
class Trace:
    """What was seen: calls in execution order, the number of residual sums, and what the model returned."""

    calls: list[Call] = field(default_factory=list[Call])
    residuals: int = 0
    output: Any = None
    unmeasured: str | None = None  # why there is no gradient
