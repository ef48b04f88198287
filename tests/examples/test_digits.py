"""The digits in the package are the UCI test set, small, and come with their licence."""

from importlib.resources import files

import numpy as np
from sklearn.datasets import load_digits

from trimtab.examples import digits

DATA = files("trimtab.examples") / "data"


def test_equal_to_the_published_set():
    images, labels = digits.load()
    published, targets = load_digits(return_X_y=True)
    assert (images.dtype, images.shape) == (np.float32, (1797, 8, 8))
    assert (labels.dtype, labels.shape) == (np.int64, (1797,))
    np.testing.assert_array_equal(images.reshape(-1, 64), published)
    np.testing.assert_array_equal(labels, targets)


def test_each_call_gives_fresh_arrays():
    first, _ = digits.load()
    first[:] = -1
    assert digits.load()[0].min() == 0


def test_file_is_small_and_licensed():
    assert len((DATA / "digits.npz").read_bytes()) < 60_000
    licence = (DATA / "LICENSE-digits.txt").read_text(encoding="utf-8")
    assert "CC BY 4.0" in licence and "10.24432/C50P49" in licence
