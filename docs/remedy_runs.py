"""Trains the programs that each remedy heals, as they are and under it, and keeps their losses.

`python -m docs.remedy_runs [remedy …]` writes docs/remedies/runs.json, from which `python -m docs.remedy_pages` draws:
some minutes for all.
"""

from __future__ import annotations

import json
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from clinic.healed import HEALS
from clinic.launch import launch
from clinic.programs import ROOT
from trimtab.core.signal import LOSS
from trimtab.record import read

RUNS = Path(__file__).parent / "remedies" / "runs.json"
POINTS = 80  # of a curve that are kept, evenly spaced: no picture shows more


def main(names: list[str]) -> None:
    """Measure the first program of each remedy, or of those named; what is known of others stays."""
    known = dict(runs())
    for recipe, programs in HEALS.items():
        name = recipe.partition("=")[0]
        if (not names and name not in known) or name in names:
            known[name] = {"recipe": recipe, "program": programs[0]} | {
                "without": _run(programs[0], None),
                "with": _run(programs[0], recipe),
            }
            RUNS.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n", encoding="utf-8")
            print(name, programs[0], flush=True)


@cache
def runs() -> dict[str, Any]:
    """What is known, by remedy."""
    return json.loads(RUNS.read_text(encoding="utf-8")) if RUNS.exists() else {}


def _run(program: str, recipe: str | None) -> dict[str, Any]:
    """Its metric and its losses; trained on one thread, so that the sums do not depend on the machine's cores."""
    with tempfile.TemporaryDirectory() as folder:
        record = Path(folder) / "run.db"
        command = [sys.executable, "-m", "trimtab", "run", "--quiet", "--budget", "20", "--record", str(record)]
        command += ["--with", recipe] if recipe else []
        done = launch([*command, str(ROOT / "sick" / f"{program}.py")])
        trace = read(record)
    curve = _curve(trace.at(LOSS), trace[LOSS])
    return {"metric": done.metric if np.isfinite(done.metric) else None, "loss": curve}


def _curve(steps: np.ndarray, values: np.ndarray) -> dict[str, list[Any]]:
    """The site that was measured most often, thinned."""
    if not values.size:
        return {"step": [], "value": []}
    column = values[:, np.isfinite(values).sum(0).argmax()]
    kept = np.flatnonzero(np.isfinite(column))
    kept = kept[np.unique(np.linspace(0, len(kept) - 1, min(POINTS, len(kept))).astype(int))] if len(kept) else kept
    return {"step": steps[kept].tolist(), "value": [float(f"{value:.4g}") for value in column[kept]]}


if __name__ == "__main__":
    main(sys.argv[1:])
