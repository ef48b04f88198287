"""The evidence of a finding as pairs of words and number; the backward gain gets the letters of the textbook."""

from __future__ import annotations

from collections.abc import Iterator

from trimtab.core.finding import Finding
from trimtab.report.names import clean
from trimtab.report.quantity import quantity


def evidence(finding: Finding) -> Iterator[tuple[str, str]]:
    """What a rule measured, in its order: `gain M 0.21`, `M^11 3.1e-08`, `dead 98 %`; what it could not is left out."""
    words = _letters(finding)
    for key, value in finding.evidence.items():
        if value is not None:
            yield words.get(key, clean(key).replace("_", " ")), quantity(value, key)


def _letters(finding: Finding) -> dict[str, str]:
    """Between n layers, or n calls, in a row there are n − 1 gains; their product is what reaches the first."""
    links = finding.evidence.get("depth") or finding.evidence.get("calls")
    if "gain" not in finding.evidence or not isinstance(links, int):
        return {}
    return {"gain": "gain M", "reach": f"M^{links - 1}", "depth": "layers", "calls": "time steps"}
