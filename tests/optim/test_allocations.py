"""A step makes no tensors: what it allocates is a few numbers, whatever the size of the model."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from torch import nn
from torch.profiler import ProfilerActivity, profile

from trimtab.average import EMA
from trimtab.clip import ClipByNorm
from trimtab.kernels import native
from trimtab.optim import SGD, Adam, RMSprop

pytestmark = pytest.mark.skipif(not native.available(), reason=native.why_not())

LARGEST = 4096  # bytes of one allocation


@contextmanager
def allocations() -> Iterator[list[int]]:
    """The bytes of each tensor's memory that is allocated meanwhile."""
    found: list[int] = []
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
        yield found
    results: Any = profiler.profiler and profiler.profiler.kineto_results
    events = results.events()
    found += [event.nbytes() for event in events if event.name() == "[memory]" and event.nbytes() > 0]


def test_what_torch_allocates_is_counted():
    with allocations() as found:
        torch.ones(100_000)
    assert max(found) >= 400_000


@pytest.mark.parametrize("kind", [SGD, RMSprop, Adam])
@pytest.mark.parametrize("sizes", [[2_000_000, 3], [16] * 500])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_step_allocates_numbers_alone(kind, sizes, dtype):
    params = [nn.Parameter(torch.randn(n).to(dtype)) for n in sizes]
    options: dict[str, Any] = {"momentum": 0.9} if kind is SGD else {}
    optimizer = kind(params, lr=1e-3, clip=ClipByNorm(1.0), average=EMA(0.9), **options)
    for p in params:
        p.grad = torch.randn_like(p)
    for _ in range(2):
        optimizer.step()
    with allocations() as found:
        optimizer.step()
    assert max(found, default=0) <= LARGEST + 8 * len(sizes)
    assert sum(found) < 64 * LARGEST
