"""Trains the programs that each remedy heals, as they are and under it, and keeps their losses.

`python -m docs.remedy_runs [remedy …]` writes docs/remedies/runs.json, from which `python -m docs.remedy_pages` draws:
some minutes for all.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from clinic.healed import HEALS
from clinic.launch import launch
from clinic.programs import ROOT
from trimtab.core.signal import EVALUATION_LOSS, LOSS
from trimtab.record import read

RUNS = Path(__file__).parent / "remedies" / "runs.json"
POINTS = 80  # of a curve that are kept, evenly spaced: no picture shows more


def main(names: list[str]) -> None:
    """Measure the first program of each remedy, or of those named; what is known of others stays."""
    runs: dict[str, Any] = json.loads(RUNS.read_text(encoding="utf-8")) if RUNS.exists() else {}
    for recipe, programs in HEALS.items():
        name = recipe.partition("=")[0]
        if (not names and name not in runs) or name in names:
            runs[name] = {"recipe": recipe, "program": programs[0]} | {
                "without": _run(programs[0], None),
                "with": _run(programs[0], recipe),
            }
            RUNS.write_text(json.dumps(runs, indent=1, sort_keys=True) + "\n", encoding="utf-8")
            print(name, programs[0], flush=True)


def _run(program: str, recipe: str | None) -> dict[str, Any]:
    """Its metric and its losses; trained on one thread, so that the sums do not depend on the machine's cores."""
    with tempfile.TemporaryDirectory() as folder:
        record = Path(folder) / "run.db"
        command = [sys.executable, "-m", "trimtab", "run", "--quiet", "--budget", "20", "--record", str(record)]
        command += ["--with", recipe] if recipe else []
        done = launch([*command, str(ROOT / "sick" / f"{program}.py")])
        trace = read(record)
    curves = {signal.name: _curve(trace.at(signal), trace[signal]) for signal in (LOSS, EVALUATION_LOSS)}
    metric = done.metric if np.isfinite(done.metric) else None
    return {"metric": metric, **{name: curve for name, curve in curves.items() if curve["step"]}}


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
