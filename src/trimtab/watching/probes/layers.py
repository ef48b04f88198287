"""Forward scale and backward gradient of every layer, and the gain through time of layers that feed themselves."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor

from trimtab.core.signal import DELTA_NORM, IN_RMS, IN_SPREAD, TIME_CALLS, TIME_GAIN
from trimtab.watching.buffer import Buffer
from trimtab.watching.graph import Layer, layer_input
from trimtab.watching.pace import Pace
from trimtab.watching.probes.sample import examples, mean_square, variance_over_examples

MAX_CALLS = 32  # calls of one layer that are looked at in one backward; a longer unrolled net is sampled evenly


def spaced(calls: list[Any], most: int = MAX_CALLS) -> list[Any]:
    """At most `most` items, evenly spaced, first and last among them."""
    if len(calls) <= most:
        return calls
    return [calls[round(i * (len(calls) - 1) / (most - 1))] for i in range(most)]


def forward_scale(buffer: Buffer, step: int, site: int, layer: Layer) -> None:
    """RMS of what enters the layer, and how much of it differs between examples."""
    x = layer_input(layer)
    if x is None or x.numel() == 0:
        return
    flat = examples(x if x.dim() > 1 else x[None])
    flat = flat.reshape(flat.shape[0], -1).float()  # [n, units]
    buffer.put(step, IN_RMS, site, mean_square(flat), power=0.5)
    buffer.put(step, IN_SPREAD, site, variance_over_examples(flat), power=0.5)


class GradientHooks:
    """‖dL/dφ‖ at the output of each layer, taken by hooks on graph nodes that live for one backward."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._handles: list[Any] = []
        self._norms: dict[int, dict[int, Tensor]] = defaultdict(dict)
        self._calls: dict[int, list[Layer]] = {}

    def attach(self, calls_by_site: dict[int, list[Layer]]) -> None:
        """Hook the layers; a site's calls stand in execution order."""
        self._calls = calls_by_site
        for site, calls in calls_by_site.items():
            for layer in spaced(calls):
                self._handles.append(layer.out.register_prehook(self._reader(site, id(layer))))

    def _reader(self, site: int, call: int) -> Any:
        def read(grad_outputs: tuple[Tensor | None, ...]) -> None:
            gradient = grad_outputs[0]
            if gradient is None:
                return
            with self._pace.clock(), torch.no_grad():
                gradient = gradient.detach()
                if gradient.is_sparse:
                    gradient = gradient._values()
                self._norms[site][call] = torch.linalg.vector_norm(
                    gradient, dtype=torch.float32 if gradient.dtype in (torch.float16, torch.bfloat16) else None
                )

        return read

    def collect(self, buffer: Buffer, step: int, factor: Tensor | None) -> None:
        """Remove the hooks and keep what they read; `factor` is what a GradScaler multiplied the loss by."""
        for handle in self._handles:
            handle.remove()
        for site, norms in self._norms.items():
            calls = spaced(self._calls[site])
            read = [norms[id(layer)] for layer in calls if id(layer) in norms]
            together = read[0] if len(read) == 1 else torch.linalg.vector_norm(torch.stack([n.float() for n in read]))
            buffer.put(step, DELTA_NORM, site, together if factor is None else together / factor)
            total = len(self._calls[site])
            if len(read) == len(calls) > 2 and all(a.depth < b.depth for a, b in pairwise(calls)):
                buffer.put(step, TIME_GAIN, site, gain_per_call(read, total))
                buffer.put(step, TIME_CALLS, site, float(total))
        self._handles, self._norms, self._calls = [], defaultdict(dict), {}


def gain_per_call(norms: list[Tensor], calls: int) -> Tensor:
    """Gain of one call, backwards: e^−slope of log ‖dL/dφ_t‖ over t, by least squares; norms in the order of t.

    Early norms that have underflowed to 0 are left out: first over last would make any gain from there 0.
    """
    logs = torch.stack([norm.float() for norm in norms]).log()
    valid = torch.isfinite(logs)
    weight = valid.float() / valid.sum()
    time = torch.linspace(0, calls - 1, len(norms), device=logs.device)
    logs = torch.where(valid, logs, 0.0)
    time = time - (weight * time).sum()
    return torch.exp(-(weight * time * logs).sum() / (weight * time * time).sum())
