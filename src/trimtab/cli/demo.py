"""`trimtab demo`: a bundled example under the watcher, in the same manner as a script of one's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from trimtab.cli.launch import Terms, launch
from trimtab.cli.parser import Parser
from trimtab.cli.program import prepare
from trimtab.cli.publishing import Wishes, next_command


def main(arguments: Sequence[str]) -> int:
    """Run the command."""
    from trimtab.examples import DEFAULT, all_examples, example

    parser = Parser("trimtab demo", "Train a bundled example under the watcher and write the page.")
    parser.add_argument("name", metavar="NAME", nargs="?", default=DEFAULT, help=f"which example ({DEFAULT})")
    parser.add_argument("--list", action="store_true", help="list the examples")
    parser.add_argument("--html", metavar="FILE", default="trimtab-demo.html", help="the page (trimtab-demo.html)")
    parser.add_argument("--fix", action="store_true", help="try remedies on it as well")
    options = parser.options(arguments)
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
