"""1,797 handwritten digits of 8 x 8 pixels (UCI, CC BY 4.0; see data/LICENSE-digits.txt)."""

from __future__ import annotations

from importlib.resources import files

import numpy as np
from numpy.typing import NDArray


def load() -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Images [1797, 8, 8] with the raw pixel counts 0 to 16, and labels [1797] from 0 to 9."""
    with (files("trimtab.examples") / "data" / "digits.npz").open("rb") as stream, np.load(stream) as arrays:
        return arrays["images"].astype(np.float32), arrays["labels"].astype(np.int64)
