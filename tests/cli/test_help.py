"""Help that teaches: examples, exit codes and what is next, in 80 columns; the golden text of the first page."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from trimtab.cli import COMMANDS, main

GOLDEN = Path(__file__).parent / "golden" / "help.txt"


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_examples_and_exit_codes_in_80_columns(
    command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit):
        main([command, "--help"])
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    examples = lines[lines.index("examples:") + 1 : lines.index("exit codes:")]
    assert sum("trimtab " in line for line in examples) >= 2
    assert lines[-1].startswith("next: trimtab ")


@pytest.mark.parametrize("command", COMMANDS)
def test_what_a_command_takes_can_be_asked_without_running_it(command: str) -> None:
    assert importlib.import_module(f"trimtab.cli.{command}").parser().prog == f"trimtab {command}"


def test_the_first_page(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--help"])
    assert capsys.readouterr().out == GOLDEN.read_text(encoding="utf-8"), "trimtab --help > tests/cli/golden/help.txt"
