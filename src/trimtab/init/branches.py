"""Sums that end a residual branch: a stream, and what was computed from it."""

from __future__ import annotations

from trimtab.init.calls import Trace
from trimtab.init.signals import Signal


def mark_residual(seen: Trace, a: Signal, b: Signal) -> None:
    """Of a sum of a stream with what was computed from it, mark the calls that end the computed one, the branch."""
    branch = _branch(seen, a, b)
    if branch is None:
        return
    called = [seen.calls[i] for i in branch.calls]
    layers = [call.layer for call in seen.calls]
    if any(layers.count(call.layer) > 1 for call in called):
        return  # one weight at every step: time, not depth
    seen.residuals += 1
    for call in called:
        call.residual, call.closing_norm = True, branch.norm


def _branch(seen: Trace, a: Signal, b: Signal) -> Signal | None:
    if a.feeds(b) != b.feeds(a):
        return b if a.feeds(b) else a
    skip, branch = (a, b) if a.depth < b.depth else (b, a)
    return branch if skip.depth < branch.depth and (a.feeds(b) or _is_shortcut(seen, skip, branch)) else None


def _is_shortcut(seen: Trace, skip: Signal, branch: Signal) -> bool:
    """Whether one layer leads around the branch from the tensor where both begin, and no other layer reads that."""
    if len(skip.calls) != 1:
        return False
    (index,) = skip.calls
    fork = seen.calls[index].entering
    starts = {i for i in branch.ancestors if i >= 0 and seen.calls[i].entering == fork}
    readers = {call.index for call in seen.calls if call.entering == fork}
    return fork is not None and len(starts) == 1 and readers == starts | {index}
