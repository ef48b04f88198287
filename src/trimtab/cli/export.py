"""`trimtab export`: the measurements of a record in the formats of other tools."""

from __future__ import annotations

import os
from argparse import Namespace
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from trimtab.cli.configuration import settings_for
from trimtab.cli.files import check_writable
from trimtab.cli.parser import Parser, add_choice_of_file, count, names
from trimtab.core.errors import TrimtabError

if TYPE_CHECKING:
    from trimtab.export.outcome import Outcome

TABLES = ("csv", "parquet")
MODULES = {"csv": "csv_files"}
FORMATS = ("csv", "parquet", "tensorboard", "wandb", "mlflow")
OUT = {
    "csv": "the record's name with .csv",
    "parquet": "the record's name with .parquet",
    "tensorboard": "runs/ and the record's name",
    "wandb": "the working directory",
    "mlflow": "what MLFLOW_TRACKING_URI says",
}


def main(arguments: Sequence[str]) -> int:
    """Run the command."""
    options = parser().options(arguments)
    stem = os.path.splitext(os.path.basename(options.record))[0]
    options.name = options.name or stem
    if options.out is None and options.to != "mlflow":
        beside = os.path.splitext(options.record)[0]
        options.out = {"tensorboard": os.path.join("runs", stem), "wandb": "."}.get(
            options.to, f"{beside}.{options.to}"
        )
    try:
        outcome = _export(options)
    except OSError as error:
        place = options.out or "the store"
        raise TrimtabError(f"--out {place}: cannot write there ({error.strerror}); name another place") from error
    print(f"wrote {outcome.written}")
    for line in outcome.left_out:
        print(f"left out: {line}")
    print(f"next: {outcome.following}")
    return 0


def parser() -> Parser:
    """The options of the command."""
    made = Parser(
        "trimtab export",
        "Export the measurements of a record to the tools in which you look at runs.",
        examples=(
            ("trimtab export run.db --to csv", "one table, run.csv"),
            ("trimtab export run.db --to tensorboard --out runs/first", "for TensorBoard"),
            ("trimtab export run.db --to csv --select-signals loss", "only the loss"),
        ),
        further="trimtab report RECORD makes a page that needs no other tool",
    )
    made.add_argument("record", metavar="RECORD")
    made.add_argument("--to", choices=FORMATS, required=True, help="the format")
    defaults = "; ".join(f"{key}: {where}" for key, where in OUT.items())
    made.add_argument("--out", metavar="PATH", help=f"where it goes ({defaults})")
    made.add_argument(
        "--select-signals", type=names, action="extend", default=[], metavar="NAMES", help="only these signals (all)"
    )
    made.add_argument(
        "--sites", type=count, default=50, metavar="N", help="most curves of a signal in a dashboard (50)"
    )
    made.add_argument(
        "--project", default="trimtab", metavar="NAME", help="project of W&B, experiment of MLflow (trimtab)"
    )
    made.add_argument("--name", metavar="NAME", help="what W&B and MLflow call the run (the record's name)")
    add_choice_of_file(made)
    return made


def _export(options: Namespace) -> Outcome:
    """Nothing is written before the format has looked at the place."""
    from trimtab.export.outcome import Naming
    from trimtab.export.scalars import curves
    from trimtab.export.signals import chosen
    from trimtab.pipeline import diagnose
    from trimtab.record import read

    if options.to in TABLES:
        check_writable(options.out, "--out")
    target = import_module(f"trimtab.export.{MODULES.get(options.to, options.to)}")
    place = options.out if options.out is None or options.to == "mlflow" else Path(options.out)
    target.check(place)
    trace = read(options.record)
    signals = chosen(trace, options.select_signals)
    diagnosis = diagnose(trace, settings=settings_for(options))
    if options.to in TABLES:
        return target.write(trace, diagnosis, signals, place)
    thinned = curves(trace, signals, options.sites)
    return target.write(trace, diagnosis, thinned, place, Naming(options.project, options.name))
