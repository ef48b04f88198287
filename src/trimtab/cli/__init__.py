"""The command line: one file a command, imported only when it is the one that was asked for."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence

from trimtab.core.errors import TrimtabError

COMMANDS = {
    "run": "run a script as python would, and say why it does not learn",
    "fix": "try remedies on a script, and prove which of them helps",
    "diagnose": "diagnose the record of an earlier run",
    "report": "make the HTML page of a record",
    "watch": "show a run in progress, from another terminal",
    "serve": "show runs in the browser, as they go",
    "compare": "say what changed between two recorded runs",
    "export": "export a record to CSV, Parquet, TensorBoard, W&B or MLflow",
    "rules": "list the rules",
    "explain": "explain one rule, with its limits and their sources",
    "remedies": "list the remedies, and how they are named in a recipe",
    "info": "show versions, devices, kernels in use and the configuration",
    "demo": "train a bundled example under the watcher",
    "docs": "open the documentation in a browser",
    "completion": "print what makes a shell complete all this",
}
# How the help puts them together; a command that stands in no group comes last.
GROUPS = {
    "train and find out": ("run", "fix", "watch", "serve", "demo"),
    "of an earlier run": ("diagnose", "report", "compare", "export"),
    "read": ("rules", "explain", "remedies", "docs"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 2 for bad input, which is said in one line on stderr."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if "_ARGCOMPLETE" in os.environ:
        from trimtab.cli.completion import answer

        answer()
    try:
        return _dispatch(arguments)
    except TrimtabError as error:
        print(f"trimtab: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        # The reader (`head`) left. Python would complain once more when it flushes stdout at the very end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _dispatch(arguments: list[str]) -> int:
    name, rest = (arguments[0], arguments[1:]) if arguments else ("--help", [])
    if name in COMMANDS:
        return importlib.import_module(f"trimtab.cli.{name}").main(rest)
    if name in ("-h", "--help", "help"):
        print(_help())
        return 0
    if name in ("-V", "--version"):
        from trimtab.version import __version__

        print(f"trimtab {__version__}")
        return 0
    kind = "option" if name.startswith("-") else "command"
    raise TrimtabError(f"unknown {kind} {name!r}; {_hint(name)}")


def _hint(name: str) -> str:
    if os.path.exists(name):
        return f"to run a script: `trimtab run {name}`"
    from trimtab.cli.spelling import suggestion

    return suggestion(name, COMMANDS, "`trimtab --help` lists the commands")


def _help() -> str:
    return (
        "usage: trimtab COMMAND [options]\n\nSays why a PyTorch training script does not learn.\n\n"
        + "\n\n".join(f"{title}:\n{_lines(names)}" for title, names in _groups())
        + "\n\n`trimtab COMMAND --help` has examples and exit codes; `trimtab --version`\n\n"
        "next: trimtab demo, or trimtab run train.py"
    )


def _groups() -> list[tuple[str, list[str]]]:
    """Titles with the commands that there are; those without a group under the last."""
    grouped = [(title, [name for name in names if name in COMMANDS]) for title, names in GROUPS.items()]
    known = {name for _, names in grouped for name in names}
    return [*grouped, ("this installation, and more", [name for name in COMMANDS if name not in known])]


def _lines(names: list[str]) -> str:
    room = max(map(len, COMMANDS)) + 2
    return "\n".join(f"  {name:<{room}}{COMMANDS[name]}" for name in names)
