"""Orthogonal weights: every singular value is the gain."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from trimtab.init.drawing import Generator, checked, put, standard_normal
from trimtab.methods import initialize as textbook


def orthogonal_(tensor: Tensor, gain: float = 1.0, generator: Generator = None, *, groups: int = 1) -> Tensor:
    """Fill with `gain · Q`, Q with orthonormal rows or columns, whichever are fewer, uniform over all such.

    A weight of more dimensions is taken as the matrix `[out, in · ∏k]`; one of a grouped convolution as one such
    matrix a group. On the meta device nothing is drawn.

    Args:
        tensor: a weight, `[out, in, ...]`; any floating dtype, drawn in float32 or better.
        gain: every singular value.
        generator: draws from it alone, on its device.
        groups: of the convolution that uses the weight.

    Differs from torch: takes groups, half precision and a generator on another device, and does nothing to an empty
    tensor.

    Source: Saxe, McClelland & Ganguli 2014, "Exact solutions to the nonlinear dynamics of learning in deep linear
    neural networks", arXiv:1312.6120.

    >>> w = orthogonal_(torch.empty(3, 8), gain=2.0)
    >>> torch.allclose(w @ w.T, 4 * torch.eye(3), atol=1e-5)
    True
    """
    blocks = _blocks(checked(tensor, "orthogonal_"), groups, "orthogonal_")
    if tensor.is_meta or not tensor.numel():
        return tensor
    rows, columns = blocks[1], math.prod(tensor.shape[1:])
    made = [textbook.orthogonal(standard_normal(tensor, (rows, columns), generator)) for _ in range(groups)]
    return put(tensor, gain * torch.cat(made).reshape(tensor.shape))


def delta_orthogonal_(tensor: Tensor, gain: float = 1.0, generator: Generator = None, *, groups: int = 1) -> Tensor:
    """Fill a convolution's kernel with `gain · Q` at its centre and 0 elsewhere: it acts on each pixel as Q does.

    Such a start trained networks of 10,000 convolutions without normalisation. A linear layer has no kernel and gets
    `orthogonal_`. On the meta device nothing is drawn.

    Args:
        tensor: a kernel, `[out, in, *k]`, or `[in, out, *k]` of a transposed convolution.
        gain: every singular value of Q.
        generator: draws from it alone, on its device.
        groups: of the convolution; each has its own Q.

    Source: Xiao, Bahri, Sohl-Dickstein, Schoenholz & Pennington 2018, "Dynamical isometry and a mean field theory of
    CNNs", arXiv:1806.05393, algorithm 1.

    >>> delta_orthogonal_(torch.empty(1, 1, 3)).abs()
    tensor([[[0., 1., 0.]]])
    """
    blocks = _blocks(checked(tensor, "delta_orthogonal_"), groups, "delta_orthogonal_")
    if tensor.is_meta or not tensor.numel():
        return tensor
    kernel_size = tuple(tensor.shape[2:])
    matrix = (blocks[1], tensor.shape[1])
    made = [textbook.delta_orthogonal(standard_normal(tensor, matrix, generator), kernel_size) for _ in range(groups)]
    return put(tensor, gain * torch.cat(made))


def _blocks(tensor: Tensor, groups: int, function: str) -> tuple[int, int]:
    """Number of matrices, and rows of each."""
    if groups < 1 or tensor.shape[0] % groups:
        raise ValueError(f"{function}: groups={groups} does not divide the {tensor.shape[0]} channels of the weight")
    return groups, tensor.shape[0] // groups
