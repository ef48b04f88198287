"""The schemes on tensors: what they draw, into what, and from which generator."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

import trimtab.init as init

VARIANCE = [
    (init.xavier_uniform_, {"gain": 1.5}, 1.5 * math.sqrt(2 / (600 + 400)), True),
    (init.xavier_normal_, {"gain": 1.5}, 1.5 * math.sqrt(2 / (600 + 400)), False),
    (init.kaiming_uniform_, {}, math.sqrt(2 / 600), True),
    (init.kaiming_normal_, {}, math.sqrt(2 / 600), False),
    (init.kaiming_normal_, {"a": 0.5}, math.sqrt(2 / 1.25 / 600), False),
    (init.kaiming_normal_, {"mode": "fan_out", "nonlinearity": "relu"}, math.sqrt(2 / 400), False),
    (init.kaiming_normal_, {"nonlinearity": "gelu"}, 1.533530 / math.sqrt(600), False),
    (init.kaiming_uniform_, {"nonlinearity": torch.tanh}, 1.592537 / math.sqrt(600), True),
    (init.lecun_uniform_, {}, math.sqrt(1 / 600), True),
    (init.lecun_normal_, {}, math.sqrt(1 / 600), False),
]
ALL = [case[0] for case in VARIANCE] + [init.orthogonal_, init.delta_orthogonal_]


@pytest.mark.parametrize(("fill", "options", "std", "uniform"), VARIANCE)
def test_variance_is_that_of_the_formula(fill: Any, options: dict[str, Any], std: float, uniform: bool) -> None:
    w = fill(torch.empty(400, 600), generator=torch.Generator().manual_seed(0), **options).double().numpy()
    assert w.std() == pytest.approx(std, rel=0.006)  # 4 standard errors of 240,000 numbers
    assert abs(w.mean()) < 5 * std / math.sqrt(w.size)
    kurtosis = (w**4).mean() / (w**2).mean() ** 2
    assert kurtosis == pytest.approx(1.8 if uniform else 3.0, rel=0.03)
    if uniform:
        assert std * math.sqrt(3) * 0.999 < np.abs(w).max() <= std * math.sqrt(3) * (1 + 1e-6)


def test_equal_to_torch_in_distribution_where_torch_is_right() -> None:
    """From one seed torch's own functions give the same numbers, up to the order in which they are scaled."""
    for ours, theirs in [
        (init.xavier_normal_, torch.nn.init.xavier_normal_),
        (init.kaiming_normal_, torch.nn.init.kaiming_normal_),
    ]:
        a = ours(torch.empty(30, 20), generator=torch.Generator().manual_seed(5))
        b = theirs(torch.empty(30, 20), generator=torch.Generator().manual_seed(5))
        torch.testing.assert_close(a, b)


def test_groups_and_transposed_weights_have_their_own_fans() -> None:
    generator = torch.Generator().manual_seed(0)
    grouped = init.kaiming_normal_(torch.empty(256, 16, 3, 3), generator=generator, groups=8, mode="fan_out")
    assert float(grouped.std()) == pytest.approx(math.sqrt(2 / (256 / 8 * 9)), rel=0.02)
    transposed = init.lecun_normal_(torch.empty(64, 128, 4, 4), generator, transposed=True, stride=2)
    assert float(transposed.std()) == pytest.approx(math.sqrt(4 / (64 * 16)), rel=0.02)


@settings(derandomize=True, deadline=None, max_examples=25)
@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 3), st.integers(1, 3), st.floats(1e-3, 1e3))
def test_orthogonal_weights_have_the_gain_as_singular_values(o: int, i: int, k: int, groups: int, gain: float) -> None:
    w = init.orthogonal_(torch.empty(o * groups, i, k), gain, torch.Generator().manual_seed(o + 10 * i), groups=groups)
    for block in w.reshape(groups, o, i * k).double().numpy():
        assert np.linalg.svd(block, compute_uv=False) == pytest.approx(gain * np.ones(min(o, i * k)), rel=1e-4)


