"""What a step does, as plain numbers, and as the structure that the native core takes."""

from __future__ import annotations

import ctypes
import math
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from trimtab.kernels.native import ADDRESS, REAL

STREAMS = ("param", "grad", "velocity", "square", "third", "average", "step", "average_step")
VELOCITIES = ("ema", "sum")
THIRDS = (None, "mean", "largest")


@dataclass(frozen=True)
class StepOptions:
    """`w ← w − lr · direction / scale`.

    There is a direction other than g where the table has a "velocity", and a scale where it has a "square".
    g is first multiplied by `factor`, and by the tensor's own of `factors`; bounded to ±`bound`; negated to `maximize`.
    `velocity="ema"`: `v ← β₁ v + (1−β₁) g`; "sum": `v ← β₁ v + (1−dampening) g`, but `v ← g` where the tensor's own of
    `begun` is 0. `of_scaled` accumulates g / scale in place of g.
    `s ← β₂ s + (1−β₂) g²`, and the scale is `√s + eps`, or `√(s + eps)` for `eps_inside`; it is centred where the table
    has a "mean", and AMSGrad's where it has a "largest".
    `correct_velocity` and `correct_scale` divide v and s by `1 − βᵗ`, t from the table's "step".
    `decoupled` decays the weights, else the gradient. The table's "average" moves by `gain`, or by the tensor's own of
    `gains`, to the weights that come out.
    """

    lr: float
    velocity: Literal["ema", "sum"] = "ema"
    beta1: float = 0.0
    dampening: float = 0.0
    nesterov: bool = False
    of_scaled: bool = False
    correct_velocity: bool = False
    beta2: float = 0.0
    eps: float = 0.0
    eps_inside: bool = False
    correct_scale: bool = False
    weight_decay: float = 0.0
    decoupled: bool = False
    maximize: bool = False
    bound: float = math.inf
    factor: float = 1.0
    factors: Sequence[float] | None = None
    gain: float = 1.0
    gains: Sequence[float] | None = None
    begun: Sequence[int] | None = None


class Settings(ctypes.Structure):
    """As `struct Settings` in native/step.h."""

    _fields_ = [
        *((name, REAL) for name in ("lr", "beta1", "dampening", "beta2", "eps", "weight_decay")),
        *((name, REAL) for name in ("bound", "factor", "gain")),
        *((name, ADDRESS) for name in ("factors", "gains", "begun")),
        ("row", ctypes.c_int32 * len(STREAMS)),
        *((name, ctypes.c_int32) for name in ("dtype", "step_dtype", "velocity", "third")),
        *((name, ctypes.c_int32) for name in ("nesterov", "of_scaled", "correct_velocity", "correct_scale")),
        *((name, ctypes.c_int32) for name in ("eps_inside", "decoupled", "maximize")),
    ]


def settings(options: StepOptions, rows: Sequence[str], dtype: int, step_dtype: int) -> tuple[Settings, list[Any]]:
    """The structure, and the lists of numbers that it points to, which must live as long as it.

    `rows` are the names of the table's rows; `dtype` is the parameters' and `step_dtype` the counters' code.
    """
    third = next((name for name in THIRDS[1:] if name in rows), None)
    names = ["third" if name == third else name for name in rows]
    numbers: dict[str, Any] = {name: getattr(options, name) for name in vars(options)}
    lists = {name: _listed(numbers[name], code) for name, code in (("factors", "d"), ("gains", "d"), ("begun", "q"))}
    numbers |= {name: values.buffer_info()[0] if values is not None else None for name, values in lists.items()}
    numbers |= {"velocity": VELOCITIES.index(options.velocity), "third": THIRDS.index(third)}
    where = [names.index(name) if name in names else -1 for name in STREAMS]
    row = (ctypes.c_int32 * len(STREAMS))(*where)
    return Settings(**numbers, row=row, dtype=dtype, step_dtype=step_dtype), list(lists.values())


def _listed(values: Sequence[float] | None, code: str) -> array[Any] | None:
    return None if values is None else array(code, values)
