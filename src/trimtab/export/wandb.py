"""A Weights & Biases run, kept on this machine unless WANDB_MODE says otherwise."""

from __future__ import annotations

import os
from pathlib import Path

from trimtab.core.errors import TrimtabError
from trimtab.core.finding import Diagnosis
from trimtab.core.trace import Trace
from trimtab.export.account import COLUMNS, facts, findings, report
from trimtab.export.extras import needed
from trimtab.export.outcome import Naming, Outcome
from trimtab.export.scalars import Curves


def check(folder: Path) -> None:
    """Raise TrimtabError where no folder of runs can be."""
    needed("wandb", "wandb")
    if not folder.is_dir():
        raise TrimtabError(f"--out {folder}: there is no such folder; W&B makes its folder `wandb` in it: name one")


def write(trace: Trace, diagnosis: Diagnosis, curves: Curves, folder: Path, naming: Naming) -> Outcome:
    """A new run: curves as history, verdict and facts as its configuration and summary, findings as a table."""
    wandb = needed("wandb", "wandb")
    mode = os.environ.get("WANDB_MODE") or "offline"
    quiet = wandb.Settings(
        console="off", silent=True, save_code=False, disable_git=True, x_disable_stats=True, x_disable_meta=True
    )
    known = facts(diagnosis, trace)
    try:
        run = wandb.init(
            mode=mode,
            project=naming.project,
            name=naming.name,
            dir=str(folder),
            config=known,
            notes=_line(known),
            settings=quiet,
        )
        try:
            for step, values in curves.by_step():
                run.log(values, step=step)
            run.summary.update({"verdict": diagnosis.status, "diagnosis": report(diagnosis, trace)})
            run.log({"findings": wandb.Table(columns=list(COLUMNS), data=findings(diagnosis))}, step=trace.steps)
        finally:
            run.finish()
            wandb.teardown()  # its service writes the last of the file when it ends
    except wandb.Error as error:
        raise TrimtabError(f"W&B refused the run: {error}") from error
    where = os.path.relpath(os.path.dirname(run.dir))
    following = f"wandb sync {where}" if mode == "offline" else run.url or ""
    return Outcome(f"{where}: {len(curves):,} points of {len(curves.items):,} curves", following, curves.left_out)


def _line(known: dict[str, str | int | float]) -> str:
    """The verdict in a line, for the list of runs."""
    roots = known.get("roots")
    return f"{known['verdict']}: {roots}" if roots else str(known["verdict"])
