"""`trimtab fix`: remedies tried on the script itself, against the script as it is."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from trimtab.cli.configuration import settings_for
from trimtab.cli.files import check_writable, write_whole
from trimtab.cli.misplaced import remark
from trimtab.cli.parser import Parser, add_choice_of_file, count, duration
from trimtab.cli.program import prepare
from trimtab.cli.publishing import DEFAULTS
from trimtab.cli.run import split
from trimtab.cli.selection import check_settings
from trimtab.core.errors import TrimtabError
from trimtab.core.settings import Settings

if TYPE_CHECKING:
    from trimtab.core.study import Study

NOTHING_HELPED, INTERRUPTED = 1, 130


def main(arguments: Sequence[str]) -> int:
    """Run the command: 0 where a remedy helped or nothing is wrong, 1 where nothing helped, 130 after Ctrl-C."""
    ours, words = split(list(arguments))
    options = parser().options(ours)
    if not words:
        raise TrimtabError("fix what? give a script: `trimtab fix train.py`, or a module: `trimtab fix -m package`")
    program = prepare(words)
    settings = settings_for(options, program.folder)
    check_settings(settings)
    for name, path in (("--json", options.json), ("--html", options.html)):
        if path not in (None, "-"):
            check_writable(path, name)

    remark(program, parser().long_options())

    from trimtab.trial.search import Limits

    limits = Limits(options.steps, options.seeds, options.jobs, options.time_limit)
    return fix(words, Path.cwd(), limits, options.json, options.html, settings)


def fix(
    words: Sequence[str],
    folder: Path,
    limits: object,
    json: str | None = None,
    html: str | None = None,
    settings: Settings = DEFAULTS,
) -> int:
    """Conduct a study of the script that `words` run from `folder`, and publish it."""
    from trimtab.cli.progress import progress
    from trimtab.trial.child import Script
    from trimtab.trial.runner import Runner
    from trimtab.trial.search import Limits, Search

    assert isinstance(limits, Limits)
    threads = max((os.cpu_count() or 1) // limits.jobs, 1)
    with Runner(threads) as runner, progress() as told:
        study = Search(Script(tuple(words), folder), limits, runner, told, settings).conduct()
    _publish(study, words, json, html)
    if study.ended == "interrupted":
        return INTERRUPTED
    sick = study.diagnosis is not None and study.diagnosis.status == "sick"
    return NOTHING_HELPED if sick and study.best is None else 0


def _publish(study: Study, words: Sequence[str], json: str | None, html: str | None) -> None:
    """The report on the terminal, and the files that were asked for; JSON on stdout takes the report's place."""
    from trimtab.report import page, study_json, terminal
    from trimtab.report.study import compose_page, compose_study

    terminal.show(compose_study(study, words), sys.stderr if json == "-" else sys.stdout)
    written: list[str] = []
    if json == "-":
        print(study_json.dumps(study))
    elif json is not None:
        write_whole(json, study_json.dumps(study) + "\n")
        written.append(json)
    if html is not None:
        write_whole(html, page.of_document(compose_page(study, words), f"trimtab fix: {words[0]}"))
        written.append(html)
    if written:
        print(f"\nwrote {', '.join(written)}", file=sys.stderr if json == "-" else sys.stdout)


def parser() -> Parser:
    """The options of the command, which stand before the program."""
    parser = Parser(
        "trimtab fix",
        "Try remedies on a training script, in copies of its folder, against the script as it is.",
        usage="trimtab fix [options] script.py [args ...]\n       trimtab fix [options] -m module [args ...]",
        examples=(
            ("trimtab fix train.py --epochs 3", "all remedies of the root causes, on three seeds"),
            ("trimtab fix --steps 200 --time-limit 10m train.py", "of a long training its first 200 steps"),
            ("trimtab fix --html study.html train.py", "with the paired curves on a page"),
        ),
        codes={
            "0": "a remedy helped, or nothing is wrong",
            "1": "nothing that was tried helped",
            "2": "bad input, said in one line",
            "130": "Ctrl-C; what is known by then is said",
        },
        further="trimtab run --with RECIPE train.py trains under what is recommended",
    )
    parser.add_argument("--steps", type=count, metavar="N", help="end each run after N optimizer steps (the script's)")
    parser.add_argument("--seeds", type=count, default=3, metavar="K", help="seeds that must agree on the best (3)")
    cores = os.cpu_count() or 1
    parser.add_argument("--jobs", type=count, default=cores, metavar="J", help=f"runs side by side (cores: {cores})")
    parser.add_argument("--time-limit", type=duration, metavar="T", help="for all of it: 90, 10m, 2h (none)")
    parser.add_argument("--json", metavar="FILE", help="write the study as JSON; - is stdout")
    parser.add_argument("--html", metavar="FILE", help="write the study as one HTML page")
    add_choice_of_file(parser)
    return parser
