"""Writes a page for each rule, with the pictures of its examples: `python -m docs.rule_pages`.

The text is the rule's own documentation, which `trimtab explain` shows too; the numbers are its limits, the pictures
its sick and its healthy example.
"""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import altair as alt
import numpy as np
import vl_convert

from docs.pictures.slim import slim
from docs.pictures.style import BLUE, ORANGE, named, rounded, styled, title
from trimtab.core.finding import Finding, Severity
from trimtab.core.rule import Rule
from trimtab.core.signal import LOSS, Signal
from trimtab.core.sources import SOURCES
from trimtab.core.trace import Trace
from trimtab.pipeline import diagnose
from trimtab.remedies import prescribe
from trimtab.rules import all_rules

PAGES = Path(__file__).parent / "rules"
INDEX = PAGES.with_suffix(".md")
SECTIONS = ("What it measures", "Why it matters", "When it is wrong")


def main() -> None:
    """Write the index, the pages and the pictures."""
    PAGES.mkdir(exist_ok=True)
    INDEX.write_text(index(), encoding="utf-8")
    for rule in all_rules():
        path = PAGES / f"{stem(rule)}.md"
        path.write_text(page(rule), encoding="utf-8")
        if (picture := svg(rule)) is not None:
            path.with_suffix(".svg").write_text(picture, encoding="utf-8")


def stem(rule: Rule) -> str:
    """The name of a rule's page: `TT301-vanishing-gradient`."""
    return f"{rule.code}-{rule.name}"


def index() -> str:
    """The table of all rules."""
    rows = [f"| [{r.code}](rules/{stem(r)}.md) | {r.name} | {summary(r)} |" for r in all_rules()]
    head = "# The rules\n\nMade by `python -m docs.rule_pages` from the rules themselves.\n"
    return "\n".join([head, "| code | name | what the run has |", "|---|---|---|", *rows]) + "\n"


def page(rule: Rule) -> str:
    """One rule: its documentation, an example with what is said of it, its limits and their sources."""
    said = next(f for f in diagnose(rule.sick()).findings if f.code == rule.code)
    parts = [f"# {rule.code} {rule.name}", summary(rule), *_sections(rule), "## Example", f"> {said.message}"]
    if signal_of(rule) is not None:
        parts.append(f"![{rule.name}: the sick example and the healthy one]({stem(rule)}.svg)")
    else:
        parts.append(
            "It is read off how the program is built; no signal over the steps tells it, so there is no picture."
        )
    parts += [*_remedy(said, rule.sick()), *_causes(rule), *_limits(rule)]
    return "\n\n".join(parts) + "\n"


def summary(rule: Rule) -> str:
    """What the run has, in the first sentence of the documentation."""
    return (inspect.getdoc(type(rule)) or "").partition("\n\n")[0].replace("\n", " ")


def _sections(rule: Rule) -> list[str]:
    text = inspect.getdoc(type(rule)) or ""
    found = [re.search(rf"^{name}: (.*?)(?=\n\n[A-Z][\w ]+:|\Z)", text, re.M | re.S) for name in SECTIONS]
    texts = {name: match[1] for name, match in zip(SECTIONS, found, strict=True) if match}
    return [part for name, text in texts.items() for part in (f"## {name}", text[:1].upper() + text[1:])]


def _remedy(said: Finding, trace: Trace) -> list[str]:
    if said.severity is Severity.NOTE:
        return []
    best = prescribe(said, trace)[0]
    name = best.remedy.name
    return [f"What to do: [{name}](../remedies/{name}.md).", f"{best.remedy.sentence}", f"```python\n{best.code}\n```"]


def _causes(rule: Rule) -> list[str]:
    if not rule.suspects:
        return []
    names = ", ".join(f"`{cause.value}`" for cause in rule.suspects)
    return [
        "## What may be behind it",
        f"Where one of these is found as well, it is told first, and explains this: {names}.",
    ]


def _limits(rule: Rule) -> list[str]:
    if not rule.limits:
        return []
    rows = [f"| {name} | {limit.value:g} | {limit.why} | {limit.source} |" for name, limit in rule.limits.items()]
    keys = dict.fromkeys(limit.source for limit in rule.limits.values())
    sources = [f"- {key}: {SOURCES[key].text}{f', {SOURCES[key].url}' if SOURCES[key].url else ''}" for key in keys]
    table = "\n".join(["| limit | value | what it is | source |", "|---|---|---|---|", *rows])
    return ["## Limits", table, "\n".join(sources)]


def signal_of(rule: Rule) -> Signal | None:
    """The first signal in which the two examples differ; the loss only where nothing else does."""
    sick, healthy = rule.sick(), rule.healthy()
    ordered = [signal for signal in rule.needs if signal is not LOSS] + [s for s in rule.needs if s is LOSS]
    return next((s for s in ordered if _differ(sick[s], healthy[s])), None)


def _differ(one: np.ndarray, other: np.ndarray) -> bool:
    if not (np.isfinite(one).any() and np.isfinite(other).any()):
        return False
    return not np.array_equal(one, other, equal_nan=True)


def svg(rule: Rule) -> str | None:
    """The signal that tells the two examples apart, over their steps."""
    signal = signal_of(rule)
    if signal is None:
        return None
    rows = [
        {"step": int(step), "value": float(value), "name": name, "line": f"{name}{place}"}
        for name, trace in (("sick", rule.sick()), ("healthy", rule.healthy()))
        for place in range(min(trace[signal].shape[1], 12))
        for step, value in zip(trace.at(signal), trace[signal][:, place], strict=True)
        if np.isfinite(value)
    ]
    values = [row["value"] for row in rows]
    wide = min(values) > 0 and max(values) > 30 * min(values)
    scale = alt.Scale(type="log" if wide else "linear", zero=False)
    chart = (
        alt.Chart(rounded(rows), width=420, height=200, title=title(signal.name.replace("_", " "), signal.formula))
        .mark_line(strokeWidth=2, point=alt.OverlayMarkDef(size=14))
        .encode(
            x=alt.X("step:Q", axis=alt.Axis(tickMinStep=1)),
            y=alt.Y("value:Q", scale=scale, title=signal.unit),
            color=named(["sick", "healthy"], (ORANGE, BLUE)),
            detail="line:N",
        )
    )
    return slim(vl_convert.vegalite_to_svg(styled(alt.hconcat(chart)).to_json()))


if __name__ == "__main__":
    main()
