"""Weight matrices of layers that the script has written itself, which no initialiser of torch or ours knows."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from trimtab.init.untouched import untouched

FAR = 3.0  # from Xavier's scale, as a factor up or down: nearer ones are a choice of the script's
RADIUS = 1.3  # of the eigenvalues, or its inverse: 1.3⁻³⁰ is 4·10⁻⁴
LARGEST = 1024  # whose eigenvalues take less than a few seconds
ROUNDS = 3  # of scaling a layer's output: with a bias or a square in it one is not enough


@torch.no_grad()
def start_own_layers(model: nn.Module, args: tuple[Any, ...], generator: torch.Generator) -> int:
    """Draw matrices that are far from Xavier's scale anew, then bring each one's output to RMS 1; how many there were.

    Xavier's sd, √(2 / (in + out)), is the same whichever of the two dimensions is the inputs'. A square matrix, which
    may carry a state through time, is drawn orthogonal.
    """
    drawn: list[nn.Module] = []
    for module in model.modules():
        for matrix in _matrices(module):
            if not _is_far(matrix):
                continue
            fresh = torch.randn(matrix.shape, generator=generator)
            matrix.copy_(torch.linalg.qr(fresh).Q if _is_square(matrix) else fresh * _xavier(matrix))
            drawn += [module] if module not in drawn else []
    for module in drawn:
        for _ in range(ROUNDS if module is not model else 0):
            rms = _output_rms(model, module, args)
            if not rms:
                break
            for matrix in _matrices(module):
                matrix.div_(rms)
    return len(drawn)


def _is_far(matrix: Tensor) -> bool:
    """From Xavier's scale; a square one where a state that it is applied to again and again fades or explodes."""
    rms, sd = float(matrix.square().mean().sqrt()), _xavier(matrix)
    if _is_square(matrix) and math.isfinite(rms):
        radius = float(torch.linalg.eigvals(matrix.double()).abs().max())
        return not 1 / RADIUS < radius < RADIUS
    return not sd / FAR < rms < sd * FAR


def _is_square(matrix: Tensor) -> bool:
    return matrix.shape[0] == matrix.shape[1] and matrix.shape[0] <= LARGEST


def _xavier(matrix: Tensor) -> float:
    return math.sqrt(2 / sum(matrix.shape))


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
