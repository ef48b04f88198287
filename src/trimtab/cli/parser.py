"""Options: argparse, with errors of one line and the types that several commands share."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import NoReturn

from trimtab.core.errors import TrimtabError


class Parser(argparse.ArgumentParser):
    """An argument parser that raises TrimtabError where argparse prints its usage and exits."""

    def __init__(self, prog: str, description: str, usage: str | None = None) -> None:
        super().__init__(prog=prog, description=description, usage=usage, allow_abbrev=False)

    def options(self, arguments: Sequence[str]) -> argparse.Namespace:
        """The options in `arguments`; raises TrimtabError for those that the command does not have."""
        options, unknown = self.parse_known_args(arguments)
        if unknown:
            kind = "option" if unknown[0].startswith("-") else "argument"
            self.error(f"unknown {kind} {unknown[0]!r}")
        return options

    def error(self, message: str) -> NoReturn:
        """Raise the complaint."""
        raise TrimtabError(f"{message}; `{self.prog} --help` shows how")


def add_choice_of_rules(parser: Parser) -> None:
    """Add --select, --ignore and --fail-on."""
    parser.add_argument("--select", type=codes, action="extend", default=[], metavar="CODES", help="only these rules")
    parser.add_argument("--ignore", type=codes, action="extend", default=[], metavar="CODES", help="not these rules")
    parser.add_argument(
        "--fail-on",
        choices=("never", "warn", "fail"),
        default="never",
        help="exit with code 3 when a finding is at least this severe",
    )


def codes(text: str) -> list[str]:
    """A list of codes or prefixes, with commas between: TT301,TT4."""
    return [part.strip().upper() for part in text.split(",") if part.strip()]


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
