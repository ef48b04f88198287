"""What an optimizer adds to the gradient: the ε beside its scale, and its weight decay."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from torch import Tensor
from torch.optim import Optimizer

from trimtab.core.signal import EPSILON_SHARE, WEIGHT_DECAY, WEIGHT_SHRINKAGE
from trimtab.watching.buffer import Buffer
from trimtab.watching.probes.sample import weights

SCALES = ("max_exp_avg_sq", "exp_avg_sq", "square_avg")  # of Adam with AMSGrad, Adam, RMSprop


def read_state(buffer: Buffer, step: int, optimizer: Optimizer, placed: Mapping[int, int]) -> None:
    """Measure the parameters of an optimizer that has just stepped; `placed` maps their ids to their sites."""
    for group in optimizer.param_groups:
        epsilon, decay = _number(group.get("eps")), _number(group.get("weight_decay"))
        for p in group["params"]:
            site = placed.get(id(p))
            if site is None or p.numel() == 0 or p.is_complex():
                continue
            if epsilon:
                _epsilon(buffer, step, site, optimizer.state.get(p, {}), group, epsilon)
            if decay:
                _decay(buffer, step, site, optimizer, group, decay)


def _epsilon(
    buffer: Buffer, step: int, site: int, state: Mapping[str, Any], group: Mapping[str, Any], epsilon: float
) -> None:
    scale = next((state[key] for key in SCALES if isinstance(state.get(key), Tensor)), None)
    if scale is None or scale.numel() == 0:
        return
    s = weights(scale).float() / _correction(state, group)
    # Squared, ε may leave single precision, but not the range that matters: what is below it then is zero.
    least = epsilon if group.get("eps_inside_sqrt") else epsilon * epsilon
    alive = s > 0  # a coordinate that never had a gradient has no scale to guard
    buffer.put(step, EPSILON_SHARE, site, ((s < least) & alive).sum() / alive.sum().clamp_min(1))


def _correction(state: Mapping[str, Any], group: Mapping[str, Any]) -> float:
    """1 − β₂ᵗ, where the optimizer divides by it."""
    betas, taken = group.get("betas"), state.get("step")
    if betas is None or taken is None or group.get("bias_correction") is False or not _on_host(taken):
        return 1.0
    beta, t = _number(betas[1]), _number(taken)
    return max(-math.expm1(t * math.log(beta)), 1e-12) if 0 < beta < 1 and t > 0 else 1.0


def _decay(buffer: Buffer, step: int, site: int, optimizer: Optimizer, group: Mapping[str, Any], decay: float) -> None:
    if group.get("decoupled_weight_decay", "AdamW" in type(optimizer).__name__):
        buffer.put(step, WEIGHT_SHRINKAGE, site, _number(group.get("lr")) * decay)
    else:
        buffer.put(step, WEIGHT_DECAY, site, decay)


def _on_host(value: Any) -> bool:
    return not isinstance(value, Tensor) or value.device.type == "cpu"


def _number(value: Any) -> float:
    """A hyperparameter as a float; 0 where there is none, or where only a device knows it."""
    if isinstance(value, Tensor):
        return float(value) if _on_host(value) and value.numel() == 1 else 0.0
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else 0.0
