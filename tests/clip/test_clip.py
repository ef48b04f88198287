"""Clipping of parameters' gradients: exact for short ones, right at any scale, refused where it cannot be."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from trimtab.clip import ClipByNorm, ClipByValue, by_norm_, by_value_
from trimtab.clip.length import length

FLOATS = [torch.float16, torch.bfloat16, torch.float32, torch.float64]


def with_grad(grad: torch.Tensor) -> nn.Parameter:
    parameter = nn.Parameter(torch.zeros_like(grad))
    parameter.grad = grad
    return parameter


def bits(x: torch.Tensor) -> bytes:
    return bytes(x.reshape(-1).clone().untyped_storage())


def grad(parameter: torch.Tensor) -> torch.Tensor:
    assert parameter.grad is not None
    return parameter.grad


@settings(derandomize=True, deadline=None, max_examples=60)
@given(scale=st.floats(-20, 20), sizes=st.lists(st.integers(0, 9), min_size=1, max_size=4), bound=st.floats(-9, 9))
def test_by_norm_is_the_formula_at_any_scale(scale, sizes, bound):
    rng = np.random.default_rng(len(sizes))
    xs = [(10**scale * rng.normal(size=n)).astype(np.float32) for n in sizes]
    c = 10**bound
    parameters = [with_grad(torch.from_numpy(x.copy())) for x in xs]
    norm = by_norm_(parameters, c)
    expected = np.sqrt(sum((x.astype(np.float64) ** 2).sum() for x in xs))
    assert norm.item() == pytest.approx(expected, rel=1e-12)
    for p, x in zip(parameters, xs, strict=True):
        if expected > c:
            np.testing.assert_allclose(grad(p).numpy(), x * (c / expected), rtol=1e-6)
        else:
            assert bits(grad(p)) == x.tobytes()


@pytest.mark.parametrize("dtype", [*FLOATS, torch.complex64, torch.complex128])
def test_a_short_gradient_keeps_every_bit(dtype):
    g = torch.randn(100, dtype=dtype)
    if dtype.is_complex:
        g[:2] = torch.tensor([complex(-0.0, 1.0), complex(1.0, -0.0)])
    else:
        g[0] = -0.0
    p = with_grad(g.clone())
    norm = by_norm_(p, 100.0)
    assert bits(grad(p)) == bits(g)
    for bound in (norm.item(), norm.item() * (1 + 5e-7)):  # of exactly that length: torch's own shortens it
        by_norm_(p, bound)
        assert bits(grad(p)) == bits(g)


@pytest.mark.parametrize("dtype", FLOATS)
def test_a_long_gradient_gets_the_length_asked_for(dtype):
    p = with_grad(torch.randn(50, dtype=dtype) * 1000)
    by_norm_([p], 2.0)
    assert length([grad(p)]).item() == pytest.approx(2.0, rel=10 * torch.finfo(dtype).eps)


@pytest.mark.parametrize("power", [-300, -160, 0, 160, 300])
def test_float64_neither_overflows_nor_underflows(power):
    x = torch.tensor([3.0, 4.0], dtype=torch.float64) * 10.0**power
    assert length([x]).item() == pytest.approx(5.0 * 10.0**power, rel=1e-14)
    assert length([x[:1], x[1:]]).item() == pytest.approx(5.0 * 10.0**power, rel=1e-14)


@pytest.mark.parametrize("dtype", FLOATS)
def test_a_length_with_inf_is_inf_and_with_nan_nan(dtype):
    assert length([torch.tensor([1.0, -math.inf], dtype=dtype), torch.ones(2, dtype=dtype)]).item() == math.inf
    assert math.isnan(length([torch.tensor([math.nan, math.inf], dtype=dtype)]).item())
    assert math.isnan(length([torch.tensor([math.nan], dtype=dtype), torch.tensor([math.inf], dtype=dtype)]).item())


def test_over_group_and_over_parameter():
    def three():
        return [with_grad(torch.tensor([float(n)])) for n in (3, 4, 12)]

    a, b, c = three()
    reported = by_norm_([{"params": [a, b]}, {"params": [c]}], 6.0, over="group")
    assert reported.tolist() == [5.0, 12.0]
    assert [grad(p).item() for p in (a, b, c)] == [3.0, 4.0, 6.0]
    a, b, c = three()
    assert by_norm_([a, b, c], 3.5, over="parameter").tolist() == [3.0, 4.0, 12.0]
    assert [grad(p).item() for p in (a, b, c)] == [3.0, 3.5, 3.5]
    a, b, c = three()
    assert by_norm_([{"params": [a, b]}, {"params": [c]}], 6.5).item() == 13.0
    assert [grad(p).item() for p in (a, b, c)] == [1.5, 2.0, 6.0]


def test_parameters_without_gradient_and_none_at_all():
    p = nn.Parameter(torch.zeros(2))
    assert by_norm_([p], 1.0) == 0
    assert by_norm_([], 1.0, over="parameter").tolist() == []
    by_value_([p], 1.0)
    assert p.grad is None


def test_a_norm_that_is_not_finite():
    for bad in (math.inf, math.nan):
        p, q = with_grad(torch.tensor([1.0, bad])), with_grad(torch.tensor([2.0]))
        with pytest.raises(RuntimeError, match="cannot be clipped"):
            by_norm_([p, q], 1.0, error_if_nonfinite=True)
        assert grad(p)[0] == 1 and grad(q) == 2
        assert not math.isfinite(by_norm_([p, q], 1.0))
        assert not torch.isfinite(grad(p)).all()


def test_expanded_and_strided_gradients():
    p = nn.Parameter(torch.zeros(2, 3))
    p.grad = torch.ones(1).expand(2, 3)
    by_norm_([p], 1.0)
    torch.testing.assert_close(grad(p), torch.full((2, 3), 1 / math.sqrt(6)))
    p.grad = torch.arange(6.0).reshape(3, 2).T
    held = p.grad
    by_value_([p], 2.0)
    assert held is p.grad
    assert held.tolist() == [[0.0, 2.0, 2.0], [1.0, 2.0, 2.0]]


@settings(derandomize=True, deadline=None, max_examples=40)
@given(scale=st.floats(-20, 20), bound=st.floats(0, 1e20), seed=st.integers(0, 99))
def test_by_value_is_the_formula(scale, bound, seed):
    x = 10**scale * np.random.default_rng(seed).normal(size=9)
    p = with_grad(torch.from_numpy(x.copy()))
    by_value_(p, bound)
    np.testing.assert_array_equal(grad(p).numpy(), np.minimum(np.maximum(x, -bound), bound))


def test_complex_by_value_is_part_by_part_and_by_norm_of_pairs():
    p = with_grad(torch.tensor([3 - 4j], dtype=torch.complex64))
    by_value_([p], 3.5)
    assert grad(p).tolist() == [3 - 3.5j]
    p.grad = torch.tensor([3 - 4j], dtype=torch.complex64)
    assert by_norm_([p], 2.5) == 5
    assert grad(p).tolist() == [1.5 - 2j]


def test_a_scalar_parameter():
    p = with_grad(torch.tensor(-8.0))
    assert by_norm_([p], 2.0) == 8
    assert grad(p) == -2 and grad(p).dtype == torch.float32


def test_refusals():
    with pytest.raises(ValueError, match="max_norm"):
        ClipByNorm(-1.0)
    with pytest.raises(ValueError, match="max_norm"):
        ClipByNorm(math.nan)
    with pytest.raises(ValueError, match='"all", "group" or "parameter"'):
        ClipByNorm(1.0, over="layer")  # pyright: ignore[reportArgumentType]
    with pytest.raises(ValueError, match="max_value"):
        ClipByValue(-1.0)
    p = nn.Parameter(torch.zeros(3))
    p.grad = torch.sparse_coo_tensor(torch.tensor([[1]]), torch.tensor([1.0]), (3,), check_invariants=True)
    with pytest.raises(RuntimeError, match="sparse"):
        by_norm_([p], 1.0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_factor_may_be_smaller_than_a_float32(dtype):
    for length_of, bound in ((1e20, 1e-20), (1e30, 1e-20)):
        p = with_grad(torch.tensor([0.6, 0.8], dtype=dtype) * length_of)
        by_norm_([p], bound)
        np.testing.assert_allclose(grad(p).double().numpy() / bound, [0.6, 0.8], rtol=1e-6)


def test_a_bound_of_0_leaves_zeros():
    p = with_grad(torch.tensor([3.0, 4.0]))
    by_norm_([p], 0.0)
    assert grad(p).tolist() == [0.0, 0.0]


@pytest.mark.parametrize("dtype", FLOATS)
def test_a_clipped_gradient_keeps_its_dtype(dtype):
    for g in (torch.ones((), dtype=dtype), torch.ones(1, dtype=dtype).expand(4)):
        p = with_grad(g)
        by_norm_([p], 0.5)
        assert grad(p).dtype == dtype and grad(p).shape == g.shape


def test_a_tied_weight_that_is_listed_twice_counts_once():
    p = with_grad(torch.tensor([2.0]))
    assert by_norm_([p, p], 1.0).item() == 2.0
    assert grad(p).item() == 1.0


def test_groups_as_an_optimizer_takes_them():
    p, q = with_grad(torch.tensor([3.0])), with_grad(torch.tensor([4.0]))
    assert by_norm_([{"params": p}, {"params": iter([q])}], 10.0).item() == 5.0


def test_named_parameters_are_refused_with_what_to_give():
    with pytest.raises(TypeError, match=r"model.parameters\(\).*not a tuple"):
        by_norm_(nn.Linear(1, 1).named_parameters(), 1.0)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("scale", [1e-20, 1.0, 1e20])
def test_a_device_without_float64_measures_as_well(monkeypatch, dtype, scale):
    monkeypatch.setattr("trimtab.clip.length.WITHOUT_FLOAT64", ("cpu",))
    x = torch.tensor([3.0, 4.0], dtype=torch.float64) * scale
    if dtype == torch.float16:
        x = torch.full((2,), 6e4, dtype=torch.float64)
    expected = x.to(dtype).double().norm().item()
    norm = length([x.to(dtype)])
    assert norm.dtype == (torch.float64 if dtype == torch.float64 else torch.float32)
    assert norm.item() == pytest.approx(expected, rel=1e-6)
    p = with_grad(x.to(dtype))
    by_norm_([p], expected / 2)
    assert length([grad(p)]).item() == pytest.approx(expected / 2, rel=10 * torch.finfo(dtype).eps)
