"""Which parameters an optimizer holds, also after the script has put others in their place."""

from __future__ import annotations

import torch
from torch import nn

from trimtab.watching.optimizers import Optimizers


def test_parameters_put_in_the_place_of_others_are_held() -> None:
    old, new = nn.Linear(2, 2), nn.Linear(2, 2)
    optimizer = torch.optim.SGD(old.parameters(), lr=0.1)
    optimizers = Optimizers()
    optimizers.known(optimizer)
    assert optimizers.holds(old.weight) and not optimizers.holds(new.weight)
    optimizer.param_groups[0]["params"] = list(new.parameters())
    optimizers.known(optimizer)
    assert optimizers.holds(new.weight)
