"""The kernels as they are, on a GPU where there is one and interpreted on the CPU otherwise."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest
import torch

from trimtab.kernels.triton import presence

collect_ignore_glob = [] if find_spec("triton") else ["test_*"]


@pytest.fixture
def device(monkeypatch: pytest.MonkeyPatch) -> torch.device:
    """Where the kernels run."""
    if torch.cuda.is_available():
        return torch.device("cuda", torch.cuda.current_device())
    from triton.runtime import interpreter

    from trimtab.kernels.triton import trial

    if not isinstance(trial._count, interpreter.InterpretedFunction):
        pytest.skip("triton was imported to compile, and there is no GPU to compile for")
    monkeypatch.setattr(presence, "KINDS", ("cuda", "cpu"))
    monkeypatch.setattr(interpreter, "_convert_float", rounding(interpreter._convert_float))
    return torch.device("cpu")


def rounding(convert: Callable[..., np.ndarray]) -> Callable[..., np.ndarray]:
    """The interpreter's change of format, which cuts off what a GPU rounds to the nearest bfloat16."""
    import triton.language as tl

    def converted(values: np.ndarray, source: Any, target: Any, *how: Any) -> np.ndarray:
        if (source, target) != (tl.float32, tl.bfloat16):
            return convert(values, source, target, *how)
        short = torch.from_numpy(np.array(values, np.float32)).to(torch.bfloat16)
        return short.view(torch.int16).numpy().view(np.uint16)

    return converted


@pytest.fixture(autouse=True)
def _core() -> None:
    """These need no native core."""
