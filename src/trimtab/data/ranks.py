"""The moments of all ranks, on every rank."""

from __future__ import annotations

from functools import reduce
from typing import Any

import torch.distributed as dist

from trimtab.methods.moments import Moments


def over_ranks(moments: Moments, group: Any = None) -> Moments:
    """The moments of what all ranks of `group` have seen; `moments` itself where there is no process group.

    The parts are gathered and merged in the order of the ranks, so that all ranks get the same bits. A rank that has
    seen nothing takes part, even where it does not know the number of features.
    """
    if not (dist.is_available() and dist.is_initialized()):
        return moments
    parts: list[Any] = [None] * dist.get_world_size(group)
    own = tuple(value.cpu() for value in (moments.count, moments.mean, moments.m2))
    dist.all_gather_object(parts, own, group=group)
    known = {rank: Moments(*part) for rank, part in enumerate(parts) if part[0].numel()}
    widths = {rank: part.mean.numel() for rank, part in known.items()}
    if len(set(widths.values())) > 1:
        raise ValueError(
            f"Standardizer.all_reduce: the ranks saw different numbers of features, by rank {widths}; expected one "
            "number; check that all ranks read the same columns"
        )
    return reduce(Moments.merge, known.values()) if known else moments
