"""Which of the measured signals are exported."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from trimtab.core.errors import TrimtabError
from trimtab.core.signal import SIGNALS, Signal
from trimtab.core.trace import Trace


def chosen(trace: Trace, names: Sequence[str]) -> list[Signal]:
    """The signals of these names, all that were measured when none is named.

    Raises TrimtabError for a name that no signal has, and where the record has none of those that were named.
    """
    for name in names:
        if name not in SIGNALS:
            near = difflib.get_close_matches(name, SIGNALS, 1)
            hint = f"did you mean {near[0]}?" if near else f"the record has {', '.join(_measured(trace)) or 'none'}"
            raise TrimtabError(f"--select-signals: there is no signal {name!r}; {hint}")
    found = [name for name in _measured(trace) if not names or name in names]
    if not found:
        what = f"none of {', '.join(names)}" if names else "no measurement"
        raise TrimtabError(f"the record has {what}: there is nothing to export; `trimtab diagnose` says what was seen")
    return [SIGNALS[name] for name in found]


def _measured(trace: Trace) -> list[str]:
    return [name for name, series in trace.series.items() if name in SIGNALS and len(series.steps)]
