"""A folder that another user can reach: the tests of permissions give up root's rights in a child process."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def public_path() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="trimtab-test-") as folder:
        path = Path(folder)
        path.chmod(0o755)
        yield path
        path.chmod(0o755)
