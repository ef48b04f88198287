"""LSUV: each layer's output brought to variance 1 on a batch."""

from __future__ import annotations

from typing import Any

from torch import nn

from trimtab.init.layers import weight_layers
from trimtab.init.proportional import scalable
from trimtab.init.running import unwrapped
from trimtab.init.scaling import MAX_PASSES, TOLERANCE, Scaled, scaled
from trimtab.init.untouched import untouched
from trimtab.methods.initialize import lsuv_factor


def lsuv_(
    model: nn.Module, example: Any, *, tolerance: float = TOLERANCE, passes: int = MAX_PASSES
) -> dict[str, Scaled]:
    """Scale each weight layer until its output has variance 1 on the example: `W ← W / √Var(z)`, in execution order.

    In one run of the model each layer is scaled before what follows it sees its output; layers that are called more
    than once, by the mean variance over their calls, from run to run. Linear, bilinear and convolution layers and the
    output projection of attention are scaled; biases, mode, buffers, gradients and the random state stay as they were.
    Frozen layers are left alone. Start from orthogonal weights to do as the paper does:
    `initialize(model, example, "lsuv")`.

    Args:
        model: any module.
        example: a batch: a tensor, a tuple of positional or a mapping of keyword arguments.
        tolerance: allowed difference of 1/(the output's standard deviation) from 1.
        passes: at most so many scalings of a layer, and runs for shared ones.

    Returns:
        By layer, the factor of its weight, and why its output's variance is not 1, if it is not: dead (variance 0), not
        finite, or not settled.

    Source: Mishkin & Matas 2016, "All you need is a good init", arXiv:1511.06422, algorithm 1.

    >>> import torch
    >>> layer = nn.Linear(8, 4, bias=False)
    >>> x = torch.randn(64, 8)
    >>> factor = lsuv_(layer, x)[""].factor
    >>> bool((layer(x).var(correction=0).sqrt() - 1).abs() < 0.01)
    True
    """
    model = unwrapped(model)
    targets = {name: 1.0 for name, module in weight_layers(model).items() if scalable(module)}
    with untouched(model):
        return scaled(model, example, targets, lsuv_factor, tolerance, passes)
