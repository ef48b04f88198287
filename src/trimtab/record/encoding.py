"""Values to columns and back: text and attributes as ASCII JSON, readings as the bytes of an array."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from trimtab.core.trace import Floats


def to_text(value: object) -> str:
    """ASCII JSON, in which NaN, Inf, NUL and lone surrogates survive; NumPy scalars become Python's."""
    return json.dumps(dict(value) if isinstance(value, Mapping) else value, default=_python_scalar)


def from_text(text: str) -> Any:
    """What `to_text` was given."""
    return json.loads(text)


def to_blob(values: np.ndarray, dtype: str) -> bytes:
    """The values [S] as bytes of `dtype`; a finite value beyond its range becomes its largest, not Inf."""
    with np.errstate(over="ignore", invalid="ignore"):
        stored = values.astype(dtype)
    overflowed = np.isinf(stored)
    if overflowed.any():
        overflowed &= np.isfinite(values)
        stored[overflowed] = np.copysign(np.finfo(dtype).max, values[overflowed])
    return stored.tobytes()


def stack(blobs: Sequence[bytes], dtype: str, width: int) -> Floats:
    """Blobs of T readings as [T, width]; a reading with fewer sites is padded with NaN.

    Raises ValueError when a blob is no array of `dtype` or holds more than `width` values.
    """
    size = np.dtype(dtype).itemsize
    sizes = np.fromiter(map(len, blobs), dtype=np.int64, count=len(blobs))
    if (sizes % size).any() or (sizes > width * size).any():
        raise ValueError(f"a reading has not the size of up to {width} values of {size} bytes")
    with np.errstate(invalid="ignore"):  # signaling NaNs are values like any other here
        values = np.frombuffer(b"".join(blobs), dtype=dtype).astype(np.float64)
    if (sizes == width * size).all():
        return values.reshape(len(blobs), width)
    padded = np.full((len(blobs), width), np.nan)
    padded[np.arange(width) < sizes[:, None] // size] = values
    return padded


def _python_scalar(value: object) -> object:
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"a record keeps str, int, float, bool and None, not {type(value).__name__}")
