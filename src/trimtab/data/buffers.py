"""Statistics stay float64 in a model that is half precision."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn


class DoubleBuffers(nn.Module):
    """A module whose float64 buffers follow it to other devices but keep their dtype under `.half()`, `.to(dtype)`."""

    def _apply(self, fn: Callable[..., Any], recurse: bool = True) -> Any:
        before = dict(self._buffers)
        super()._apply(fn, recurse)
        for name, old in before.items():
            new = self._buffers[name]
            if isinstance(old, Tensor) and isinstance(new, Tensor) and old.dtype == torch.float64 != new.dtype:
                self._buffers[name] = old.to(new.device)
        return self
