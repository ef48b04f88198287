"""Targets, predictions and their misfit, batch by batch."""

from __future__ import annotations

import torch
from torch import Tensor

from trimtab.core.signal import (
    ACCURACY,
    MISFIT,
    OUTPUT_SIZE,
    SIMPLEX,
    SURPRISE,
    TARGET_COUNT,
    TARGET_MEAN,
    TARGET_SD,
    TARGET_SIZE,
)
from trimtab.watching.buffer import Buffer
from trimtab.watching.objective import Objective
from trimtab.watching.probes.sample import mean_square

EXAMPLES = 4096


def read_objective(buffer: Buffer, step: int, site: int, objective: Objective) -> None:
    """Measure one objective. Where only the difference was kept, it stands for the target: a fresh model puts out 0."""
    target = objective.target if objective.residual is None else objective.residual
    if target is None or target.numel() == 0 or target.is_complex():
        return
    x = _by_example(target)
    if objective.kind == "cross_entropy":
        x = torch.where(x < 0, torch.nan, x)  # −100 marks what is to be left out
    count = torch.isfinite(x).sum()
    mean = torch.nanmean(x)
    buffer.put(step, TARGET_COUNT, site, count.float())
    buffer.put(step, TARGET_MEAN, site, mean)
    buffer.put(step, TARGET_SD, site, torch.nanmean((x - mean).square()), power=0.5)
    if objective.kind == "cross_entropy":
        _classifier(buffer, step, site, objective)
    else:
        buffer.put(step, TARGET_SIZE, site, _largest_column(target))
        _regression(buffer, step, site, objective)


def _classifier(buffer: Buffer, step: int, site: int, objective: Objective) -> None:
    logs, target = objective.prediction, objective.target
    if logs is None or target is None or logs.dim() < 2 or target.dim() != logs.dim() - 1:
        return
    valid = target >= 0
    picked = logs[:EXAMPLES].float().gather(1, target[:EXAMPLES].clamp_min(0).unsqueeze(1)).squeeze(1)
    kept = valid[:EXAMPLES].float()
    buffer.put(step, SURPRISE, site, -(picked * kept).sum() / kept.sum().clamp_min(1))
    right = (logs[:EXAMPLES].argmax(1) == target[:EXAMPLES]).float() * kept
    buffer.put(step, ACCURACY, site, right.sum() / kept.sum().clamp_min(1))
    if logs.shape[1] > 2:
        buffer.put(step, SIMPLEX, site, _simplex(logs[:EXAMPLES].float()))


def _simplex(logs: Tensor) -> Tensor:
    """Whether the scores z behind log p = z − log Σ e^z can be probabilities themselves, of any number of classes C.

    If Σ z = 1 then z = log p + (1 − Σ log p) / C. Scores that are not squashed leave [0, 1] as soon as they tell
    classes apart; the largest tells whether they do.
    """
    z = logs + (1 - logs.sum(1, keepdim=True)) / logs.shape[1]
    return z.amax() * ((z.amin() > -1e-3) & (z.amax() < 1 + 1e-3))


def _regression(buffer: Buffer, step: int, site: int, objective: Objective) -> None:
    prediction, target, residual = objective.prediction, objective.target, objective.residual
    if residual is None and prediction is not None and target is not None and prediction.shape == target.shape:
        residual = prediction[:EXAMPLES].float() - target[:EXAMPLES].float()
    if residual is not None:
        buffer.put(step, MISFIT, site, mean_square(residual[:EXAMPLES].float()))
    if prediction is not None:
        buffer.put(step, OUTPUT_SIZE, site, mean_square(prediction[:EXAMPLES].float()), power=0.5)


def _by_example(target: Tensor) -> Tensor:
    """One number an example: [N, …] to [N]. Class indices of sequences count one by one.

    Of several columns the mean is taken, weighted by their place: of one-hot rows this is the class.
    """
    if not target.is_floating_point() or target.dim() < 2:
        return target.reshape(-1)[:EXAMPLES].double()
    flat = target[:EXAMPLES].double().reshape(min(target.shape[0], EXAMPLES), -1)
    return (
        flat[:, 0]
        if flat.shape[1] == 1
        else flat @ torch.linspace(0, 1, flat.shape[1], dtype=flat.dtype, device=flat.device)
    )


def _largest_column(target: Tensor) -> Tensor:
    """RMS of the column with the largest, for [N, …]."""
    flat = target[:EXAMPLES].float().reshape(min(target.shape[0], EXAMPLES) if target.dim() else 1, -1)
    return flat.square().mean(0).max().sqrt()
