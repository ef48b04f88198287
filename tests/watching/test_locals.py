"""Looking up the variables of a frame takes nothing from the script and leaves nothing of it alive."""

from __future__ import annotations

import sys
import weakref

import torch

from trimtab.watching.names import _variables


def test_a_dict_of_locals_that_the_script_holds_is_left_alone() -> None:
    kept = 1
    given = locals()
    assert ("kept", 1) in list(_variables(sys._getframe()))
    assert given["kept"] == kept


def test_a_tensor_is_freed_with_the_script_s_last_name_for_it() -> None:
    batch = torch.randn(8, 3)
    freed = weakref.ref(batch)
    assert "batch" in [name for name, _ in _variables(sys._getframe())]
    del batch
    assert freed() is None
