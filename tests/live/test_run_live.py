"""`trimtab run --live`: the script's output is whole, the view stands beside it, and nothing of it stays behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import termios
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.live.conftest import Terminal, environment

pytestmark = pytest.mark.skipif(os.name == "nt", reason="POSIX terminals")

Open = Callable[..., Terminal]
LIVE = ("-m", "trimtab", "run", "--live")
BARS = """
import sys, time
for epoch in range(12):
    for step in range(20):
        sys.stderr.write(f"\\repoch {epoch}: {step + 1:2}/20 |\\x1b[32m{'█' * (step + 1):<20}\\x1b[0m|")
        sys.stderr.flush()
        time.sleep(0.002)
    sys.stderr.write("\\n")
    print("line", epoch)
print("size", *__import__("os").get_terminal_size())
input("enter ")
sys.exit(7)
"""
LINES = [line for n in range(12) for line in (f"epoch {n}: 20/20 |{'█' * 20}|", f"line {n}")]
TRAINS = """
import time
import torch
torch.manual_seed(0)
layers = [torch.nn.Sequential(torch.nn.Linear(20, 20), torch.nn.Sigmoid()) for _ in range(8)]
model = torch.nn.Sequential(*layers, torch.nn.Linear(20, 3))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for step in range(40):
    optimizer.zero_grad()
    loss = torch.nn.functional.cross_entropy(model(torch.randn(32, 20)), torch.randint(0, 3, (32,)))
    loss.backward()
    optimizer.step()
input("go on? ")
"""


def _start(terminal: Open, folder: Path, text: str, *words: str, **options: object) -> Terminal:
    (folder / "train.py").write_text(text, encoding="utf-8")
    return terminal(*LIVE, *words, "train.py", **options)


def _mode(opened: Terminal) -> list[object]:
    return termios.tcgetattr(opened.theirs)


def test_progress_bars_and_lines_above_and_the_view_below(tmp_path: Path, terminal: Open) -> None:
    opened = _start(terminal, tmp_path, BARS)
    before = _mode(terminal("-c", "pass"))
    opened.until_shows("enter")
    opened.until_shows("trimtab train.py")
    rows = opened.rows
    assert rows[:16] == [*LINES[-14:], "size 80 16", "enter"]
    assert rows[16].startswith("── trimtab train.py ─") and rows[16].endswith(" starting")
    assert opened.screen.buffer[12][18].fg == "green"
    assert opened.history[: len(LINES)] == LINES  # what has scrolled off is in the terminal's own history
    opened.press("\r")
    assert opened.wait() == 7
    assert opened.screen.margins in (None, (0, 23))
    assert not any("── trimtab" in row for row in opened.history)
    assert _mode(opened) == before


def test_what_is_found_is_shown_while_the_script_waits_and_reported_at_its_end(tmp_path: Path, terminal: Open) -> None:
    opened = _start(terminal, tmp_path, TRAINS, "--record", "run.db", "--ignore", "TT4", rows=40)
    opened.until_shows("go on?")
    opened.until_shows("SICK      TT301 vanishing-gradient")
    opened.until_shows("step 40   loss")
    assert not any("TT4" in row for row in opened.rows)
    opened.press("\r")
    assert opened.wait() == 0
    shown = opened.history
    assert shown[0] == "go on?"
    assert any(row.startswith("SICK after 40 steps: vanishing gradient") for row in shown)
    assert "wrote run.db" in shown
    assert not any("── trimtab" in row for row in shown)


ASKS = """
import sys
name = input("name? ")
print("hello", name.upper())
print(sys.stdin.readline().strip(), sys.stdin.isatty(), sys.stdout.isatty(), sys.stderr.isatty())
"""


def test_the_keyboard_is_the_scripts(tmp_path: Path, terminal: Open) -> None:
    opened = _start(terminal, tmp_path, ASKS)
    opened.until_shows("name?")
    opened.press("\x1a")  # Ctrl-Z, which in a session without a shell stops nothing for long
    opened.press("annx\x7fa\r")
    opened.until_shows("hello ANNA")
    opened.press("second\r")
    assert opened.wait() == 0
    assert [row for row in opened.rows if row][:4] == ["name? anna", "hello ANNA", "second", "second True True True"]


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_redirected_stream_gets_the_bytes_of_the_script(tmp_path: Path, terminal: Open, stream: str) -> None:
    script = f"import sys\nsys.{stream}.buffer.write(bytes(range(256)) * 300)\nsys.{stream}.flush()\nprint('x')\n"
    with (tmp_path / "log").open("wb") as log:
        opened = _start(terminal, tmp_path, script, **{stream: log})
        assert opened.wait() == 0
    wrote = (tmp_path / "log").read_bytes()
    plain = subprocess.run([sys.executable, "train.py"], cwd=tmp_path, capture_output=True, env=environment())
    if stream == "stdout":
        assert wrote == plain.stdout
    else:  # followed by the report, as without --live
        assert wrote.startswith(plain.stderr)
        assert b"\x1b" not in wrote[len(plain.stderr) :]


WAITS = """
import signal, sys, time
if "handler" in sys.argv:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(11))
try:
    print("ready", flush=True)
    time.sleep(60)
