"""The state of torch that nothing may be left in, and warnings that the libraries raise among themselves."""

from __future__ import annotations

import os
from collections.abc import Iterator

os.environ["HF_HUB_OFFLINE"] = "1"  # before transformers is imported: tests reach for no network

import pytest

from tests.watching.test_harmless import state_of_torch


@pytest.fixture(autouse=True)
def nothing_is_left() -> Iterator[None]:
    before = state_of_torch()
    yield
    assert state_of_torch() == before
