"""What an optimizer does while backward runs: as each gradient is complete, it is measured."""

from __future__ import annotations

from collections.abc import Iterable

from torch import Tensor
from torch._compile import _disable_dynamo  # torch.compiler.disable, without importing the compiler
from torch.utils.hooks import RemovableHandle

from trimtab.kernels.measurement import Measurement, measure


class Measuring:
    """Measures gradients as backward leaves them in `p.grad`, until `remove()`."""

    def __init__(self, params: Iterable[Tensor]) -> None:
        self._found: dict[Tensor, Measurement] = {}
        self._hooks: list[RemovableHandle] = [
            p.register_post_accumulate_grad_hook(self._measure) for p in params if p.requires_grad
        ]

    def remove(self) -> None:
        """Ends it. What was measured is forgotten."""
        for hook in self._hooks:
            hook.remove()
        self._hooks.clear()
        self._found.clear()

    def squares(self, params: Iterable[Tensor], grads: Iterable[Tensor]) -> list[float]:
        """The squared lengths of these gradients, NaN for one that is not known; nothing where none is."""
        if not self._found:
            return []
        pairs = ((self._found.get(p), g) for p, g in zip(params, grads, strict=True))
        return [float("nan") if found is None else found.of(g) for found, g in pairs]

    @_disable_dynamo
    def _measure(self, param: Tensor) -> None:
        found = None if param.grad is None else measure(param.grad)
        if found is None:
            self._found.pop(param, None)
        else:
            self._found[param] = found
