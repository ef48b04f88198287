"""The dimension in which the features lie; None where one statistic is for all values."""

from __future__ import annotations

from torch import Tensor


def along(values: Tensor, x: Tensor, dim: int | None) -> Tensor:
    """The per-feature `values`, shaped to broadcast along dimension `dim` of `x`."""
    if dim is None:
        return values
    shape = [1] * x.ndim
    shape[dim] = -1
    return values.view(shape)


def across(x: Tensor, dim: int | None) -> tuple[int, ...]:
    """All other dimensions: those over which a feature's statistics are taken."""
    return tuple(axis for axis in range(x.ndim) if dim is None or axis != dim % x.ndim)


def check_width(x: Tensor, dim: int | None, features: int, where: str) -> None:
    """`x` has the dimension, with `features` features in it (0: any number but none).

    Raises:
        ValueError: it has not.
    """
    if dim is None:
        return
    shape = tuple(x.shape)
    if not -x.ndim <= dim < x.ndim:
        raise ValueError(
            f"{where}: got shape {shape}; expected features in dimension {dim}; for one number a row say dim=None"
        )
    if not x.shape[dim] or (features and x.shape[dim] != features):
        raise ValueError(
            f"{where}: got {x.shape[dim]} features (dimension {dim} of shape {shape}); expected {features or 'some'}; "
            "check the columns, or say with dim= where the features are"
        )
