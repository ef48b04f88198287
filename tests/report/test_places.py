"""Where a finding belongs: by the record, by the source, and never beyond what is known."""

from __future__ import annotations

from pathlib import Path

import pytest

from trimtab.core.finding import Finding, Severity
from trimtab.core.synthetic import synthetic_trace
from trimtab.core.trace import Site, Trace
from trimtab.report.places import Place, Places

TRAIN = """\
import torch
from parts import model as parts
from parts.model import Net
from . import nothing

net = Net()
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
loss.backward()
"""
MODEL = """\
class Net(nn.Module):
    def __init__(self):
        self.first = nn.Linear(1, 1)
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "parts").mkdir()
    (tmp_path / "train.py").write_text(TRAIN)
    (tmp_path / "parts" / "__init__.py").touch()
    (tmp_path / "parts" / "model.py").write_text(MODEL)
    return tmp_path


def run(losses: int = 1) -> Trace:
    return synthetic_trace(
        {
            "loss": [Site("loss", f"train.py:{8 + i}", {"line": f"train.py:{8 + i}"}) for i in range(losses)],
            "optimizer": [Site("optimizer", "SGD", {"line": "train.py:7"})],
            "activation": [Site("activation", "relu after first", {"after": "first"})],
        },
        {},
    )


def finding(code: str, *where: str) -> Finding:
    return Finding(code, "some-thing", Severity.FAIL, where, 0, "something")


CASES = {
    "the loss by its line": (finding("TT601", "train.py:8"), Place("train.py", 8)),
    "the optimizer by its name": (finding("TT402", "SGD"), Place("train.py", 7)),
    "a setting without a name": (finding("TT406"), Place("train.py", 7)),
    "a parameter without an optimizer": (finding("TT404", "first"), Place("train.py", 7)),
    "a layer in another file": (finding("TT301", "first"), Place("parts/model.py", 3)),
    "a parameter": (finding("TT307", "first.weight"), Place("parts/model.py", 3)),
    "an activation": (finding("TT212", "relu after first"), Place("parts/model.py", 3)),
    "a layer that is not in the source": (finding("TT301", "second"), Place("train.py", 8)),
    "nowhere": (finding("TT305"), Place("train.py", 8)),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_finding_has_a_place(case: tuple[Finding, Place], home: Path) -> None:
    assert Places(run(), "train.py", str(home)).of(case[0]) == case[1]


def test_of_several_losses_none_is_blamed(home: Path) -> None:
    assert Places(run(losses=2), "train.py", str(home)).of(finding("TT305")) == Place("train.py", 1)


def test_files_are_named_from_the_root_of_the_checkout(home: Path) -> None:
    (home / ".git").mkdir()
    (home / "deep").mkdir()
    (home / "deep" / "train.py").write_text(TRAIN)
    places = Places(run(), "train.py", str(home / "deep"))
    assert places.of(finding("TT402", "SGD")) == Place("deep/train.py", 7)


def test_modules_are_found_as_python_finds_them(home: Path) -> None:
    assert Places(run(), "-m parts.model", str(home)).script == Place("parts/model.py")
    (home / "parts" / "__main__.py").write_text("x = 1\n")
    assert Places(run(), "-m parts", str(home)).script == Place("parts/__main__.py")
    assert Places(run(), "parts", str(home)).script == Place("parts/__main__.py")


def test_a_script_that_is_gone_is_still_named(home: Path) -> None:
    assert Places(run(), "gone.py", str(home)).of(finding("TT301", "first")) == Place("gone.py", 1)
    assert Places(run(), None, str(home)).of(finding("TT301", "first")) is None


def test_source_that_is_no_python_is_passed_over(home: Path) -> None:
    (home / "parts" / "model.py").write_bytes(b"class Net(:\n\0\xff")
    assert Places(run(), "train.py", str(home)).of(finding("TT301", "first")) == Place("train.py", 8)
    (home / "train.py").write_bytes(b"\xff\xfe")
    assert Places(run(), "train.py", str(home)).of(finding("TT402", "SGD")) == Place("train.py", 1)
