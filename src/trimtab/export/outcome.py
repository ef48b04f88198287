"""What an export is called, and what it comes to."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Outcome:
    """`written` says what was written and where; `left_out` what was not, in a line each; `following` what to type."""

    written: str
    following: str
    left_out: tuple[str, ...] = ()


def in_words(path: object, values: int, signals: int) -> str:
    """What a table comes to: `run.csv: 8 values of 1 signal`."""
    return f"{path}: {values:,} values of {signals} signal{'' if signals == 1 else 's'}"


@dataclass(frozen=True, slots=True)
class Naming:
    """What a service calls the run, and the project that holds it."""

    project: str
    name: str
