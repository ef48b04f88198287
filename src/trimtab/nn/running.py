"""The running estimates of batch normalisation: their one step, and when it is not taken."""

from __future__ import annotations

import torch
from torch import Tensor

from trimtab.methods.moments import Moments
from trimtab.nn.arithmetic import widen


@torch.no_grad()
def observe_(
    running_mean: Tensor,
    running_var: Tensor,
    batch: Moments,
    momentum: float | None,
    *,
    unbiased: bool,
    keep: bool,
    batches: Tensor | None = None,
) -> None:
    """One batch more, in place: `μ̄ ← β μ̄ + (1−β) x̄`, `σ̄² ← β σ̄² + (1−β) s²` with β = 1 − momentum.

    It is the step of `trimtab.average`, with a gain that may be a tensor: nothing here waits for the device.

    Args:
        running_mean: μ̄, [C], changed in place.
        running_var: σ̄², [C], changed in place.
        batch: of each channel.
        momentum: None is the mean over all batches so far: a gain of 1/`batches`.
        unbiased: whether s² divides by n − 1.
        keep: a channel whose statistics are not finite in the estimates' type keeps its estimates. So does, in any
            case, one of which fewer than two values were seen. A batch without one good channel is not counted.
        batches: the number of batches seen, counted up in place.
    """
    _refuse_unbatched(batch.mean, running_mean)
    mean = batch.mean.to(running_mean.dtype)
    variance = batch.variance(unbiased).to(running_var.dtype)
    fine = batch.count > 1
    if keep:
        fine = fine & mean.isfinite() & variance.isfinite()
    if batches is not None:
        batches.add_(fine.any())
    mean, variance = torch.where(fine, mean, running_mean), torch.where(fine, variance, running_var)
    for average, observation in ((running_mean, mean), (running_var, variance)):
        wide = widen(average)  # out of place: `lerp_` has no rule for vmap
        average.copy_(torch.lerp(wide, widen(observation), _gain(wide, momentum, batches)))


def _gain(like: Tensor, momentum: float | None, batches: Tensor | None) -> Tensor:
    """The weight of a batch, as a tensor of that type: `lerp` with a weight of 1 gives the observation exactly."""
    if momentum is not None:
        return torch.full((), momentum, dtype=like.dtype, device=like.device)
    if batches is None:
        raise ValueError("momentum=None is the mean over all batches, whose number is not known here: give a momentum")
    return 1 / batches.clamp(min=1).to(like.dtype)


def recomputing() -> bool:
    """Whether this forward runs inside a backward pass, as activation checkpointing does: its batch was seen before.

    A compiled graph cannot ask: it does not know when it runs.
    """
    return not torch.compiler.is_compiling() and torch._C._current_graph_task_id() != -1


def countable(batch: Moments) -> Moments:
    """The batch without the channels whose moments are not finite: nothing was seen of those."""
    fine = batch.mean.isfinite() & batch.m2.isfinite()
    return Moments(*(torch.where(fine, part, 0) for part in (batch.count, batch.mean, batch.m2)))


def _refuse_unbatched(mean: Tensor, running_mean: Tensor) -> None:
    """Under `torch.func.vmap` there is one batch mean for each example and one running mean to take them all."""
    batched = torch._C._functorch.is_batchedtensor  # pyright: ignore[reportAttributeAccessIssue]
    if not torch.compiler.is_compiling() and batched(mean) and not batched(running_mean):
        raise RuntimeError(
            "batch norm under vmap cannot update running estimates that are not batched: make the layer with "
            "track_running_stats=False, or pass its buffers through torch.func.functional_call with in_dims=0"
        )
