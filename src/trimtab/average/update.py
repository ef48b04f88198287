"""The one step of every recursive average, in place on tensors."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


@torch.no_grad()
def update_(averages: Sequence[Tensor], observations: Sequence[Tensor], gain: float) -> None:
    """One step of the average of each tensor, in place: `s ← s + w (o − s)` with the gain `w`.

    An average may have a higher precision than what it averages (float32 beside bfloat16 weights), and another device.
    An integer or boolean average is a counter or a mask: it takes the observation as it is. With a gain of 1 every
    average is the observation exactly. A non-finite observation makes the average non-finite where it stands.

    Args:
        averages: changed in place; any strides.
        observations: one for each average, of its shape.
        gain: of this observation, from 0 to 1, as `EMA.gain` and `RunningMean.gain` give it.

    Raises:
        ValueError: the numbers of tensors or two shapes differ.

    Differs from torch: the arithmetic is that of `torch.optim.swa_utils.get_ema_multi_avg_fn`, bit for bit, with gain
    `1 − decay`; torch averages counters too.

    >>> average = torch.zeros(2)
    >>> update_([average], [torch.tensor([1.0, 2.0])], 0.5)
    >>> average
    tensor([0.5000, 1.0000])
    """
    _check(averages, observations)
    blended: list[tuple[Tensor, Tensor]] = []
    for average, observation in zip(averages, observations, strict=True):
        if gain == 1 or not (average.is_floating_point() or average.is_complex()):
            average.copy_(observation)
        else:
            blended.append((average, observation.detach().to(device=average.device, dtype=average.dtype)))
    if blended:
        torch._foreach_lerp_(  # pyright: ignore[reportPrivateImportUsage]
            [a for a, _ in blended], [o for _, o in blended], gain
        )


def toward_(average: Tensor, observation: Tensor, gain: float | Tensor) -> None:
    """`s ← s + w (o − s)` of one tensor in place, both in the average's precision; w may be a tensor in it as well."""
    average.lerp_(observation, gain)


def _check(averages: Sequence[Tensor], observations: Sequence[Tensor]) -> None:
    if len(averages) != len(observations):
        raise ValueError(f"update_: {len(averages)} averages, {len(observations)} observations: give one for each")
    for i, (average, observation) in enumerate(zip(averages, observations, strict=True)):
        if average.shape != observation.shape:
            raise ValueError(
                f"update_: observation {i} has shape {tuple(observation.shape)}, its average {tuple(average.shape)}: "
                "they must be equal"
            )
