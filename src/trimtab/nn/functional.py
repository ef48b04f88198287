"""Batch and layer normalisation as functions, named and shaped as in `torch.nn.functional`."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from trimtab.nn.arithmetic import scale_and_shift
from trimtab.nn.batch import by_batch, by_estimates, check, single_value, values_per_channel
from trimtab.nn.batch_norm import Nonfinite, check_choice
from trimtab.nn.differentiation import LayerNorm, Plan, apply
from trimtab.nn.running import observe_, recomputing
from trimtab.nn.variance import Variance, correction


def batch_norm(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
    *,
    variance: Variance = "biased",
    running_variance: Variance = "unbiased",
    on_nonfinite: Nonfinite = "keep",
) -> Tensor:
    """Normalise each channel over batch and space: `γ (x − x̄) / √(s² + ε) + κ`; see `trimtab.nn.BatchNorm1d`.

    Args:
        input: [B, C, *space]; statistics of float16 and bfloat16 are kept in float32.
        running_mean: μ̄, [C]; in training changed in place, else used in place of x̄. None: there is none.
        running_var: σ̄², [C], likewise.
        weight: γ, [C]; None is 1.
        bias: κ, [C]; None is 0.
        training: whether to use the batch's statistics.
        momentum: 1 − β of the running estimates.
        eps: ε.
        variance: s² in the normalisation divides by n ("biased") or n − 1.
        running_variance: the same for what enters `running_var`.
        on_nonfinite: "keep" leaves the estimates of a channel alone when its statistics are NaN or infinite.

    Raises:
        ValueError: one value a channel in training; ε not positive; an option of unknown name.
        RuntimeError: sizes that do not fit.
        TypeError: an input that is not floating point.

    Differs from torch: the options; both estimates are left alone by a non-finite batch and inside a backward pass,
    where activation checkpointing runs a batch a second time.
    Source: Ioffe and Szegedy (2015), "Batch Normalization", arXiv:1502.03167.

    >>> x = torch.tensor([[1.0], [3.0]])
    >>> batch_norm(x, None, None, training=True, variance="unbiased").flatten()
    tensor([-0.7071,  0.7071])
    """
    check(input, running_mean=running_mean, running_var=running_var, weight=weight, bias=bias)
    if not training:
        if running_mean is None or running_var is None:
            raise RuntimeError("batch_norm: expected running_mean and running_var when training=False, got None")
        return by_estimates(input, running_mean, running_var, weight, bias, eps)
    if values_per_channel(input) == 1:
        raise single_value(input.shape)
    y, batch = by_batch(input, weight, bias, eps, correction(variance))
    if batch is not None and running_mean is not None and running_var is not None and not recomputing():
        unbiased = bool(correction(running_variance, "running_variance"))
        check_choice("on_nonfinite", on_nonfinite, ("keep", "pass"))
        observe_(running_mean, running_var, batch, momentum, unbiased=unbiased, keep=on_nonfinite == "keep")
    return y


def layer_norm(
    input: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
    *,
    variance: Variance = "biased",
) -> Tensor:
    """Normalise each example over its features: `γ (x − x̄) / √(s² + ε) + κ`; see `trimtab.nn.LayerNorm`.

    Args:
        input: [*, *normalized_shape]; statistics of float16 and bfloat16 are kept in float32.
        normalized_shape: the shape of an example's features.
        weight: γ, of that shape; None is 1.
        bias: κ, of that shape; None is 0.
        eps: ε.
        variance: s² divides by d, the number of features ("biased"), or by d − 1.

    Raises:
        RuntimeError: sizes that do not fit.
        ValueError: unbiased with a single feature; a negative ε.
        TypeError: an input that is not floating point.

    Differs from torch: `variance`; the gradients of weight and bias are summed in float32.
    Source: Ba, Kiros and Hinton (2016), "Layer Normalization", arXiv:1607.06450.

    >>> layer_norm(torch.tensor([[1.0, 3.0]]), [2], variance="unbiased")
    tensor([[-0.7071,  0.7071]])
    """
    shape = tuple(normalized_shape)
    _check_features(input, shape, weight, bias, eps)
    if _autocasts_to_float32(input):
        input = input.float()
    first = input.ndim - len(shape)
    plan = Plan(tuple(range(first, input.ndim)), tuple(range(first)), eps, correction(variance))
    if plan.correction and plan.divisor(input) < 1:
        raise ValueError('layer_norm: variance="unbiased" divides by d − 1, and d = 1 here: take variance="biased"')
    if input.numel() == 0:
        return scale_and_shift(input.clone(), weight, bias).to(input.dtype)
    return apply(LayerNorm, input, weight, bias, plan)[0]


def _autocasts_to_float32(x: Tensor) -> bool:
    """As torch's own layer norm, which is in autocast's float32 list on CUDA and in none on the CPU."""
    return x.device.type == "cuda" and x.dtype != torch.float64 and torch.is_autocast_enabled("cuda")


def _check_features(x: Tensor, shape: tuple[int, ...], weight: Tensor | None, bias: Tensor | None, eps: float) -> None:
    if not x.is_floating_point():
        raise TypeError(f"layer_norm: input of type {x.dtype}, expected floating point: convert it with .float()")
    if not shape:
        raise RuntimeError("layer_norm: normalized_shape is empty, expected the sizes of the last dimensions of input")
    if x.shape[max(0, x.ndim - len(shape)) :] != shape:
        expected = ", ".join(("*", *map(str, shape)))
        raise RuntimeError(
            f"Given normalized_shape={list(shape)}, expected input with shape [{expected}], but got input of size"
            f"{list(x.shape)}"
        )
    for name, values in (("weight", weight), ("bias", bias)):
        if values is not None and values.shape != shape:
            raise RuntimeError(f"layer_norm: {name} of shape {tuple(values.shape)}, expected {shape}, normalized_shape")
    if eps < 0:
        raise ValueError(f"layer_norm: eps={eps}, expected 0 or more: it is added to a variance under a root")
