"""From cause to symptom: the leading fault as a chain of words, for the top of a page."""

from __future__ import annotations

from trimtab.core.finding import Finding
from trimtab.report.blocks import Chain, Link
from trimtab.report.verdict import BECAUSE

_MOST = 5


def chain(root: Finding, symptoms: list[Finding]) -> Chain | None:
    """The chain of a root cause; None where there is nothing before it and nothing after it."""
    word = BECAUSE.get(root.reveals) if root.reveals else None
    if word is None and not symptoms:
        return None
    links = [Link(symptom.name, symptom.code) for symptom in symptoms[:_MOST]]
    if len(symptoms) > _MOST:
        links.append(Link(f"{len(symptoms) - _MOST} more"))
    return Chain(Link(word) if word else None, Link(root.name, root.code), tuple(links))
