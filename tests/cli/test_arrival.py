"""The first import of a package is noticed, once, and leaves no trace of the notice."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from trimtab.cli.arrival import when_imported


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    (tmp_path / "arriving.py").write_text("part = 1\nimport json\npart = 2\n")
    (tmp_path / "failing.py").write_text("import sys\nif not hasattr(sys, 'ready'): raise OSError('not yet')\n")
    monkeypatch.syspath_prepend(tmp_path)
    before = list(sys.meta_path)
    yield "arriving"
    sys.meta_path[:] = before
    for name in ("arriving", "failing"):
        sys.modules.pop(name, None)


def test_it_is_called_after_the_package_is_whole(package: str) -> None:
    calls: list[int] = []
    finders = list(sys.meta_path)
    when_imported(package, lambda: calls.append(sys.modules[package].part))
    assert importlib.util.find_spec(package) is not None
    assert calls == []
    module = importlib.import_module(package)
    importlib.reload(module)
    assert calls == [2]
    assert sys.meta_path == finders
    assert module.__spec__ is not None
    assert "exec_module" not in vars(module.__spec__.loader)


def test_it_is_called_at_once_for_what_is_there(package: str) -> None:
    importlib.import_module(package)
    calls: list[int] = []
    when_imported(package, lambda: calls.append(1))
    assert calls == [1]


def test_a_failed_import_counts_for_nothing(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    when_imported("failing", lambda: calls.append(1))
    with pytest.raises(OSError, match="not yet"):
        importlib.import_module("failing")
    assert calls == []
    monkeypatch.setattr(sys, "ready", True, raising=False)
    importlib.import_module("failing")
    assert calls == [1]


def test_absence_stays_absence(package: str) -> None:
    when_imported("no_such_package", lambda: None)
    assert importlib.util.find_spec("no_such_package") is None
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("no_such_package")
