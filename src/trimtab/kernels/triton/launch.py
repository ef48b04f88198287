"""How every kernel is started: on the device of its first tensor, with sizes that a card can take."""

from __future__ import annotations

from functools import cache
from typing import Any

import torch
from torch import Tensor


def launch(kernel: Any, grid: tuple[int, ...], tensor: Tensor, *arguments: Any, **options: Any) -> None:
    """Start `kernel(tensor, *arguments)` on a grid of programs; nothing where the grid is empty.

    Options are the kernel's compiled-in arguments, and `num_warps`. Triton launches on the current device, which need
    not be the tensors'.
    """
    if 0 in grid:
        return
    if tensor.device.type == "cuda":
        with torch.cuda.device(tensor.device):
            kernel[grid](tensor, *arguments, **options)
    else:
        kernel[grid](tensor, *arguments, **options)


@cache
def shared_memory(device: torch.device) -> int:
    """How many bytes of it a program can have; 0 where torch does not say."""
    if device.type != "cuda":
        return 0
    return getattr(torch.cuda.get_device_properties(device), "shared_memory_per_block_optin", 0)
