"""`trimtab completion`: commands, options and their values completed by the shell."""

from __future__ import annotations

import argparse
import importlib
import os
from collections.abc import Sequence

from trimtab.cli.parser import Parser

SHELLS = ("bash", "zsh", "fish")
ASKED = "_ARGCOMPLETE"  # set by the shell's part where it wants to know how a line may go on


def main(arguments: Sequence[str]) -> int:
    """Run the command."""
    options = parser().options(arguments)
    from argcomplete.shell_integration import shellcode

    print(shellcode(["trimtab"], shell=options.shell))
    return 0


def answer() -> None:
    """Tell the shell how the line may go on; it gives the line in COMP_LINE. Never returns."""
    import argcomplete
    from argcomplete.lexers import split_line

    line = os.environ.get("COMP_LINE", "")
    begun = split_line(line, int(os.environ.get("COMP_POINT", len(line))))[3]
    words = begun[1:]
    if not words:
        argcomplete.autocomplete(_of_commands(), always_complete_options=False)
    else:
        os.environ[ASKED] = "2"  # the line as the command sees it: from its own name on
        argcomplete.autocomplete(_of_command(words[0], words[1:]), always_complete_options=False)


def _of_commands() -> argparse.ArgumentParser:
    from trimtab.cli import COMMANDS

    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("command", choices=[*COMMANDS])
    parser.add_argument("--help", action="store_true")
    parser.add_argument("--version", action="store_true")
    return parser


def _of_command(name: str, words: list[str]) -> argparse.ArgumentParser:
    """The parser of a command, without options where they are another program's; what else is typed is a file."""
    from trimtab.cli import COMMANDS
    from trimtab.cli.run import split

    runs = name in ("run", "fix")
    if name not in COMMANDS or (runs and split(words)[1]):
        command = argparse.ArgumentParser(add_help=False)
    else:
        command = importlib.import_module(f"trimtab.cli.{name}").parser()
    if runs or name not in COMMANDS:
        command.add_argument("words", nargs="*")
    return command


def parser() -> Parser:
    """The options of the command."""
    parser = Parser(
        "trimtab completion",
        "Print what makes a shell complete the commands of trimtab, their options and values.",
        examples=(
            ('eval "$(trimtab completion bash)"', "in ~/.bashrc"),
            ('eval "$(trimtab completion zsh)"', "in ~/.zshrc, after compinit"),
            ("trimtab completion fish | source", "in ~/.config/fish/config.fish"),
        ),
        further="trimtab --help lists the commands",
    )
    parser.add_argument("shell", choices=SHELLS, help="the shell")
    return parser
