"""How a run is set up, as far as its trace tells: script, optimizer, layers, loss, versions."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from trimtab.core.looks import measured
from trimtab.core.signal import LEARNING_RATE, TARGET_COUNT
from trimtab.core.trace import Site, Trace
from trimtab.report.names import clean, enumerate_names
from trimtab.report.quantity import number

_SETTINGS = {"momentum": "momentum", "weight_decay": "weight decay", "eps": "ε"}


def setup(trace: Trace) -> dict[str, str]:
    """What is set, by name; what is not known is missing."""
    rows = dict(_facts(trace)) | dict(_optimizers(trace))
    rows["weight layers and norms"] = number(len(trace.of("layer"))) if trace.of("layer") else ""
    rows["parameters"] = _parameters(trace)
    rows["loss"] = enumerate_names(loss_kinds(trace))
    rows["examples in a batch"] = _batch(trace)
    return {name: value for name, value in rows.items() if value}


def loss_kinds(trace: Trace) -> list[str]:
    """What the objectives compare, or the kinds of the losses."""
    objectives = [site.attrs.get("compares") for site in trace.of("objective")]
    losses = [site.attrs.get("kind") for site in trace.of("loss")]
    return sorted({clean(str(kind)) for kind in objectives or losses if kind})


def layer_changes(a: Trace, b: Trace) -> dict[str, tuple[str, str]]:
    """Layers that only one of the runs has; those that differ in nothing but their names are called renamed."""
    layers_a, layers_b = a.of("layer"), b.of("layer")
    names_a, names_b = {site.name for site in layers_a}, {site.name for site in layers_b}
    gone = [site for site in layers_a if site.name not in names_b]
    new = [site for site in layers_b if site.name not in names_a]
    if gone and [_form(site) for site in gone] == [_form(site) for site in new]:
        return {"layers renamed": (_names(gone), _names(new))}
    rows = {"layers only here": (_names(gone), _names(new))}
    return {name: pair for name, pair in rows.items() if any(pair)}


def _names(sites: list[Site]) -> str:
    return enumerate_names([site.name for site in sites], most=2, width=16)


def _form(site: Site) -> tuple[object, object]:
    return site.attrs.get("op"), site.attrs.get("fan_in")


def _facts(trace: Trace) -> Iterator[tuple[str, str]]:
    for name in ("script", "recipe", "seed", "ended", "trimtab", "torch"):
        value = trace.meta.get(name)
        yield name, "" if value is None else clean(str(value))
    yield "steps", number(trace.steps)


def _optimizers(trace: Trace) -> Iterator[tuple[str, str]]:
    sites = trace.of("optimizer")
    for place, site in enumerate(sites):
        prefix = f"{clean(site.name)}: " if len(sites) > 1 else ""
        yield f"{prefix}optimizer", clean(site.name)
        rates = measured(trace, LEARNING_RATE, place)
        if rates.size:
            first, last = number(float(rates[0])), number(float(rates[-1]))
            yield f"{prefix}learning rate", first if first == last else f"{first} → {last}"
        for key, name in _SETTINGS.items():
            value = site.attrs.get(key)
            if isinstance(value, (int, float)):
                yield f"{prefix}{name}", number(float(value))


def _parameters(trace: Trace) -> str:
    sizes = [site.attrs.get("numel") for site in trace.of("parameter")]
    known = [size for size in sizes if isinstance(size, int)]
    return number(sum(known)) if known else ""


def _batch(trace: Trace) -> str:
    counts = trace[TARGET_COUNT]
    counts = counts[np.isfinite(counts)]
    return number(float(np.median(counts))) if counts.size else ""
