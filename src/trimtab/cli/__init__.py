"""The command line: one file a command, imported only when it is the one that was asked for."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence

from trimtab.core.errors import TrimtabError

COMMANDS = {
    "run": "run a training script as python would, and say why it does not learn",
    "fix": "try remedies on a script, and prove which of them helps",
    "diagnose": "diagnose the record of an earlier run",
    "report": "make the HTML page of a record",
    "watch": "show a run in progress, from another terminal",
    "serve": "show runs in the browser, as they go",
    "rules": "list the rules",
    "explain": "explain one rule, with its limits and their sources",
    "remedies": "list the remedies, and how they are named in a recipe",
    "info": "show versions, devices, and whether the native core is in use",
    "demo": "train a bundled example under the watcher",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 2 for bad input, which is said in one line on stderr."""
    arguments = list(sys.argv[1:] if argv is None else argv)
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
    hint = f"to run a script: `trimtab run {name}`" if os.path.exists(name) else "`trimtab --help` lists the commands"
    raise TrimtabError(f"unknown {kind} {name!r}; {hint}")


def _help() -> str:
    lines = "\n".join(f"  {name:<10}{summary}" for name, summary in COMMANDS.items())
    return (
        "usage: trimtab COMMAND [options]\n\nSays why a PyTorch training script does not learn.\n\n"
        f"{lines}\n\n  --version\n\nnext: trimtab demo, or trimtab run train.py"
    )
