"""Batch normalisation as modules, for one, two and three dimensions of space."""

from __future__ import annotations

from typing import Any, Literal

import torch
from torch import Tensor

from trimtab.methods.moments import Moments
from trimtab.nn.batch import by_batch, by_estimates, check, single_value, values_per_channel
from trimtab.nn.running import countable, observe_, recomputing
from trimtab.nn.variance import Variance, correction

Single = Literal["raise", "running"]
Nonfinite = Literal["keep", "pass"]
OPTIONS = ("variance", "running_variance", "single", "on_nonfinite")  # beside what torch's layers have


class BatchNorm(torch.nn.modules.batchnorm._BatchNorm):
    """What `BatchNorm1d`, `2d`, `3d` and `SyncBatchNorm` share.

    Train: `γ (x − x̄) / √(s² + ε) + κ` by the statistics of batch and space, per channel; running estimates
    `μ̄ ← β μ̄ + (1−β) x̄`, `σ̄² ← β σ̄² + (1−β) s²`. Test: `γ (x − μ̄) / √(σ̄² + ε) + κ`.

    Args:
        num_features: C, the size of dimension 1 of the input.
        eps: ε.
        momentum: 1 − β; None is the mean over all batches.
        affine: whether to learn γ (`weight`, from 1) and κ (`bias`, from 0).
        track_running_stats: without running estimates, a test batch is normalised by its own statistics.
        device, dtype: of parameters and buffers.
        bias: whether to learn κ.
        beta: β, in place of `momentum`.
        variance: what normalises a batch: `s² = 1/n Σ (xᵢ − x̄)²` ("biased") or `1/(n−1) Σ (xᵢ − x̄)²` ("unbiased").
        running_variance: the same for what enters `running_var`.
        single: a batch with one value a channel has no variance: "raise", or "running" to normalise it by the running
            estimates and leave these alone.
        on_nonfinite: "keep": a channel whose statistics are NaN or infinite keeps its running estimates; "pass":
            they become NaN, as in torch.

    Raises:
        ValueError: an option of unknown name; both momentum and beta; in training, one value a channel.

    Differs from torch: the options. Sums are in float32 at least and centred, right to rounding at a mean of 10⁴
    standard deviations in every memory format. Running estimates are updated once under activation checkpointing
    (where `torch.compile` is around the checkpoint, not inside it), and by `merged_statistics` once for several
    micro-batches. It is a torch `_BatchNorm` with the same
    `state_dict`; `trimtab.nn.convert` exchanges the two.
    Source: Ioffe and Szegedy (2015), "Batch Normalization", arXiv:1502.03167.
    """

    variance: Variance = "biased"
    running_variance: Variance = "unbiased"
    single: Single = "raise"
    on_nonfinite: Nonfinite = "keep"
    pending: Moments | None = None  # what `merged_statistics` has seen so far; None outside it

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: Any = None,
        dtype: torch.dtype | None = None,
        *,
        bias: bool = True,
        beta: float | None = None,
        variance: Variance = "biased",
        running_variance: Variance = "unbiased",
        single: Single = "raise",
        on_nonfinite: Nonfinite = "keep",
    ) -> None:
        super().__init__(num_features, eps, _momentum(momentum, beta), affine, track_running_stats, device, dtype)
        if not bias:  # an argument of torch's own only in its later versions
            self.register_parameter("bias", None)
        correction(variance)
        correction(running_variance, "running_variance")
        check_choice("single", single, ("raise", "running"))
        check_choice("on_nonfinite", on_nonfinite, ("keep", "pass"))
        self.variance, self.running_variance = variance, running_variance
        self.single, self.on_nonfinite = single, on_nonfinite

    @property
    def beta(self) -> float | None:
        """β, what an update leaves of the running estimates; None where they are means over all batches."""
        return None if self.momentum is None else 1 - self.momentum

    def reset_parameters(self) -> None:
        self.reset_running_stats()
        if self.weight is not None:
            torch.nn.init.ones_(self.weight)
        if self.bias is not None:
            torch.nn.init.zeros_(self.bias)

    def forward(self, input: Tensor) -> Tensor:
        self._check_input_dim(input)
        parameters = {"weight": self.weight, "bias": self.bias}
        check(input, running_mean=self.running_mean, running_var=self.running_var, **parameters)
        if not self.training and self.running_mean is not None:
            return self._by_estimates(input)
        y, batch = self._by_batch(input)
        if self.training and self.track_running_stats and batch is not None and not recomputing():
            self.observe(batch)
        return y

    def _by_estimates(self, x: Tensor) -> Tensor:
        assert self.running_mean is not None and self.running_var is not None
        return by_estimates(x, self.running_mean, self.running_var, self.weight, self.bias, self.eps)

    def _by_batch(self, x: Tensor) -> tuple[Tensor, Moments | None]:
        if values_per_channel(x) == 1:
            return self._alone(x), None
        return by_batch(x, self.weight, self.bias, self.eps, correction(self.variance))

    def _alone(self, x: Tensor) -> Tensor:
        """A batch of one value a channel, by the policy for it."""
        if self.single == "running" and self.running_mean is not None:
            return self._by_estimates(x)
        raise single_value(x.shape)

    def observe(self, batch: Moments) -> None:
        """Take a batch's moments into the running estimates, or into what `merged_statistics` will take into them."""
        if self.pending is not None:
            self.pending = self.pending.merge(countable(batch) if self.on_nonfinite == "keep" else batch)
        elif self.running_mean is not None and self.running_var is not None:
            observe_(
                self.running_mean,
                self.running_var,
                batch,
                self.momentum,
                unbiased=self.running_variance == "unbiased",
                keep=self.on_nonfinite == "keep",
                batches=self.num_batches_tracked,
            )

    def __getstate__(self) -> dict[str, Any]:
        """A copy is in no `merged_statistics`, and nothing would ever end it there."""
        return {name: value for name, value in vars(self).items() if name != "pending"}

    def extra_repr(self) -> str:
        values = {name: getattr(self, name) for name in OPTIONS}
        changed = (f", {name}={value!r}" for name, value in values.items() if value != getattr(BatchNorm, name))
        return super().extra_repr() + "".join(changed)


