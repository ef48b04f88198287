"""The exponential moving average, as a gain for each observation."""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor

from trimtab.average.recursive import RecursiveAverage
from trimtab.methods import gain

WARMUP = 9  # the warm-up's α_t = (1 + k) / (1 + WARMUP + k)


class EMA(RecursiveAverage):
    """Exponential moving average: `s_t = (1−α) o_t + α s_{t−1}` from `s_0 = 0`, corrected to `c_t = s_t / (1 − αᵗ)`.

    What is kept is the corrected value itself: `c_t = c_{t−1} + w_t (o_t − c_{t−1})` with `w_t = (1−α) / (1−αᵗ)`, so
    that `c_1 = o_1` and there is nothing to divide when it is read. `α = 0` keeps the last observation; `α = 1` is the
    limit: the mean of all of them when corrected, 0 when not.

    Args:
        alpha: α from 0 to 1, the share of the average that one more observation leaves; see `horizon`.
        bias_correction: without it, `w_t = 1−α`, and early values are too small by `1 − αᵗ`.
        warmup: `α_t = min(α, (1+k) / (10+k))`, `k = t−1`, in place of α: while few observations are there, each counts
            for more. The correction then divides by `1 − α_1 α_2 … α_t`.
        start: "zero" as above; "first": `s_1 = o_1`, then `w_t = 1−α`: nothing to correct, but the first observation
            keeps a weight of `αᵗ⁻¹`.

    Raises:
        ValueError: α outside [0, 1], or a start of another name.

    Differs from torch: `torch.optim.swa_utils.AveragedModel` with `get_ema_avg_fn(decay)` is
    `EMA(decay, start="first")`; BatchNorm's `momentum` is `1 − α`, and its running variance starts at 1.

    Sources: the correction is Kingma & Ba 2015, "Adam", arXiv:1412.6980, section 3; the warm-up is that of TensorFlow's
    `tf.train.ExponentialMovingAverage(num_updates=...)`.

    >>> ema = EMA(0.9)
    >>> [round(ema.update(o), 4) for o in (1.0, 1.0, 2.0)]
    [1.0, 1.0, 1.369]
    """

    def __init__(
        self,
        alpha: float = 0.9,
        *,
        bias_correction: bool = True,
        warmup: bool = False,
        start: Literal["zero", "first"] = "zero",
    ) -> None:
        if not 0 <= alpha <= 1:
            raise ValueError(
                f"EMA: alpha={alpha!r}, expected from 0 to 1: the share that the average keeps of its past"
            )
        if start not in ("zero", "first"):
            raise ValueError(f'EMA: start={start!r}, expected "zero" or "first"')
        super().__init__()
        self.alpha = float(alpha)
        self.bias_correction = bias_correction
        self.warmup = warmup
        self.start = start

    def gain(self, t: int) -> float:
        """The weight `w_t` of the t-th observation, t = 1, 2, …: what moves the average by `w_t (o_t − average)`."""
        if t < 1:
            raise ValueError(f"EMA.gain: t={t}, expected 1 for the first observation, 2 for the second, …")
        if self.start == "first":
            return 1.0 if t == 1 else gain.of_ema(self._kept(t))
        if not self.bias_correction:
            return gain.of_ema(self._kept(t))
        if t == 1 or self.alpha == 0:
            return 1.0
        if self.alpha == 1 and not self.warmup:
            return gain.of_mean(t)
        return gain.of_corrected_ema(self._kept(t), self._log_unseen(t))

    def device_gain(self, t: Tensor) -> Tensor:
        """The same of a count that the host does not read, as a compiled step has it; float64 in, float64 out."""
        kept = (t / (t + WARMUP)).clamp(max=self.alpha) if self.warmup else torch.full_like(t, self.alpha)
        if self.start == "first" or not self.bias_correction:
            gain = 1 - kept
        elif self.alpha == 1 and not self.warmup:
            gain = 1 / t
        else:
            warm = t.clamp(max=self.observations_of_warmup) if self.warmup else torch.zeros_like(t)
            cold = (t - warm) * math.log(self.alpha) if self.alpha > 0 else torch.full_like(t, -math.inf)
            steps = torch.arange(1, WARMUP + 1, dtype=t.dtype, device=t.device)
            gain = (1 - kept) / -torch.expm1(cold - (warm / steps).log1p().sum())  # C(n+9, 9) = (1 + n/1) … (1 + n/9)
        return gain if self.start == "zero" and not self.bias_correction else torch.where(t == 1, 1.0, gain)

    @property
    def observations_of_warmup(self) -> float:
        """How many first observations have `t / (t + 9) < α`: infinite for α = 1."""
        return math.inf if self.alpha == 1 else max(0, math.ceil(WARMUP * self.alpha / (1 - self.alpha)) - 1)

    def _kept(self, t: int) -> float:
        """`α_t`: the share of the average that the t-th observation leaves."""
        return min(self.alpha, t / (t + WARMUP)) if self.warmup else self.alpha

    def _log_unseen(self, t: int) -> float:
        """The logarithm of `α_1 α_2 … α_t`: the weight that is still on the start, 0."""
        warm = self._warm(t) if self.warmup else 0
        cold = (t - warm) * math.log(self.alpha) if t > warm else 0.0
        return cold - math.log(math.comb(warm + WARMUP, WARMUP))  # the product of k/(k + 9), k = 1 … n, is 1/C(n+9, 9)

    def _warm(self, t: int) -> int:
        """How many of the first t observations have `t / (t + 9) < α`."""
        return int(min(t, self.observations_of_warmup))

    def __repr__(self) -> str:
        options = f"bias_correction={self.bias_correction}, warmup={self.warmup}, start={self.start!r}"
        return f"EMA(alpha={self.alpha}, {options})"
