"""A first kernel, which shows whether Triton compiles and runs here."""

from __future__ import annotations

import torch
import triton
import triton.language as tl

from trimtab.kernels.triton.launch import launch


@triton.jit
def _count(to):
    tl.store(to + tl.arange(0, 2), tl.arange(0, 2) + 1)


def runs_on(device: torch.device) -> bool:
    """Whether a kernel that counts to two does so; raises what triton raises."""
    to = torch.zeros(2, dtype=torch.int32, device=device)
    launch(_count, (1,), to)
    return to.tolist() == [1, 2]
