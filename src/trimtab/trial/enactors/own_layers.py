"""Weight matrices of layers that the script has written itself, which no initialiser of torch or ours knows."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from trimtab.init.layers import WEIGHTED, is_norm
from trimtab.init.untouched import untouched

TABLES = ("bias", "pos", "emb", "table", "token", "mask")  # in the names of what is looked up or added
FAR = 3.0  # from Xavier's scale, as a factor up or down: nearer ones are a choice of the script's
RADIUS = 1.3  # of the eigenvalues, or its inverse: 1.3⁻³⁰ is 4·10⁻⁴
LARGEST = 256  # whose eigenvalues take a twentieth of a second
ROUNDS = 3  # of scaling a layer's output: with a bias or a square in it one is not enough


@torch.no_grad()
def start_own_layers(
    model: nn.Module, args: tuple[Any, ...], generator: torch.Generator, zeros_too: bool = False
) -> int:
    """Draw matrices that are far from Xavier's scale anew, then bring their layer's output to RMS 1; returns how many.

    Xavier's sd, √(2 / (in + out)), is the same whichever of the two dimensions is the inputs'. A square matrix, which
    may carry a state through time, is drawn orthogonal. A matrix of zeros is the script's intent, as at the end of a
    residual branch, and drawn with `zeros_too` alone. A layer that is called again and again, or whose output does not
    grow with its matrices, keeps the size that was drawn.
    """
    drawn: dict[nn.Module, list[nn.Parameter]] = {}
    for module in model.modules():
        for matrix in _matrices(module):
            if not _is_far(matrix) or (not zeros_too and not bool(matrix.any())):
                continue
            fresh = torch.randn(matrix.shape, generator=generator)
            matrix.copy_(torch.linalg.qr(fresh).Q if _is_square(matrix) else fresh * _xavier(matrix))
            drawn.setdefault(module, []).append(matrix)
    for module, matrices in drawn.items():
        if module is not model:
            _to_unit_output(model, module, matrices, args)
    return sum(map(len, drawn.values()))


def _to_unit_output(model: nn.Module, module: nn.Module, matrices: list[nn.Parameter], args: tuple[Any, ...]) -> None:
    before = [matrix.clone() for matrix in matrices]
    for _ in range(ROUNDS):
        rms = _output_rms(model, module, args)
        if not rms:
            break
        for matrix in matrices:
            matrix.div_(rms)
    if not 0.5 < _output_rms(model, module, args) < 2:
        for matrix, old in zip(matrices, before, strict=True):
            matrix.copy_(old)


def _is_far(matrix: Tensor) -> bool:
    """From Xavier's scale; a square one where a state that it is applied to again and again fades or explodes."""
    rms, sd = float(matrix.square().mean().sqrt()), _xavier(matrix)
    if _is_square(matrix) and math.isfinite(rms):
        radius = float(torch.linalg.eigvals(matrix.cpu().double()).abs().max())
        return not 1 / RADIUS < radius < RADIUS
    return not sd / FAR < rms < sd * FAR


def _is_square(matrix: Tensor) -> bool:
    return matrix.shape[0] == matrix.shape[1] and matrix.shape[0] <= LARGEST


def _xavier(matrix: Tensor) -> float:
    return math.sqrt(2 / sum(matrix.shape))


def _matrices(module: nn.Module) -> Iterator[nn.Parameter]:
    """Of a class of the script's own, derived from none of torch's layers; no tables, which are looked up."""
    if type(module).__module__.startswith("torch.nn") or isinstance(module, WEIGHTED) or is_norm(module):
        return
    for name, parameter in module.named_parameters(recurse=False):
        if is_lazy(parameter) or parameter.dim() != 2 or min(parameter.shape) < 2 or any(w in name for w in TABLES):
            continue
        if parameter.requires_grad and parameter.is_floating_point():
            yield parameter


def _output_rms(model: nn.Module, module: nn.Module, args: tuple[Any, ...]) -> float:
    """RMS of what a module puts out when the model is run; 0 where it is not called once, or the model does not run."""
    seen: list[float] = []

    def note(_: nn.Module, inputs: Any, output: Any) -> None:
        plain = isinstance(output, Tensor) and output.is_floating_point()
        seen.append(float(output.detach().square().mean().sqrt()) if plain else 0.0)

    handle = module.register_forward_hook(note)
    try:
        with untouched(model):
            model(*args)
    except Exception:
        return 0.0  # it takes more than its first arguments
    finally:
        handle.remove()
    return seen[0] if len(seen) == 1 and math.isfinite(seen[0]) else 0.0
