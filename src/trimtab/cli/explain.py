"""`trimtab explain`: the documentation of one rule, with its limits and their sources."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from trimtab.cli.configuration import settings_for
from trimtab.cli.parser import Parser, add_choice_of_file, complete_with
from trimtab.cli.selection import known_codes
from trimtab.cli.spelling import suggestion
from trimtab.core.errors import TrimtabError
from trimtab.core.settings import Settings

if TYPE_CHECKING:
    from trimtab.core.rule import Rule

_FILL = textwrap.TextWrapper(80, break_on_hyphens=False, break_long_words=False)
_ITEM = textwrap.TextWrapper(76, break_on_hyphens=False, break_long_words=False)


def main(arguments: Sequence[str]) -> int:
    """Run the command."""
    options = parser().options(arguments)
    print("\n".join(explanation(_rule(options.rule, settings_for(options)))))
    print("\nnext: trimtab run train.py")
    return 0


def explanation(rule: Rule) -> Iterator[str]:
    """The lines of a rule's documentation."""
    from trimtab.core.sources import SOURCES

    yield f"{rule.code} {rule.name}"
    yield ""
    yield "\n\n".join(_paragraph(text) for text in (inspect.getdoc(type(rule)) or "").split("\n\n"))
    if rule.suspects:
        yield "\nCauses it suspects"
        yield from (_item(f"{cause.value}: {cause.sentence}") for cause in rule.suspects)
    if rule.limits:
        yield "\nLimits"
        for name, limit in rule.limits.items():
            yield _item(f"{name} = {limit.value:g} [{limit.source}] {limit.why}")
        yield "\nSources of the limits"
        for key in dict.fromkeys(limit.source for limit in rule.limits.values()):
            source = SOURCES[key]
            yield _item(f"[{key}] {source.text}" + (f"\n{source.url}" if source.url else ""))


def _paragraph(text: str) -> str:
    """Prose is filled to the width; lists and formulas, which are indented, stay as they are."""
    is_prose = not any(line.startswith((" ", "-", "*")) for line in text.splitlines())
    return _FILL.fill(text) if is_prose else text


def _item(text: str) -> str:
    lines = [part for line in text.splitlines() for part in _ITEM.wrap(line)]
    return "  - " + "\n    ".join(lines)


def _rule(wanted: str, settings: Settings) -> Rule:
    from trimtab.rules import all_rules

    rules = {spelling: rule for rule in all_rules(settings.plugins) for spelling in (rule.code, rule.name)}
    found = rules.get(wanted.upper()) or rules.get(wanted.lower())
    if found is None:
        hint = suggestion(wanted, rules, "`trimtab rules` lists them")
        raise TrimtabError(f"no rule has the code or name {wanted!r}; {hint}")
    return found


def parser() -> Parser:
    """The options of the command."""
    parser = Parser(
        "trimtab explain",
        "Explain one rule: what it measures, why it matters, when it is wrong, its limits and their sources.",
        examples=(("trimtab explain TT301", "by its code"), ("trimtab explain vanishing-gradient", "by its name")),
        further="trimtab rules lists them",
    )
    rule = parser.add_argument("rule", metavar="RULE", help="a code or name: TT301 or vanishing-gradient")
    complete_with(rule, known_codes)
    add_choice_of_file(parser)
    return parser
