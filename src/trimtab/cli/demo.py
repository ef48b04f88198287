"""`trimtab demo`: a bundled example under the watcher, in the same manner as a script of one's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from trimtab.cli.launch import Terms, launch
from trimtab.cli.parser import Parser, complete_with
from trimtab.cli.program import prepare
from trimtab.cli.publishing import Wishes, next_command


def main(arguments: Sequence[str]) -> int:
    """Run the command."""
    from trimtab.examples import DEFAULT, all_examples, example

    options = parser().options(arguments)
    if options.list:
        for each in all_examples():
            print(f"{each.name:<24}{each.summary}")
        print(next_command("demo", DEFAULT))
        return 0
    path = example(options.name).path
    if options.fix:
        from trimtab.cli.fix import fix
        from trimtab.trial.search import Limits

        return fix([path.name], path.parent, Limits(), html=options.html)
    return launch(replace(prepare([str(path)]), name=path.name), Terms(Wishes(html=options.html)))


def parser() -> Parser:
    """The options of the command."""
    from trimtab.examples import DEFAULT, all_examples

    parser = Parser(
        "trimtab demo",
        "Train a bundled example under the watcher and write the page. It reads no configuration.",
        examples=(
            ("trimtab demo", "a network that does not learn, and why"),
            ("trimtab demo --fix", "and which remedy helps"),
            ("trimtab demo --list", "the other examples"),
        ),
        further="trimtab run train.py does the same with a script of yours",
    )
    name = parser.add_argument("name", metavar="NAME", nargs="?", default=DEFAULT, help=f"which example ({DEFAULT})")
    complete_with(name, lambda: [example.name for example in all_examples()])
    parser.add_argument("--list", action="store_true", help="list the examples")
    parser.add_argument("--html", metavar="FILE", default="trimtab-demo.html", help="the page (trimtab-demo.html)")
    parser.add_argument("--fix", action="store_true", help="try remedies on it as well")
    return parser