finally:
    print("finally")
"""


def test_ctrl_c_is_the_scripts_and_ends_both_by_the_signal(tmp_path: Path, terminal: Open) -> None:
    opened = _start(terminal, tmp_path, WAITS)
    opened.until_shows("ready")
    opened.press("\x03")
    assert opened.wait() == -signal.SIGINT
    assert "^Cfinally" in opened.rows
    assert "KeyboardInterrupt" in opened.rows


@pytest.mark.parametrize(("words", "code"), [([], -signal.SIGTERM), (["handler"], 11)])
def test_a_signal_to_us_is_one_to_the_script(tmp_path: Path, terminal: Open, words: list[str], code: int) -> None:
    (tmp_path / "train.py").write_text(WAITS)
    opened = terminal(*LIVE, "train.py", *words)
    opened.until_shows("ready")
    opened.process.send_signal(signal.SIGTERM)
    assert opened.wait() == code
    assert opened.screen.margins in (None, (0, 23))


def test_killed_without_warning_it_leaves_a_terminal_that_works(tmp_path: Path, terminal: Open) -> None:
    opened = _start(terminal, tmp_path, WAITS)
    before = _mode(terminal("-c", "pass"))
    opened.until_shows("ready")
    opened.until_shows("trimtab train.py")
    assert _mode(opened) != before
    opened.process.kill()
    opened.until(lambda: _mode(opened) == before)
    opened.until(lambda: opened.screen.margins in (None, (0, 23)))
    opened.until(lambda: not any("── trimtab" in row for row in opened.rows))


def test_another_size_reaches_the_script(tmp_path: Path, terminal: Open) -> None:
    script = "import os\nwhile input('> ') != 'q':\n    print('rows', os.get_terminal_size().lines)\n"
    opened = _start(terminal, tmp_path, script)
    opened.until_shows(">")
    opened.press("\r")
    opened.until_shows("rows 16")
    opened.resize(40, 100)
    opened.until(lambda: any(row.startswith("── trimtab") for row in opened.rows[27:28]))
    opened.press("\r")
    opened.until_shows("rows 27")
    opened.press("q\r")
    assert opened.wait() == 0


def test_without_a_terminal_it_runs_as_ever_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("print('output')")
    done = subprocess.run(
        [sys.executable, *LIVE, "--record", "run.db", "train.py"],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout) == (0, "output\n")
    said = (
        "trimtab: no live view, because neither stderr nor stdout is a terminal; from another terminal: trimtab watch"
    )
    assert done.stderr.splitlines()[0] == f"{said} run.db"


def test_it_says_what_it_cannot_do(tmp_path: Path, terminal: Open) -> None:
    opened = terminal(*LIVE, "--quiet", "missing.py")
    assert opened.wait() == 2
    assert "cannot run 'missing.py'" in " ".join(opened.rows)
    (tmp_path / "train.py").write_text("")
    opened = terminal(*LIVE, "--quiet", "train.py")
    assert opened.wait() == 2
    assert "--live and --quiet exclude each other" in " ".join(opened.rows)
    assert not (tmp_path / ".trimtab").exists()
