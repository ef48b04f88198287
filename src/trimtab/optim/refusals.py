"""What is not offered or cannot be meant, refused before anything is changed. The first words are torch's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from trimtab.optim.naming import name_of

if TYPE_CHECKING:
    from trimtab.optim.descent import Descent

NOT_NEGATIVE = {
    "lr": "learning rate",
    "eps": "epsilon value",
    "weight_decay": "weight_decay value",
    "momentum": "momentum value",
    "alpha": "alpha value",
}


def refuse_options(name: str, options: Mapping[str, Any]) -> None:
    """ValueError for a number out of range, NotImplementedError for `differentiable`."""
    if isinstance(options["lr"], Tensor) and options["lr"].numel() != 1:
        raise ValueError(f"Tensor lr must be 1-element, not of shape {tuple(options['lr'].shape)}")
    for key, words in NOT_NEGATIVE.items():
        if key in options and not options[key] >= 0:
            raise ValueError(f"Invalid {words}: {options[key]}; {name} takes {key} >= 0")
    _refuse_betas(options.get("betas", (0.0, 0.0)))
    _refuse_shares(options)
    if options.get("nesterov") and (options["momentum"] <= 0 or options["dampening"] != 0):
        raise ValueError("Nesterov momentum requires a momentum and zero dampening: momentum=0.9, dampening=0")
    if options.get("differentiable"):
        raise NotImplementedError(f"differentiable=True is not offered here: torch.optim.{name} has it")
    if options.get("fused") and options.get("foreach"):
        raise RuntimeError("`fused` and `foreach` cannot be `True` together.")


def refuse_sparse(optimizer: Descent) -> None:
    """RuntimeError for a gradient that is not dense."""
    for p in (p for group in optimizer.param_groups for p in group["params"]):
        if p.grad is not None and p.grad.layout is not torch.strided:
            raise RuntimeError(
                f"{type(optimizer).__name__} does not support sparse gradients, and that of "
                f"{name_of(p, optimizer.param_groups)} is one: make its layer with sparse=False, "
                "or step it with torch.optim.SparseAdam or torch.optim.SGD"
            )


def refuse_freed(optimizer: Descent) -> None:
    """RuntimeError for a tensor whose memory was given back: torch's own operations would read where there is none."""
    if torch.compiler.is_compiling():
        return
    for p in (p for group in optimizer.param_groups for p in group["params"] if p.grad is not None):
        tensors = {"its memory": p, "the memory of its gradient": p.grad}
        tensors |= {f"the memory of its {key!r}": x for key, x in optimizer.state.get(p, {}).items()}
        for what, x in tensors.items():
            if type(x) in (Tensor, torch.nn.Parameter) and x.numel() and not x.untyped_storage().nbytes():
                raise RuntimeError(
                    f"{type(optimizer).__name__}.step: {name_of(p, optimizer.param_groups)} cannot be stepped, "
                    f"{what} was freed: bring it back, or set its gradient to None"
                )


def refuse_capture(optimizer: Descent, averaging: bool) -> None:
    """RuntimeError in a CUDA graph's capture where the host counts steps: the graph would repeat the first for ever."""
    if torch.compiler.is_compiling() or not torch.cuda.is_initialized():
        return
    if not torch.cuda.is_current_stream_capturing():
        return
    if averaging:
        raise RuntimeError("a weight average counts steps on the host and cannot be captured: leave average=None")
    updates = [optimizer.update_of(group) for group in optimizer.param_groups]
    if any(update.counts and not update.capturable for update in updates):
        raise RuntimeError(f"graph capture of {type(optimizer).__name__}.step needs capturable=True in every group")


def _refuse_shares(options: Mapping[str, Any]) -> None:
    """An average keeps at most all of the old; less, where the correction divides by `1 − βᵗ`."""
    averages = ["alpha"] if "alpha" in options else []
    averages += ["momentum"] if options.get("momentum_form") == "ema" else []
    for key in averages:
        if options[key] > 1 or (options[key] == 1 and options["bias_correction"]):
            raise ValueError(
                f"Invalid {key} value: {options[key]}; it is the share kept of the old, at most 1, and below 1 with "
                "bias_correction=True"
            )


def _refuse_betas(betas: tuple[Any, Any]) -> None:
    if isinstance(betas[0], Tensor) != isinstance(betas[1], Tensor):
        raise ValueError("betas must be either both floats or both Tensors")
    for i, beta in enumerate(betas):
        if isinstance(beta, Tensor) and beta.numel() != 1:
            raise ValueError(f"Tensor betas[{i}] must be 1-element, not of shape {tuple(beta.shape)}")
        if not 0.0 <= beta < 1.0:
            raise ValueError(f"Invalid beta parameter at index {i}: {beta}; it is the share kept of the old, in [0, 1)")
