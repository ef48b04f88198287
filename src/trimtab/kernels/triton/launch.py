"""How every kernel is started: on the device of its first tensor, with sizes that a card can take."""

from __future__ import annotations

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
