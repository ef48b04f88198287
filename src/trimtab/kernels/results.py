"""Where a kernel's result goes: beside the caches where it is too large for them, and to large pages."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache

import torch
from torch import Tensor

from trimtab.kernels import native

# A result of so many bytes and what it is made of fill a last-level cache of 32 MB: written past the caches, its lines
# need not be read first, which is a third of the traffic. Of a smaller one the next operation finds much in the cache.
STREAMED = 1 << 24
# From so many bytes on glibc takes no block from memory that it has: each result has new pages, and to be given them
# 4 KB at a time takes longer than to fill them, several times as long on a virtual machine.
ALWAYS_NEW = 1 << 25


def like(x: Tensor) -> Tensor:
    """A tensor for a result, shaped and laid out as `x`."""
    result = torch.empty_like(x)
    if result.nbytes >= ALWAYS_NEW:
        _on_large_pages()(result.data_ptr(), result.nbytes)
    return result


def streams(x: Tensor) -> bool:
    """Whether a result is to be written past the caches."""
    return x.nbytes >= STREAMED


@cache
def _on_large_pages() -> Callable[..., None]:
    return native.function("trimtab_on_large_pages", native.ADDRESS, ctypes.c_int64)
