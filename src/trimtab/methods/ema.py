"""Three estimates of a drifting quantity from noisy observations: running mean, box average, EMA.

Observations o_1, …, o_T stand along the first dimension, and so do the estimates after each of them.
"""

from __future__ import annotations

import torch
from torch import Tensor


def running_mean(observations: Tensor) -> Tensor:
    """Mean of all observations so far: `m_t = (o_1 + … + o_t) / t`.

    >>> running_mean(torch.tensor([1.0, 3.0, 8.0]))
    tensor([1., 2., 4.])
    """
    return torch.stack([observations[:t].mean(0) for t in range(1, len(observations) + 1)])


def box_average(observations: Tensor, n: int) -> Tensor:
    """Mean of the last n observations: `b_t = (o_{t−n+1} + … + o_t) / n`, of all while t < n.

    >>> box_average(torch.tensor([1.0, 3.0, 8.0]), 2)
    tensor([1.0000, 2.0000, 5.5000])
    """
    return torch.stack([observations[max(0, t - n) : t].mean(0) for t in range(1, len(observations) + 1)])


def ema(observations: Tensor, alpha: float | Tensor) -> Tensor:
    """Exponential moving average: `s_t = (1−α) o_t + α s_{t−1}`, `s_0 = 0`.

    Either one α for all steps, or α_1, …, α_T of shape [T].

    >>> ema(torch.tensor([1.0, 1.0, 1.0]), 0.5)
    tensor([0.5000, 0.7500, 0.8750])
    """
    s: Tensor | float = 0.0
    averages = []
    for o, a in zip(observations, _each(alpha, observations).tolist(), strict=True):
        s = (1 - a) * o + a * s
        averages.append(s)
    return torch.stack(averages)


def corrected(averages: Tensor, alpha: float | Tensor) -> Tensor:
    """EMA without the bias to 0 that `s_0 = 0` gives it: `c_t = s_t / (1 − αᵗ)`, with α_1 … α_t for αᵗ where α changes.

    Source: Kingma & Ba 2015, "Adam", arXiv:1412.6980, section 3.

    >>> corrected(torch.tensor([0.5, 0.75, 0.875]), 0.5)
    tensor([1., 1., 1.])
    """
    weight = 1 - torch.cumprod(_each(alpha, averages), 0)  # [T]: of the observations; the rest is still on s_0
    return averages / weight.to(averages.real.dtype).reshape(-1, *[1] * (averages.ndim - 1))


def weights(alpha: float, n: int) -> Tensor:
    """What an EMA gives to the last n observations, the newest first: `(1−α) αʲ`, j = 0, …, n−1. In float64.

    >>> weights(0.9, 4)
    tensor([0.1000, 0.0900, 0.0810, 0.0729], dtype=torch.float64)
    """
    return (1 - alpha) * alpha ** torch.arange(n, dtype=torch.float64)


def warmup(alpha: float, steps: int) -> Tensor:
    """α at each of the first steps: `α_t = min(α, (1+k) / (10+k))`, `k = t−1`. In float64.

    Source: TensorFlow, `tf.train.ExponentialMovingAverage(num_updates=…)`.

    >>> warmup(0.5, 10)[[0, 1, 9]]
    tensor([0.1000, 0.1818, 0.5000], dtype=torch.float64)
    """
    k = torch.arange(steps, dtype=torch.float64)
    return ((1 + k) / (10 + k)).clamp(max=alpha)


def _each(alpha: float | Tensor, observations: Tensor) -> Tensor:
    """α for each observation, shape [T], in float64: bfloat16 would make 0.999 a 1."""
    return torch.as_tensor(alpha, dtype=torch.float64).expand(len(observations))