def test_delta_orthogonal_convolution_keeps_every_norm() -> None:
    conv = torch.nn.Conv2d(8, 16, 5, padding="same", groups=2, bias=False)
    init.delta_orthogonal_(conv.weight, groups=2)
    x = torch.randn(3, 8, 9, 9)
    assert float(conv(x).detach().norm()) == pytest.approx(float(x.norm()), rel=1e-4)
    with pytest.raises(ValueError, match="groups=3 does not divide"):
        init.delta_orthogonal_(conv.weight, groups=3)


@pytest.mark.parametrize("fill", ALL)
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_low_precision_is_the_float32_draw_rounded(fill: Callable[..., Tensor], dtype: torch.dtype) -> None:
    made = fill(torch.empty(12, 8, dtype=dtype), generator=torch.Generator().manual_seed(1))
    wide = fill(torch.empty(12, 8), generator=torch.Generator().manual_seed(1))
    assert made.dtype == dtype
    if dtype != torch.float64:
        torch.testing.assert_close(made, wide.to(dtype), rtol=0, atol=0)
    assert len(made.unique()) > 20 or fill is init.delta_orthogonal_


@pytest.mark.parametrize("fill", ALL)
def test_generator_decides_and_the_global_state_is_untouched(fill: Callable[..., Tensor]) -> None:
    before = torch.get_rng_state()
    a, b = (fill(torch.empty(6, 5), generator=torch.Generator().manual_seed(9)) for _ in range(2))
    assert torch.equal(a, b)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(3)
    c = fill(torch.empty(6, 5))
    torch.manual_seed(3)
    assert torch.equal(c, fill(torch.empty(6, 5))) and not torch.equal(c, a)


@pytest.mark.parametrize("fill", ALL)
def test_in_place_on_any_memory(fill: Callable[..., Tensor]) -> None:
    parameter = torch.nn.Parameter(torch.zeros(4, 6))
    assert fill(parameter) is parameter and parameter.requires_grad and parameter.is_leaf
    wide = torch.zeros(8, 6)
    part = wide[::2]
    assert fill(part) is part
    assert bool((wide[1::2] == 0).all()) and bool((wide[::2] != 0).any())
    turned = torch.zeros(6, 4).t()
    straight = fill(torch.zeros(4, 6), generator=torch.Generator().manual_seed(2))
    assert torch.equal(fill(turned, generator=torch.Generator().manual_seed(2)), straight)


@pytest.mark.parametrize("fill", ALL)
def test_nothing_to_draw(fill: Callable[..., Tensor]) -> None:
    generator = torch.Generator().manual_seed(0)
    state = generator.get_state()
    assert fill(torch.empty(4, 3, device="meta"), generator=generator).is_meta
    for shape in [(0, 3), (3, 0)]:
        assert fill(torch.empty(shape), generator=generator).shape == shape
    assert torch.equal(generator.get_state(), state)


@pytest.mark.parametrize("fill", ALL)
def test_bad_tensors_are_refused(fill: Callable[..., Tensor]) -> None:
    with pytest.raises(ValueError, match=r"shape \[3\] is no weight"):
        fill(torch.empty(3))
    with pytest.raises(ValueError, match=r"shape \[\] is no weight"):
        fill(torch.tensor(1.0))
    with pytest.raises(TypeError, match="int64"):
        fill(torch.zeros(3, 3, dtype=torch.int64))


def test_complex_weights_have_the_variance_of_the_formula() -> None:
    generator = torch.Generator().manual_seed(0)
    w = init.lecun_normal_(torch.empty(200, 300, dtype=torch.complex64), generator)
    assert float(w.abs().square().mean()) == pytest.approx(1 / 300, rel=0.02)
    assert float(w.real.square().mean()) == pytest.approx(0.5 / 300, rel=0.02)
    q = init.orthogonal_(torch.empty(3, 5, dtype=torch.complex128), generator=generator)
    torch.testing.assert_close(q @ q.mH, torch.eye(3, dtype=torch.complex128))


def test_a_wrong_mode_is_refused() -> None:
    with pytest.raises(ValueError, match="mode='fan_up'"):
        init.kaiming_normal_(torch.empty(3, 3), mode="fan_up")  # type: ignore[arg-type]
