"""Eight numbers of an array, or of each of its channels, in one pass over memory, on the CPU."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import torch
from torch import Tensor

from trimtab.kernels import native
from trimtab.kernels.layout import CODE, is_ours, layout


class Numbers(NamedTuple):
    """What is known of the values of a channel; float64 [channels], or 0-dimensional without channels.

    How many values are finite, and what is known of these alone: `m2` is Σ (xᵢ − mean)², `saturated` counts
    |x| ≥ limit; `nonfinite` counts the others. Of no finite value at all the mean is 0, the smallest is inf and the
    largest −inf.
    """

    finite: Tensor
    mean: Tensor
    m2: Tensor
    smallest: Tensor
    largest: Tensor
    zeros: Tensor
    nonfinite: Tensor
    saturated: Tensor


def measure(x: Tensor, dim: int | None = None, limit: float = math.inf, *, precise: bool = False) -> Numbers | None:
    """The eight numbers of all of `x`, or of each index of dimension `dim`; None where `x` is not for the native core.

    Parts of some thousand values around a guess at their mean, put together in float64: right to 1e-6 of the variance
    for float32 with mean/sd = 1e4. The same for any number of threads. float64 values beyond 1e150 overflow in `m2`.

    Args:
        x: float32, float64, bfloat16 or float16 on the CPU, without gaps in memory, in any order of dimensions.
        dim: of the channels; -1 for the features of a table.
        limit: from which |x| on a value counts as saturated.
        precise: compute in float64 whatever the format of `x`: some 12 digits in place of 6.

    Source: Chan, Golub, LeVeque (1983), The American Statistician 37(3).

    >>> numbers = measure(torch.tensor([1.0, 2.0, 0.0, float("nan")]))
    >>> numbers is None or (numbers.mean.item(), numbers.m2.item(), numbers.nonfinite.item())
    (1.0, 2.0, 1.0)
    """
    place = layout(x, dim) if is_ours(x) else None
    if place is None:
        return None
    numbers = torch.empty(8, place.channels, dtype=torch.float64)
    if not x.numel():
        numbers.copy_(torch.tensor([0.0, 0.0, 0.0, math.inf, -math.inf, 0.0, 0.0, 0.0])[:, None])
    else:
        room = torch.empty(_room()(*place), dtype=torch.float64)
        given = native.DTYPES[x.dtype], x.data_ptr(), *place, limit, precise
        _moments()(*given, room.data_ptr(), numbers.data_ptr(), native.threads())
    return Numbers(*(numbers.squeeze(1) if dim is None else numbers))


@cache
def _room() -> Callable[..., int]:
    integer = native.INTEGER
    return native.function("trimtab_moments_partial", integer, integer, integer, result=integer)


@cache
def _moments() -> Callable[..., Any]:
    code, place, integer, real = CODE, native.ADDRESS, native.INTEGER, native.REAL
    return native.function("trimtab_moments", code, place, *[integer] * 3, real, code, place, place, code)
