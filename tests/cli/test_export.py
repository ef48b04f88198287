"""`trimtab export`: where things go, what is said, and what is refused."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from trimtab.cli import main
from trimtab.core.signal import LOSS
from trimtab.core.trace import Site
from trimtab.record import Writer


@pytest.fixture
def record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    writer = Writer("run.db", {"script": "train.py", "ended": "end", "overhead": 0.01})
    writer.add_sites("loss", [Site("loss", "train.py:9")])
    for step in range(8):
        writer.add(step, LOSS, np.array([1.0 / (step + 1)]))
    writer.close()
    return "run.db"


def test_files_go_beside_the_record(record: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", record, "--to", "csv"]) == 0
    assert main(["export", record, "--to", "parquet"]) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[0] == "wrote run.csv: 8 values of 1 signal"
    assert out[1].startswith("next: ")
    assert Path("run.csv").exists() and Path("run.parquet").exists()


def test_a_dashboard_gets_a_folder_of_its_own(record: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", record, "--to", "tensorboard"]) == 0
    out = capsys.readouterr().out
    assert list(Path("runs/run").glob("*tfevents*"))
    assert out.splitlines()[-1] == "next: tensorboard --logdir runs"


REFUSED = {
    "no format": (["run.db"], "--to"),
    "unknown format": (["run.db", "--to", "xls"], "invalid choice"),
    "no record": (["nothing.db", "--to", "csv"], "no record at nothing.db"),
    "unknown signal": (["run.db", "--to", "csv", "--select-signals", "los"], "did you mean loss?"),
    "no folder": (["run.db", "--to", "csv", "--out", "a/b.csv"], "there is no folder"),
    "not ours": (["run.db", "--to", "csv", "--out", "run.db"], "left as it is"),
    "sites": (["run.db", "--to", "tensorboard", "--sites", "0"], "at least 1"),
}


@pytest.mark.parametrize("words", REFUSED.values(), ids=REFUSED)
def test_bad_input_is_one_line(words: tuple[list[str], str], record: str, capsys: pytest.CaptureFixture[str]) -> None:
    before = sorted(Path().iterdir())
    assert main(["export", *words[0]]) == 2
    err = capsys.readouterr().err
    assert words[1] in err and err.count("\n") == 1
    assert sorted(Path().iterdir()) == before


PACKAGES = {"parquet": "pyarrow", "tensorboard": "tensorboard", "wandb": "wandb", "mlflow": "mlflow"}


@pytest.mark.parametrize(("extra", "package"), PACKAGES.items(), ids=PACKAGES)
def test_a_missing_package_is_named_with_the_command_that_installs_it(extra: str, package: str, record: str) -> None:
    code = f"import sys; sys.modules[{package!r}] = None; from trimtab.cli import main; sys.exit(main())"
    done = subprocess.run(
        [sys.executable, "-c", code, "export", record, "--to", extra], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert f"pip install 'trimtab[{extra}]'" in done.stderr and done.stderr.count("\n") == 1