class BatchNorm1d(BatchNorm, torch.nn.BatchNorm1d):
    """Batch normalisation of [B, C] or [B, C, L]; formula, arguments and differences from torch as in `BatchNorm`.

    >>> x = torch.tensor([[1.0], [3.0]])
    >>> BatchNorm1d(1, variance="unbiased")(x).flatten().detach()
    tensor([-0.7071,  0.7071])
    """


class BatchNorm2d(BatchNorm, torch.nn.BatchNorm2d):
    """Batch normalisation of [B, C, H, W]; formula, arguments and differences from torch as in `BatchNorm`."""


class BatchNorm3d(BatchNorm, torch.nn.BatchNorm3d):
    """Batch normalisation of [B, C, D, H, W]; formula, arguments and differences from torch as in `BatchNorm`."""


def _momentum(momentum: float | None, beta: float | None) -> float | None:
    """The momentum that is meant: 1 − β where β is given."""
    if beta is None:
        return momentum
    if momentum != 0.1:
        raise ValueError(f"BatchNorm: beta={beta} and momentum={momentum} both given; momentum is 1 − beta: give one")
    if not 0 <= beta <= 1:
        raise ValueError(
            f"BatchNorm: beta={beta}, expected from 0 to 1: the share of an estimate that an update leaves"
        )
    return 1 - beta


def check_choice(option: str, value: str, choices: tuple[str, ...]) -> None:
    """Raise unless the option's value is one of the choices."""
    if value not in choices:
        raise ValueError(f"BatchNorm: {option}={value!r}, expected {' or '.join(map(repr, choices))}")
