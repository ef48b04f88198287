from __future__ import annotations

import pytest

from trimtab.kernels import native


@pytest.fixture(autouse=True)
def _core(request: pytest.FixtureRequest) -> None:
    if not native.available() and "without_core" not in request.keywords:
        pytest.skip(f"the native core is not there: {native.why_not()}")
