"""Bad input is refused before anything runs: one clear line on stderr, exit code 2, nothing written, nothing lost."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from trimtab.cli import main
from trimtab.record import Writer

RUNS = "from pathlib import Path; Path('it_ran').touch()\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train.py").write_text(RUNS)
    (tmp_path / "broken.py").write_text("x = 1\ndef f(:\n")
    (tmp_path / "image.py").write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0")
    (tmp_path / "latin.py").write_bytes(b"x = '\xe9'\n")
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").write_text("keep me")
    (tmp_path / "zero.db").touch()
    with sqlite3.connect(tmp_path / "other.db") as other:
        other.execute("CREATE TABLE t (x)")
    other.close()
    Writer("later.db", {}).close()
    with sqlite3.connect("later.db") as later:
        later.execute("PRAGMA user_version = 999")
    later.close()
    return tmp_path


CASES = {
    "nothing to run": (["run"], "give a script"),
    "no such script": (["run", "nosuch.py"], "nosuch.py"),
    "syntax error": (["run", "broken.py"], "line 2"),
    "no text": (["run", "image.py"], "image.py is not a Python script"),
    "not utf-8": (["run", "latin.py"], "latin.py is not a Python script"),
    "-m without a name": (["run", "-m"], "module"),
    "unknown option": (["run", "--fast", "train.py"], "--fast"),
    "option without value": (["run", "--record"], "--record"),
    "bad budget": (["run", "--budget", "lots", "train.py"], "lots"),
    "budget of nothing": (["run", "--budget", "0", "train.py"], "--budget"),
    "bad count": (["run", "--max-steps", "0", "train.py"], "--max-steps"),
    "bad bar": (["run", "--fail-on", "always", "train.py"], "always"),
    "unknown code": (["run", "--select", "TT103,TT999", "train.py"], "TT999"),
    "unknown code to ignore": (["run", "--ignore=XX", "train.py"], "XX"),
    "no folder for json": (["run", "--json", "no/out.json", "train.py"], "no/out.json"),
    "folder as page": (["run", "--html", "empty", "train.py"], "empty"),
    "unwritable page": (["run", "--html", "/proc/out.html", "train.py"], "/proc/out.html"),
    "unwritable record": (["run", "--record", "/proc/run.db", "train.py"], "/proc/run.db"),
    "record over a text": (["run", "--record", "notes.txt", "train.py"], "notes.txt"),
    "stdout is the script's": (["run", "--json", "-", "train.py"], "trimtab diagnose"),
    "unknown command": (["trian", "x"], "trian"),
    "command misspelled": (["rnu", "train.py"], "did you mean run?"),
    "option misspelled": (["run", "--hmtl", "a.html", "train.py"], "did you mean --html?"),
    "no number after a change": (["run", "--with", "clip-by-norm=big", "train.py"], "clip-by-norm=1.0"),
    "no such word after a change": (["run", "--with", "normalize-layers=x", "train.py"], "layer, batch"),
    "nothing stands after this change": (["run", "--with", "shuffle-data=2", "train.py"], "leave out =2"),
    "a change that needs a parameter": (["run", "--with", "standardize-targets", "train.py"], "180000:75000"),
    "script as command": (["train.py"], "trimtab run train.py"),
    "unknown top option": (["--fast"], "--fast"),
    "no such record": (["diagnose", "nosuch.db"], "nosuch.db"),
    "no record": (["diagnose", "notes.txt"], "notes.txt"),
    "empty record": (["report", "zero.db"], "zero.db"),
    "other database": (["report", "other.db"], "other.db"),
    "record of another version": (["diagnose", "later.db"], "999"),
    "folder as record": (["diagnose", "empty"], "empty"),
    "no record given": (["diagnose"], "RECORD"),
    "surplus word": (["report", "a.db", "b.db"], "b.db"),
    "no such rule": (["explain", "vanishing"], "vanishing"),
    "no rule given": (["explain"], "RULE"),
    "no such example": (["demo", "nosuch"], "nosuch"),
}


@pytest.mark.parametrize(("words", "named"), CASES.values(), ids=CASES.keys())
def test_bad_input_is_refused_in_one_line(
    folder: Path, capsys: pytest.CaptureFixture[str], words: list[str], named: str
) -> None:
    before = {path: path.stat().st_size for path in folder.iterdir()}
    assert main(words) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("trimtab: ")
    assert err.count("\n") == 1
    assert named in err
    assert {path: path.stat().st_size for path in folder.iterdir()} == before


Run = Callable[..., Any]


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["-m", "nosuch"], "nosuch"),
        (["-m", "broken"], "line 2"),
        (["empty"], "__main__"),
        (["-m", "package"], "package"),
    ],
)
def test_modules_that_cannot_be_run(folder: Path, trimtab: Run, words: list[str], named: str) -> None:
    (folder / "package").mkdir()
    (folder / "package" / "__init__.py").touch()
    result = trimtab("run", *words)
    assert (result.code, result.out, result.err.count("\n")) == (2, "", 1)
    assert result.err.startswith("trimtab: cannot run")
    assert named in result.err
    assert not list((folder / ".trimtab").glob("*.db"))


def test_a_folder_that_takes_no_record(folder: Path, trimtab: Run) -> None:
    (folder / ".trimtab").write_text("a file stands where the folder should be")
    result = trimtab("run", "train.py")
    assert (result.code, result.out, result.err.count("\n")) == (2, "", 1)
    assert "--record" in result.err
    assert not (folder / "it_ran").exists()
    assert trimtab("run", "--quiet", "--record", "run.db", "train.py").code == 0


@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="gives up root's rights")
def test_a_folder_of_someone_else(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "train.py").write_text(RUNS)
        monkeypatch.chdir(folder)
        os.seteuid(65534)
        try:
            assert main(["run", "train.py"]) == 2
        finally:
            os.seteuid(0)
        assert "--record" in capsys.readouterr().err
        assert [path.name for path in folder.iterdir()] == ["train.py"]
        monkeypatch.undo()
