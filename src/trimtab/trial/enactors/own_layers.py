"""Weight matrices of layers that the script has written itself, which no initialiser of torch or ours knows."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from trimtab.init.untouched import untouched

FAR = 3.0  # from Xavier's scale, as a factor up or down: nearer ones are a choice of the script's
ROUNDS = 3  # of scaling a layer's output: with a bias or a square in it one is not enough


@torch.no_grad()
def start_own_layers(model: nn.Module, args: tuple[Any, ...], generator: torch.Generator) -> int:
    """Draw matrices that are far from Xavier's scale anew, then bring each one's output to RMS 1; how many there were.

    Xavier's sd, √(2 / (in + out)), is the same whichever of the two dimensions is the inputs'.
    """
    drawn: list[nn.Module] = []
    for module in model.modules():
        for matrix in _matrices(module):
            sd = math.sqrt(2 / sum(matrix.shape))
            rms = float(matrix.square().mean().sqrt())
            if not sd / FAR < rms < sd * FAR:
                matrix.copy_(torch.randn(matrix.shape, generator=generator) * sd)
                drawn += [module] if module not in drawn else []
    for module in drawn:
        for _ in range(ROUNDS if module is not model else 0):
            rms = _output_rms(model, module, args)
            if not rms:
                break
            for matrix in _matrices(module):
                matrix.div_(rms)
    return len(drawn)


def _matrices(module: nn.Module) -> Iterator[nn.Parameter]:
    if type(module).__module__.startswith("torch.nn"):
        return
    for parameter in module.parameters(recurse=False):
        if parameter.dim() == 2 and min(parameter.shape) > 1 and parameter.requires_grad:
            yield parameter


def _output_rms(model: nn.Module, module: nn.Module, args: tuple[Any, ...]) -> float:
    """RMS of what a module puts out when the model is run; 0 where it is not called or puts out no tensor."""
    seen: list[float] = []

    def note(_: nn.Module, inputs: Any, output: Any) -> None:
        if isinstance(output, Tensor) and output.is_floating_point():
            seen.append(float(output.detach().square().mean().sqrt()))

    handle = module.register_forward_hook(note)
    try:
        with untouched(model):
            model(*args)
    finally:
        handle.remove()
    return seen[0] if seen and math.isfinite(seen[0]) else 0.0
