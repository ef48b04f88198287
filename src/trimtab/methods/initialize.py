"""Initialisation: the scale of the weights that keeps the signal's size forward and the gradient's size backward.

A layer `z = W φ` with independent weights of mean 0 has `E[z²] = fan_in · Var(w) · E[φ²]` going forward and
`E[δ_in²] = fan_out · Var(w) · E[δ²]` going backward. Each scheme below sets `Var(w)` from one of the two, or from both.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache

import torch
from torch import Tensor

RANGE = 12.0  # standard deviations on either side; beyond lies 4e-33 of a Gaussian
PANELS = 9600  # 1/400 of a standard deviation wide: kinks and jumps at 2 decimals fall on the edges
NODES = 4  # Gauss–Legendre points in each panel


def xavier_std(fan_in: float, fan_out: float, gain: float = 1.0) -> float:
    """`σ = gain · √(2 / (fan_in + fan_out))`: the mean of both directions (Glorot & Bengio 2010, eq. 12).

    >>> xavier_std(50, 150)
    0.1
    """
    return gain * math.sqrt(2.0 / (fan_in + fan_out))


def kaiming_std(fan: float, gain: float = math.sqrt(2.0)) -> float:
    """`σ = gain / √fan`: one direction, chosen by the fan (He et al. 2015, eq. 10 and 14); √2 is ReLU's gain.

    >>> kaiming_std(200)
    0.1
    """
    return gain / math.sqrt(fan)


def lecun_std(fan_in: float) -> float:
    """`σ = 1 / √fan_in`: the forward direction, gain 1 (LeCun, Bottou, Orr & Müller 1998, eq. 16).

    >>> lecun_std(100)
    0.1
    """
    return 1.0 / math.sqrt(fan_in)


def uniform_bound(std: float) -> float:
    """`b = √3 σ`: the uniform distribution on [−b, b] has the standard deviation σ.

    >>> math.isclose(uniform_bound(xavier_std(3, 3)), math.sqrt(6 / (3 + 3)))
    True
    """
    return math.sqrt(3.0) * std


def orthogonal(normal: Tensor) -> Tensor:
    """`Q R = A`, `Q ← Q · sign(diag R)`: orthonormal rows, or columns if there are fewer of them (Saxe et al. 2014).

    `normal` is A, `[rows, columns]` of independent N(0, 1). The signs make Q uniform over all orthogonal matrices
    (Mezzadri 2007, arXiv:math-ph/0609050).

    >>> q = orthogonal(torch.randn(2, 5, dtype=torch.float64))
    >>> torch.allclose(q @ q.T, torch.eye(2, dtype=torch.float64))
    True
    """
    tall = normal if normal.shape[0] >= normal.shape[1] else normal.T
    q, r = torch.linalg.qr(tall)
    q = q * torch.where(r.diagonal().real < 0, -1.0, 1.0)
    return q if normal.shape[0] >= normal.shape[1] else q.T


def delta_orthogonal(normal: Tensor, kernel_size: tuple[int, ...]) -> Tensor:
    """A kernel that is `orthogonal(normal)` at its centre and 0 elsewhere: a convolution that keeps every norm.

    `normal` is `[out, in]`; the kernel is `[out, in, *kernel_size]` (Xiao et al. 2018, arXiv:1806.05393, algorithm 1).

    >>> delta_orthogonal(torch.ones(1, 1), (3,)).flatten().abs().tolist()
    [0.0, 1.0, 0.0]
    """
    kernel = normal.new_zeros(*normal.shape, *kernel_size)
    kernel[(..., *(k // 2 for k in kernel_size))] = orthogonal(normal)
    return kernel


def lsuv_factor(output: Tensor) -> Tensor:
    """`1 / √Var(z)`: what the weights are multiplied by, until it is 1 (Mishkin & Matas 2015, algorithm 1).

    >>> lsuv_factor(torch.tensor([-2.0, 2.0]))
    tensor(0.5000, dtype=torch.float64)
    """
    return output.to(torch.float64).var(correction=0).rsqrt()


def second_moment(function: Callable[[Tensor], Tensor]) -> float:
    """`E[f(z)²] = ∫ f(z)² e^{−z²/2} / √(2π) dz`, `z ~ N(0, 1)`, for an element-wise function of a float64 tensor.

    Gauss–Legendre on narrow panels: to rounding where kinks and jumps lie on their edges, to 1e-6 for a kink anywhere,
    1e-3 for a jump. Gauss–Hermite's error at a kink falls as slowly as 1/n.

    >>> round(second_moment(torch.relu), 12)
    0.5
    """
    z, weight = _gaussian_nodes()
    return float((weight * function(z.clone()).to(torch.float64).square()).sum())


def gain(function: Callable[[Tensor], Tensor]) -> float:
    """`g = 1 / √E[f(z)²]`: `Var(w) = g² / fan_in` keeps `E[z²] = 1` from layer to layer (He et al. 2015, any f).

    >>> round(gain(torch.relu) ** 2, 12)
    2.0
    """
    return 1.0 / math.sqrt(second_moment(function))


@cache
def _gaussian_nodes() -> tuple[Tensor, Tensor]:
    """Points and weights of the quadrature: `Σ weight · f(point) ≈ E[f(z)]`."""
    beta = torch.arange(1, NODES, dtype=torch.float64, device="cpu")
    beta = beta / (4 * beta**2 - 1).sqrt()
    points, vectors = torch.linalg.eigh(torch.diag(beta, 1) + torch.diag(beta, -1))  # Golub & Welsch 1969
    edges = torch.linspace(-RANGE, RANGE, PANELS + 1, dtype=torch.float64, device="cpu")
    half = RANGE / PANELS
    z = (edges[:-1, None] + half * (1 + points)).flatten()
    weight = (half * 2 * vectors[0] ** 2).repeat(PANELS)
    return z, weight * torch.exp(-z.square() / 2) / math.sqrt(2 * math.pi)
