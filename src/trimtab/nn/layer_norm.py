"""Layer normalisation as a module."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral
from typing import Any

import torch
from torch import Tensor

from trimtab.nn.functional import layer_norm
from trimtab.nn.variance import Variance, correction


class LayerNorm(torch.nn.LayerNorm):
    """Each example normalised over its d features, in training and test alike: `γ (x − x̄) / √(s² + ε) + κ`.

    Args:
        normalized_shape: the shape of an example's features, the last dimensions of the input.
        eps: ε.
        elementwise_affine: whether to learn γ (`weight`, from 1) and κ (`bias`, from 0).
        bias: whether to learn κ.
        device, dtype: of γ and κ.
        variance: `s² = 1/d Σ (xᵢ − x̄)²` ("biased") or, "unbiased", `1/(d − 1) Σ (xᵢ − x̄)²`.

    Raises:
        ValueError: unbiased with a single feature.

    Differs from torch: `variance`; for float16 and bfloat16 the gradients of γ and κ are summed in float32. It is a
    `torch.nn.LayerNorm` and shares its `state_dict`; an unbiased one equals torch's with γ·√((d−1)/d) and ε·(d−1)/d,
    which `trimtab.nn.convert` sets. `torch.nn.TransformerEncoderLayer` in evaluation reads γ, κ and ε past the layer's
    forward: give it a biased one, or convert.
    Source: Ba, Kiros and Hinton (2016), "Layer Normalization", arXiv:1607.06450.

    >>> LayerNorm(2, variance="unbiased")(torch.tensor([[1.0, 3.0]])).detach()
    tensor([[-0.7071,  0.7071]])
    """

    variance: Variance = "biased"

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        device: Any = None,
        dtype: torch.dtype | None = None,
        *,
        variance: Variance = "biased",
    ) -> None:
        shape = [int(normalized_shape)] if isinstance(normalized_shape, (int, Integral)) else list(normalized_shape)
        if correction(variance) and torch.Size(shape).numel() == 1:
            raise ValueError(
                f'LayerNorm: normalized_shape={shape} is one feature, and variance="unbiased" divides by their number '
                'less 1: take variance="biased"'
            )
        super().__init__(shape, eps, elementwise_affine, bias, device, dtype)
        self.variance = variance

    def forward(self, input: Tensor) -> Tensor:
        return layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps, variance=self.variance)

    def extra_repr(self) -> str:
        return super().extra_repr() + ("" if self.variance == "biased" else f", variance={self.variance!r}")
