"""The chain of weight layers from the data to the loss, and the gradient's size along it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

import numpy as np

from trimtab.core.signal import DELTA_NORM
from trimtab.core.trace import Floats, Site, Trace

WEIGHT_OPS = ("linear", "conv", "recurrent")
NORMS = ("batch_norm", "layer_norm", "group_norm")


@dataclass(frozen=True, slots=True)
class Chain:
    """Weight layers of one model by depth; `norms` [T, L] is ‖dL/dφ‖ at each depth, layers side by side together."""

    names: tuple[str, ...]
    places: tuple[tuple[int, ...], ...]
    norms: Floats

    def reach(self) -> Floats:
        """Share of the last layer's gradient that gets to the first: ∏ M_i, [T]."""
        with np.errstate(all="ignore"):
            return self.norms[:, 0] / self.norms[:, -1]

    def gain(self, reach: float) -> float:
        """The gain per layer, M, that makes such a product; of 0, that of the layers which still get something."""
        links = len(self.names) - 1
        if reach == 0:
            typical = np.median(np.nan_to_num(self.norms, posinf=0.0), axis=0)
            reached = np.flatnonzero(typical[:-1] > 0)
            if not reached.size or typical[-1] == 0:
                return 0.0
            reach, links = float(typical[reached[0]] / typical[-1]), links - int(reached[0])
        return float(reach ** (1 / max(links, 1)))


def chains(trace: Trace, least: int = 3) -> list[Chain]:
    """A chain for each model of the run with at least so many weight layers one behind the other."""
    found: list[Chain] = []
    norms = trace[DELTA_NORM]
    if not norms.size:
        return []
    layers = [(i, site) for i, site in enumerate(trace.of("layer")) if site.attrs.get("op") in WEIGHT_OPS]
    for _, members in groupby(sorted(layers, key=lambda pair: _root(pair[1])), key=lambda pair: _root(pair[1])):
        by_depth = sorted(members, key=lambda pair: (_depth(pair[1]), pair[0]))
        groups = [list(group) for _, group in groupby(by_depth, key=lambda pair: _depth(pair[1]))]
        if len(groups) < least:
            continue
        columns = [norms[:, [i for i, _ in group]] for group in groups]
        with np.errstate(all="ignore"):
            together = [np.where(np.isnan(c).all(1), np.nan, np.sqrt(np.nansum(c**2, 1))) for c in columns]
        found.append(
            Chain(
                tuple(group[0][1].name for group in groups),
                tuple(tuple(i for i, _ in group) for group in groups),
                np.stack(together, 1),
            )
        )
    return found


def normalized_next(trace: Trace, name: str) -> bool:
    """Whether a norm stands between this layer and the next weight layer."""
    layers = trace.of("layer")
    own = next((site for site in layers if site.name == name), None)
    return own is not None and any(
        site.attrs.get("op") in NORMS
        and site.attrs.get("depth") == own.attrs.get("depth")
        and site.attrs.get("root") == own.attrs.get("root")
        for site in layers
    )


def _root(site: Site) -> str:
    return str(site.attrs.get("root") or "")


def _depth(site: Site) -> int:
    depth = site.attrs.get("depth")
    return int(depth) if isinstance(depth, (int, float)) else 0
