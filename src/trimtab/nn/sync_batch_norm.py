"""Batch normalisation over all ranks of a process group, as if their batches were one."""

from __future__ import annotations

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from trimtab.methods.moments import Moments
from trimtab.nn.batch import refuse_nonpositive, values_per_channel
from trimtab.nn.batch_norm import BatchNorm, BatchNorm1d, BatchNorm2d, BatchNorm3d, Nonfinite, Single
from trimtab.nn.collective import gather_moments, more_than_one
from trimtab.nn.over_ranks import by_moments
from trimtab.nn.variance import Variance, correction

PLAIN = (BatchNorm1d, BatchNorm2d, BatchNorm3d, nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm)


class SyncBatchNorm(BatchNorm):
    """Batch normalisation of [B, C, *space] by the statistics of all ranks' batches together.

    Forward, running estimates and input gradients equal those of `BatchNorm` on the concatenated batch; the gradients
    of γ and κ are each rank's own part, which their sum over ranks (or DDP's mean) makes whole. Batches may differ in
    size and be empty. On any backend: gloo on the CPU, nccl on GPUs. Outside a process group, and in evaluation, it is
    `BatchNorm`. It compiles to one graph, and has second and forward-mode derivatives; as each asks the other ranks,
    every rank must take it: a tangent of x is this rank's part of one of the concatenated batch.

    Args:
        process_group: whose ranks take part; None is all of them.
        num_features, eps, …: as in `BatchNorm`. `single` looks at all ranks' values together.

    Raises:
        ValueError: as `BatchNorm`; on all ranks alike.

    Differs from torch: `torch.nn.SyncBatchNorm` runs on GPUs only; here the ranks' moments are merged in float64, and
    second derivatives are right across ranks. It is no subclass of torch's, which DDP refuses on the CPU.
    Source: Chan, Golub, LeVeque (1983), The American Statistician 37(3), for the merging.
    """

    process_group: Any = None

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        process_group: Any = None,
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
        super().__init__(
            num_features,
            eps,
            momentum,
            affine,
            track_running_stats,
            device,
            dtype,
            bias=bias,
            beta=beta,
            variance=variance,
            running_variance=running_variance,
            single=single,
            on_nonfinite=on_nonfinite,
        )
        self.process_group = process_group

    @classmethod
    def convert_sync_batchnorm(cls, module: nn.Module, process_group: Any = None) -> nn.Module:
        """Make every batch norm of the model one over all ranks, in place, torch's and trimtab's; returns the model.

        Parameters, buffers, options and hooks stay the same objects. Differs from torch: a lone layer is changed in
        place as well, and layers of other classes (a subclass with a forward of its own) are left as they are.
        """
        for layer in module.modules():
            if type(layer) in (*PLAIN, cls):
                layer.__class__ = cls
                layer.process_group = process_group
        return module

    def _check_input_dim(self, input: Tensor) -> None:
        if input.dim() < 2:
            raise ValueError(f"expected at least 2D input (got {input.dim()}D input)")
        if input.size(1) == 0:
            raise ValueError("SyncBatchNorm number of input channels should be non-zero")

    def _by_batch(self, x: Tensor) -> tuple[Tensor, Moments | None]:
        group = self._group()
        if group is None:
            return super()._by_batch(x)
        refuse_nonpositive(self.eps)
        whole = gather_moments(x, group)
        enough = values_per_channel(x) > 1  # here alone already: what the others have need not be read
        stand_in = self.single == "running" and self.running_mean is not None
        if not enough and not stand_in:
            whole = Moments(more_than_one(whole.count, x.shape), whole.mean, whole.m2)
        y = by_moments(x, self.weight, self.bias, whole, self.eps, correction(self.variance), group)
        if not enough and stand_in:
            alone = whole.count == 1
            y = torch.where(alone[0], self._by_estimates(x), y)
            whole = Moments(torch.where(alone, 0, whole.count), whole.mean, whole.m2)
        return y, whole

    def _group(self) -> Any:
        """The process group to take statistics over, or None when this rank is alone."""
        if not (self.training and dist.is_available() and dist.is_initialized()):
            return None
        group = dist.group.WORLD if self.process_group is None else self.process_group
        return group if dist.get_world_size(group) > 1 else None
