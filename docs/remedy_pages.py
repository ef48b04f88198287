"""Writes a page for each remedy: `python -m docs.remedy_pages`.

The text is the remedy's own; what it did on the programs of the clinic is read from clinic/repairs.json and
clinic/metrics.json, the curves from docs/remedies/runs.json, which `python -m docs.remedy_runs` measures.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from clinic.programs import discover
from clinic.repair import ENOUGH, closed
from docs.pictures.remedies import caution, svg
from docs.remedy_runs import runs
from docs.rule_pages import stem
from trimtab.core.finding import Severity
from trimtab.core.recipe import Recipe
from trimtab.core.remedy import Remedy
from trimtab.pipeline import diagnose
from trimtab.remedies import all_remedies, prescribe
from trimtab.rules import all_rules
from trimtab.trial.enactors import enactable

ROOT = Path(__file__).parent.parent
PAGES = Path(__file__).parent / "remedies"
INDEX = PAGES.with_suffix(".md")


def main() -> None:
    """Write the index, the pages and the pictures."""
    INDEX.write_text(index(), encoding="utf-8")
    for remedy in all_remedies():
        path = PAGES / f"{remedy.name}.md"
        path.write_text(page(remedy), encoding="utf-8")
        if remedy.name in runs():
            path.with_suffix(".svg").write_text(svg(runs()[remedy.name]), encoding="utf-8")


def index() -> str:
    """The table of all remedies."""
    head = """# The remedies

Made by `python -m docs.remedy_pages` from the remedies themselves. *Recommended* counts the sick programs of the clinic
for which `trimtab fix` recommends the remedy, alone or with others, and *mends* those where that closes nine tenths of
the gap to the version cured by hand ([scoreboard](scoreboard.md#remedies)).

| remedy | what is done | treats | recommended | mends |
|---|---|---|---|---|
"""
    return head + "".join(f"{_row(remedy)}\n" for remedy in all_remedies())


def _row(remedy: Remedy) -> str:
    causes = ", ".join(f"`{cause.value}`" for cause in remedy.treats)
    done = [share for *_, share in repairs(remedy)]
    counts = f"{len(done)} | {sum(share >= ENOUGH for share in done)}" if remedy.name in enactable() else "by hand | "
    return f"| [{remedy.name}](remedies/{remedy.name}.md) | {remedy.sentence} | {causes} | {counts} |"


def page(remedy: Remedy) -> str:
    """One remedy: what it treats, how it is made, what it did."""
    causes = "\n".join(f"- `{cause.value}`: {cause.sentence}" for cause in remedy.treats)
    parts = [f"# {remedy.name}", remedy.sentence, "## What it treats", causes, *_found_as(remedy), *_made(remedy)]
    parts += [
        "## Lines to paste",
        f"```python\n{example(remedy)}\n```",
        "as it is prescribed for an example of a rule.",
    ]
    return "\n\n".join([*parts, *_measured(remedy)]) + "\n"


def _found_as(remedy: Remedy) -> list[str]:
    """The rules that reveal such a cause, or suspect it first."""
    rules = [
        rule
        for rule in all_rules()
        if rule.reveals in remedy.treats or any(cause in remedy.treats for cause in rule.suspects[:1])
    ]
    links = ", ".join(f"[{rule.code} {rule.name}](../rules/{stem(rule)}.md)" for rule in rules)
    return [f"Found as {links}."] if rules else []


def _made(remedy: Remedy) -> list[str]:
    """How it is tried in a script that is not changed."""
    if remedy.name not in enactable():
        by_hand = "It is made by hand: `trimtab run --with` cannot make it in a script that is running. So there is no"
        return [f"{by_hand} picture of a run with and without it."]
    change = f"{remedy.name}=…" if remedy.parameter else remedy.name
    parts = ["## On a script as it is", f"`trimtab run --with {change} train.py`"]
    return [*parts, f"The parameter: {remedy.parameter}."] if remedy.parameter else parts


@cache
def _examples() -> dict[str, str]:
    """Lines to paste by remedy: those for the first rule whose example is given it."""
    lines: dict[str, str] = {}
    for rule in all_rules():
        trace = rule.sick()
        for finding in diagnose(trace).findings:
            if finding.severity > Severity.NOTE:
                for each in prescribe(finding, trace):
                    lines.setdefault(each.remedy.name, each.code)
    return lines


def example(remedy: Remedy) -> str:
    """Its lines to paste."""
    if remedy.name in _examples():
        return _examples()[remedy.name]
    rule = all_rules()[0]
    return remedy.code(diagnose(rule.sick()).findings[0], rule.sick(), None)


def repairs(remedy: Remedy) -> Iterator[tuple[str, str, list[Any], list[Any], list[Any], float]]:
    """Programs that `trimtab fix` gave it: name, recipe, metrics sick, fixed and cured, the share that is closed."""
    metrics = _read(ROOT / "clinic" / "metrics.json")
    known = _read(ROOT / "clinic" / "repairs.json")
    for program in discover():
        found = known.get(program.name)
        if program.kind != "sick" or not found or not found["recipe"]:
            continue
        if remedy.name in {change.name for change in Recipe.parse(found["recipe"]).changes}:
            name, fixed = program.path.stem, found["metrics"]
            sick, cured = metrics["sick"][name], metrics["cured"][name]
            yield name, found["recipe"], sick, fixed, cured, round(closed(sick, cured, fixed), 2)


@cache
def _read(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8"))


def _measured(remedy: Remedy) -> list[str]:
    if remedy.name not in enactable():
        return []
    parts = ["## What it did", *_picture(remedy)]
    rows = [
        f"| {name} | `{recipe}` | {_mean(sick)} | {_mean(fixed)} | {_mean(cured)} | {100 * share:.0f} % |"
        for name, recipe, sick, fixed, cured, share in repairs(remedy)
    ]
    if not rows:
        return [*parts, "`trimtab fix` has recommended it for none of the clinic's sick programs."]
    intro = "`trimtab fix` recommends it for these programs; their own metrics, mean of three seeds, larger is better:"
    head = "| program | recipe | sick | fixed | cured by hand | gap closed |\n|---|---|---|---|---|---|"
    return [*parts, intro, "\n".join([head, *rows])]


def _picture(remedy: Remedy) -> list[str]:
    run = runs().get(remedy.name)
    if run is None:
        return ["No program of the clinic is healed by it alone, so that there is no picture."]
    before, after = (_metric(run[which]["metric"]) for which in ("without", "with"))
    told = f"Its own metric at the end, larger is better: {before} as it is, {after} under it."
    return [f"![The loss of a sick program, without and with {remedy.name}]({remedy.name}.svg)", told + caution(run)]


def _mean(values: list[Any]) -> str:
    numbers = [value for value in values if value is not None]
    return _metric(sum(numbers) / len(numbers)) if len(numbers) == len(values) else "nan"


def _metric(value: float | None) -> str:
    return "nan" if value is None else f"{value:.3g}"


if __name__ == "__main__":
    main()
