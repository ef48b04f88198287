"""Layer normalisation: each example by the mean and variance of its own features, in training and test alike."""

from __future__ import annotations

from torch import Tensor


def layer_norm(
    x: Tensor,
    gamma: Tensor | None = None,
    kappa: Tensor | None = None,
    eps: float = 1e-5,
    unbiased: bool = False,
    dims: int = 1,
) -> Tensor:
    """`γ (x − x̄) / √(s² + ε) + κ` with `x̄ = 1/d Σ xᵢ`, `s² = 1/d Σ (xᵢ − x̄)²` or, unbiased, `1/(d − 1) Σ (xᵢ − x̄)²`.

    Args:
        x: [*, *features]; the last `dims` dimensions are the d features of an example.
        gamma: γ, of the features' shape; None is 1.
        kappa: κ, of the features' shape; None is 0.
        eps: ε.
        unbiased: whether s² divides by d − 1 or by d.
        dims: how many dimensions the features have.

    Raises:
        ValueError: unbiased with a single feature.

    Differs from torch: `torch.nn.functional.layer_norm` divides by d always.
    Source: Ba, Kiros and Hinton (2016), "Layer Normalization", arXiv:1607.06450.

    >>> import torch
    >>> layer_norm(torch.tensor([[1.0, 3.0]]), eps=0.0)
    tensor([[-1.,  1.]])
    """
    d = x.shape[-dims:].numel()
    if unbiased and d < 2:
        raise ValueError(f"layer_norm: the unbiased variance divides by d − 1, and d = {d} here: take unbiased=False")
    features = tuple(range(-dims, 0))
    centred = x - x.mean(features, keepdim=True)
    variance = centred.square().sum(features, keepdim=True) / (d - int(unbiased))
    normal = centred / (variance + eps).sqrt()
    scaled = normal if gamma is None else gamma * normal
    return scaled if kappa is None else scaled + kappa
