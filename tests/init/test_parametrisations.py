"""Weights that are kept as something else: weight norm, spectral norm, any parametrisation."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrizations

from trimtab.init import initialize


def _seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _x(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=_seeded(1))


def _std(p: Any) -> float:
    return float(p.detach().double().square().mean().sqrt())


def test_parametrised_weights_are_set_through_their_parametrisation() -> None:
    weighted: Any = nn.Sequential(parametrizations.weight_norm(nn.Linear(300, 200)), nn.ReLU(), nn.Linear(200, 2))
    initialize(weighted, generator=_seeded())
    assert _std(weighted[0].weight) == pytest.approx(math.sqrt(2 / 300), rel=0.02)
    report = initialize(weighted, _x(64, 300), generator=_seeded())
    assert report["0"].problem is None and report.after is not None
    assert report.after["0"].forward == pytest.approx(1, abs=0.02)

    spectral: Any = nn.Sequential(parametrizations.spectral_norm(nn.Linear(8, 8)), nn.ReLU(), nn.Linear(8, 2))
    report = initialize(spectral, _x(64, 8), generator=_seeded())
    assert (
        report["0"].problem == "its weight cannot have that scale: parametrisation or precision"
        and report["0"].factor == 1.0
    )
    assert bool(spectral[0].weight.detach().isfinite().all())


@pytest.mark.filterwarnings("ignore:.*weight_norm:FutureWarning")
def test_weight_norm_of_old_is_set_too() -> None:
    net: Any = nn.Sequential(nn.utils.weight_norm(nn.Conv1d(50, 100, 3)), nn.ReLU(), nn.Conv1d(100, 2, 1))
    initialize(net, generator=_seeded())
    weight = net[0].weight_g * net[0].weight_v / net[0].weight_v.flatten(1).norm(dim=1)[:, None, None]
    assert _std(weight) == pytest.approx(math.sqrt(2 / 150), rel=0.02)
    after = initialize(net, _x(16, 50, 9)).after
    assert after is not None and after["0"].forward == pytest.approx(1, abs=0.02)


def test_a_parametrisation_without_inverse_is_refused() -> None:
    class Doubled(nn.Module):
        def forward(self, w: Tensor) -> Tensor:
            return 2 * w

    layer: Any = nn.Linear(3, 3)
    nn.utils.parametrize.register_parametrization(layer, "weight", Doubled())
    with pytest.raises(ValueError, match=r"weight is parametrised and takes no value .*right_inverse"):
        initialize(nn.Sequential(layer))


@pytest.mark.filterwarnings("ignore:.*spectral_norm:FutureWarning")
@pytest.mark.parametrize("spectral_norm", [parametrizations.spectral_norm, nn.utils.spectral_norm])
def test_a_spectral_norm_is_that_of_the_new_weight(spectral_norm: Any) -> None:
    """The norm is an estimate that training updates by a step; that of the weight before would be 10 times off."""
    layer = spectral_norm(nn.Linear(48, 48)).eval()
    initialize(layer, generator=_seeded())
    layer(_x(2, 48))
    assert float(np.linalg.norm(layer.weight.detach().numpy(), 2)) == pytest.approx(1, abs=0.1)
    assert not any(module.training for module in layer.modules())
