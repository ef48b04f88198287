"""Batch normalisation: each channel by its mean and variance over the batch, or by running estimates of them."""

from __future__ import annotations

from torch import Tensor


def batch_norm_train(
    x: Tensor, gamma: Tensor | None = None, kappa: Tensor | None = None, eps: float = 1e-5, unbiased: bool = False
) -> Tensor:
    """By the batch's own statistics: `γ (x − x̄) / √(s² + ε) + κ`.

    Args:
        x: [B, C] or [B, C, *space].
        gamma: γ, [C]; None is 1.
        kappa: κ, [C]; None is 0.
        eps: ε.
        unbiased: whether s² divides by n − 1 or by n, the number of values of a channel.

    Raises:
        ValueError: unbiased with one value a channel.

    Differs from torch: `torch.nn.functional.batch_norm` divides by n always, and refuses one value a channel.
    Source: Ioffe and Szegedy (2015), "Batch Normalization", arXiv:1502.03167.

    >>> import torch
    >>> batch_norm_train(torch.tensor([[1.0], [3.0]]), eps=0.0)
    tensor([[-1.],
            [ 1.]])
    """
    mean, variance = batch_statistics(x, unbiased)
    return batch_norm_test(x, mean, variance, gamma, kappa, eps)


def batch_norm_test(
    x: Tensor,
    mean: Tensor,
    variance: Tensor,
    gamma: Tensor | None = None,
    kappa: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """By given statistics, as in evaluation: `γ (x − μ̄) / √(σ̄² + ε) + κ`; all of them [C], x [B, C, *space]."""
    normal = (x - _along_channels(mean, x)) / (_along_channels(variance, x) + eps).sqrt()
    scaled = normal if gamma is None else _along_channels(gamma, x) * normal
    return scaled if kappa is None else scaled + _along_channels(kappa, x)


def batch_statistics(x: Tensor, unbiased: bool = False) -> tuple[Tensor, Tensor]:
    """Over batch and space, per channel: `x̄ = 1/n Σ xᵢ` and `s² = 1/n Σ (xᵢ − x̄)²`, or with `1/(n − 1)`; both [C]."""
    values = x.movedim(1, -1).flatten(0, -2)  # [n, C]
    n = len(values)
    if unbiased and n < 2:
        raise ValueError(
            f"batch_statistics: the unbiased variance divides by n − 1, and n = {n} here (x is {tuple(x.shape)}): "
            "take a larger batch or unbiased=False"
        )
    mean = values.mean(0)
    return mean, (values - mean).square().sum(0) / (n - int(unbiased))


def running_estimate(estimate: Tensor, statistic: Tensor, beta: float = 0.9) -> Tensor:
    """The estimate after one more batch: `μ̄ ← β μ̄ + (1−β) x̄`, and σ̄² by s² the same; torch's `momentum` is 1 − β."""
    return beta * estimate + (1 - beta) * statistic


def _along_channels(values: Tensor, x: Tensor) -> Tensor:
    """[C] shaped to broadcast against [B, C, *space]."""
    return values.view(-1, *[1] * (x.ndim - 2))
