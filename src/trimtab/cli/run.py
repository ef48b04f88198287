"""`trimtab run`: a program as python would run it, under the watcher."""

from __future__ import annotations

from collections.abc import Sequence

from trimtab.cli.configuration import settings_for
from trimtab.cli.launch import Terms, launch
from trimtab.cli.misplaced import remark
from trimtab.cli.parser import Parser, add_choice_of_rules, complete_with, count, percent, shift
from trimtab.cli.program import prepare
from trimtab.cli.publishing import Wishes
from trimtab.cli.selection import check_recipe, known_changes
from trimtab.core.errors import TrimtabError
from trimtab.core.recipe import Recipe

_FLAGS = ("-h", "--help", "-q", "--quiet", "--no-config", "--live")


def main(arguments: Sequence[str]) -> int:
    """Run the command; the exit code is the program's own, unless --fail-on says otherwise."""
    ours, words = split(list(arguments))
    options = parser().options(ours)
    if not words:
        raise TrimtabError("run what? give a script: `trimtab run train.py`, or a module: `trimtab run -m package`")
    if options.json == "-":
        raise TrimtabError("--json -: stdout belongs to the program; use `trimtab diagnose RECORD --json -` after it")
    program = prepare(words)
    wishes = Wishes(options.json, options.html, settings_for(options, program.folder), options.sarif)
    recipe = Recipe() if options.recipe is None else Recipe.parse(options.recipe)
    check_recipe(recipe)
    if not (options.live or options.quiet):
        remark(program, parser().long_options())
    terms = Terms(wishes, options.record, options.max_steps, options.quiet, recipe=recipe, seed=options.seed)
    if options.live:
        from trimtab.cli.live import launch_live

        return launch_live(program, terms, [word for word in ours if word != "--live"])
    return launch(program, terms)


def split(arguments: list[str]) -> tuple[list[str], list[str]]:
    """Our options, and the words from the program on: all of those belong to the program."""
    place = 0
    while place < len(arguments):
        word = arguments[place]
        if word == "--":
            return arguments[:place], arguments[place + 1 :]
        if not word.startswith("-") or word == "-" or (word.startswith("-m") and not word.startswith("--")):
            return arguments[:place], arguments[place:]
        place += 1 if word in _FLAGS or "=" in word else 2
    return arguments, []


def parser() -> Parser:
    """The options of the command, which stand before the program."""
    parser = Parser(
        "trimtab run",
        "Run a training script as python would, watch it, and say why it does not learn.",
        usage="trimtab run [options] script.py [args ...]\n       trimtab run [options] -m module [args ...]",
        examples=(
            ("trimtab run train.py --epochs 3", "watch all of it; what follows train.py is the script's own"),
            ("trimtab run --max-steps 20 train.py", "a check of a few seconds before a long run"),
            ("trimtab run --fail-on warn --json report.json train.py", "in CI"),
        ),
        codes={
            "the script's": "unless one of these holds",
            "2": "bad input, said in one line; nothing was run",
            "3": "--fail-on was reached, and the script itself succeeded",
        },
        further="trimtab fix train.py tries remedies; trimtab explain TT301 tells of a rule",
    )
    parser.add_argument("--record", metavar="FILE", help="where the record goes (.trimtab/<script>-<time>.db)")
    parser.add_argument("--json", metavar="FILE", help="write the diagnosis as JSON")
    parser.add_argument("--html", metavar="FILE", help="write the report as one HTML page")
    parser.add_argument("--sarif", metavar="FILE", help="write the findings as SARIF, for code review")
    parser.add_argument("--max-steps", type=count, metavar="N", help="end the script after N optimizer steps")
    recipe = "--with", "train under these changes: clip-by-norm=1.0,…"
    complete_with(parser.add_argument(recipe[0], dest="recipe", metavar="RECIPE", help=recipe[1]), known_changes)
    parser.add_argument("--seed", type=shift, default=0, metavar="K", help="add K to every seed that is set (0)")
    add_choice_of_rules(parser)
    parser.add_argument("--live", action="store_true", help="show the run below its output while it goes")
    parser.add_argument("--budget", type=percent, metavar="PERCENT", help="time the watcher may cost (3)")
    parser.add_argument("-q", "--quiet", action="store_true", help="write nothing to stderr")
    return parser
