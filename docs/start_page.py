"""Writes what the commands of the first page print into it: `python -m docs.start_page`, about a minute."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

PAGE = Path(__file__).parent / "start.md"
BLOCK = re.compile(r"(<!-- what trimtab (.*?) prints -->\n```text\n)(.*?)(```\n)", re.S)
PASSING = re.compile(r"^wrote .*\n", re.M)  # names the hour at which it ran


def main() -> None:
    """Run the commands, and put what they print in the place of what is there."""
    text = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(BLOCK.sub(lambda block: f"{block[1]}{printed(block[2])}{block[4]}", text), encoding="utf-8")


def shown() -> dict[str, str]:
    """What the page shows, by command."""
    return {command: text for _, command, text, _ in BLOCK.findall(PAGE.read_text(encoding="utf-8"))}


def printed(command: str) -> str:
    """What a command prints on either stream, in a folder of its own, without what differs from run to run."""
    with tempfile.TemporaryDirectory() as folder:
        words = [sys.executable, "-m", "trimtab", *command.split()]
        environment = {**os.environ, "COLUMNS": "80", "NO_COLOR": "1"}
        done = subprocess.run(
            words, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=True
        )
    return PASSING.sub("", done.stdout).strip() + "\n"


if __name__ == "__main__":
    main()
