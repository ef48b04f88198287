"""The long table as CSV."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from trimtab.core.errors import TrimtabError
from trimtab.core.finding import Diagnosis
from trimtab.core.signal import Signal
from trimtab.core.trace import Trace
from trimtab.export.outcome import Outcome, in_words
from trimtab.export.table import COLUMNS, Part, parts

_HEAD = ",".join(COLUMNS)
_FORMULA = ("=", "+", "-", "@")  # a spreadsheet runs a cell that begins so; no module's name does


def check(path: Path) -> None:
    """Raise TrimtabError where a file lies that is no earlier export."""
    if path.exists() and path.stat().st_size:
        with path.open("rb") as file:
            if file.readline(len(_HEAD) + 2).strip() != _HEAD.encode():
                raise TrimtabError(
                    f"--out {path}: exists and is no export of trimtab; left as it is, name another file"
                )


def write(trace: Trace, diagnosis: Diagnosis, signals: Sequence[Signal], path: Path) -> Outcome:
    """One file in UTF-8; numbers read back as they were measured, `inf` where one was NaN or infinite."""
    beside = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    count = 0
    try:
        with beside.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(COLUMNS)
            for part in parts(trace, signals):
                writer.writerows(_rows(part))
                count += len(part.steps)
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)
    return Outcome(in_words(path, count, len(signals)), f'pandas.read_csv("{path.as_posix()}")')


def _rows(part: Part) -> Iterator[tuple[Any, ...]]:
    signal = part.signal
    sites = [f"'{name}" if name.startswith(_FORMULA) else name for name in part.sites]
    numbers = part.values.astype(signal.dtype).astype(str)  # the shortest text that reads back as the same number
    for step, place, number in zip(part.steps.tolist(), part.places.tolist(), numbers.tolist(), strict=True):
        yield step, signal.name, signal.per, sites[place], number, signal.unit
