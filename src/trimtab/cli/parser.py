"""Options: argparse, with errors of one line and the types that several commands share."""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NoReturn

from trimtab.cli.selection import known_codes
from trimtab.cli.spelling import suggestion
from trimtab.core.errors import TrimtabError
from trimtab.core.settings import BARS

Examples = Sequence[tuple[str, str]]
_WIDTH = 80
EXIT_CODES = {"0": "it is done", "2": "bad input, said in one line"}


class Parser(argparse.ArgumentParser):
    """An argument parser that raises TrimtabError where argparse prints its usage and exits.

    Its help ends with `examples` (what is typed, and what for), the exit codes and what to read `next`.
    """

    def __init__(
        self,
        prog: str,
        description: str,
        usage: str | None = None,
        *,
        examples: Examples = (),
        codes: Mapping[str, str] = EXIT_CODES,
        further: str = "",
    ) -> None:
        super().__init__(
            prog=prog,
            description=textwrap.fill(description, _WIDTH),
            usage=usage,
            allow_abbrev=False,
            epilog=_epilog(examples, codes, further),
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )

    def options(self, arguments: Sequence[str]) -> argparse.Namespace:
        """The options in `arguments`; raises TrimtabError for those that the command does not have."""
        options, unknown = self.parse_known_args(arguments)
        if unknown and unknown[0].startswith("-"):
            word = unknown[0].partition("=")[0]
            hint = suggestion(word, self.long_options(), f"`{self.prog} --help` shows how")
            raise TrimtabError(f"unknown option {word!r}; {hint}")
        if unknown:
            self.error(f"unknown argument {unknown[0]!r}")
        return options

    def long_options(self) -> list[str]:
        """The options of this command, as they are spelled out."""
        return [option for option in self._option_string_actions if option.startswith("--")]

    def error(self, message: str) -> NoReturn:
        """Raise the complaint."""
        raise TrimtabError(f"{message}; `{self.prog} --help` shows how")


def add_choice_of_rules(parser: Parser) -> None:
    """Add --select, --ignore, --fail-on, --config and --no-config."""
    for option, what in (("--select", "only these rules: TT3,TT401"), ("--ignore", "not these rules")):
        action = parser.add_argument(option, type=codes, action="extend", default=[], metavar="CODES", help=what)
        complete_with(action, known_codes)
    parser.add_argument(
        "--fail-on",
        choices=BARS,
        help="exit with code 3 when a finding is at least this severe (never)",
    )
    add_choice_of_file(parser)


def add_choice_of_file(parser: Parser) -> None:
    """Add --config and --no-config."""
    file = parser.add_mutually_exclusive_group()
    file.add_argument("--config", metavar="FILE", help="settings from [tool.trimtab] of this file (pyproject.toml)")
    file.add_argument("--no-config", action="store_true", help="read no configuration, load no file of rules")


def complete_with(action: argparse.Action, values: Callable[[], Iterable[str]]) -> None:
    """Have a shell complete the last of several values, with commas between, from these."""

    def completer(prefix: str, **_: object) -> list[str]:
        before, comma, _last = prefix.rpartition(",")
        return [before + comma + value for value in values()]

    vars(action)["completer"] = completer


def codes(text: str) -> list[str]:
    """A list of codes or prefixes, with commas between: TT301,TT4."""
    return [part.strip().upper() for part in text.split(",") if part.strip()]


def names(text: str) -> list[str]:
    """A list of names, with commas between."""
    return [part.strip() for part in text.split(",") if part.strip()]


def percent(text: str) -> float:
    """A share of the time in percent, above 0 and at most 100."""
    try:
        value = float(text.removesuffix("%"))
    except ValueError:
        value = 0.0
    if not 0 < value <= 100:
        raise argparse.ArgumentTypeError(f"expected a percentage between 0 and 100, got {text!r}")
    return value


def shift(text: str) -> int:
    """A whole number from 0 on."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"expected a whole number from 0 on, got {text!r}")
    return int(text)


def count(text: str) -> int:
    """A whole number of at least 1."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number of at least 1, got {text!r}")
    return int(text)


def port(text: str) -> int:
    """The number of a TCP port, 0 for any."""
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"expected a port from 0 to 65535, got {text!r}")
    return int(text)


def duration(text: str) -> float:
    """Seconds, from `90`, `90s`, `10m` or `2h`."""
    unit = {"s": 1.0, "m": 60.0, "h": 3600.0}.get(text[-1:], 0.0)
    try:
        value = float(text[:-1]) * unit if unit else float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"expected a time such as 90, 10m or 2h, got {text!r}")
    return value


def _epilog(examples: Examples, codes: Mapping[str, str], further: str) -> str:
    return "\n\n".join(filter(None, map("\n".join, (_examples(examples), _codes(codes), _further(further)))))


def _examples(examples: Examples) -> Iterator[str]:
    if examples:
        yield "examples:"
    for typed, what in examples:
        yield f"  {typed}"
        yield f"      {what}"


def _codes(codes: Mapping[str, str]) -> Iterator[str]:
    yield "exit codes:"
    room = max(map(len, codes)) + 2
    for code, meaning in codes.items():
        yield f"  {code:<{room}}{meaning}"


def _further(further: str) -> Iterator[str]:
    if further:
        yield f"next: {further}"
