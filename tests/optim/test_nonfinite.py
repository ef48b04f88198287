"""Inf and NaN in gradients: passed on, skipped and counted, or raised; and what a GradScaler does with them."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn

from trimtab.average import EMA
from trimtab.clip import ClipByNorm, ClipByValue
from trimtab.optim import SGD, Adam, AdamW, RMSprop

KINDS = [SGD, RMSprop, Adam, AdamW]


def two(bad: float = math.nan):
    a, b = nn.Parameter(torch.ones(3)), nn.Parameter(torch.ones(2))
    a.grad, b.grad = torch.ones(3), torch.tensor([1.0, bad])
    return a, b


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("kind", KINDS)
def test_skip_changes_nothing_and_counts(kind, bad):
    a, b = two(bad)
    optimizer = kind([a, b], on_nonfinite="skip")
    optimizer.step()
    assert torch.equal(a, torch.ones(3)) and torch.equal(b, torch.ones(2))
    assert optimizer.skipped_steps == 1
    assert not optimizer.state
    b.grad = torch.ones(2)
    optimizer.step()
    assert optimizer.skipped_steps == 1
    assert (a < 1).all()


def test_raise_names_the_first_and_counts_them_and_changes_nothing():
    a, b = two()
    optimizer = Adam([("layer.weight", a), ("layer.bias", b)], on_nonfinite="raise")
    with pytest.raises(FloatingPointError, match=r"Adam.step: the gradient of parameter 1 \('layer.bias'\).* 1 such"):
        optimizer.step()
    assert torch.equal(a, torch.ones(3))
    assert not optimizer.state


def test_pass_is_as_torch_does():
    a, b = two()
    SGD([a, b], lr=0.5).step()
    assert torch.equal(a, torch.full((3,), 0.5))
    assert b[0] == 0.5 and b[1].isnan()


@pytest.mark.parametrize("clip", [ClipByNorm(1.0), ClipByValue(1.0)])
def test_the_check_comes_before_the_clip(clip):
    a, b = two(math.inf)
    optimizer = SGD([a, b], clip=clip, on_nonfinite="skip")
    optimizer.step()
    assert optimizer.skipped_steps == 1


def test_no_gradients_are_no_bad_gradients():
    SGD([nn.Parameter(torch.ones(1))], on_nonfinite="raise").step()


def test_an_unknown_policy():
    with pytest.raises(ValueError, match='"pass", "skip" or "raise"'):
        SGD([nn.Parameter(torch.ones(1))], on_nonfinite="ignore")  # pyright: ignore[reportArgumentType]


def scaler_run(kind, unscale_first, bad_at=None, clip=None):
    """Weights after five steps under a GradScaler, one of them overflowing, and the optimizer."""
    torch.manual_seed(0)
    p = nn.Parameter(torch.randn(4))
    optimizer = kind([p], lr=0.1) if clip is None else kind([p], lr=0.1, clip=clip)
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    for step in range(5):
        optimizer.zero_grad()
        scaler.scale((p * torch.arange(1.0, 5.0) * (1 + p)).sum()).backward()
        if step == bad_at:
            p.grad = torch.tensor([math.inf, 1.0, 1.0, 1.0])
        if unscale_first:
            scaler.unscale_(optimizer)
        scaler.step(optimizer)
        scaler.update()
    return p.detach(), optimizer


@pytest.mark.usefixtures("on_torch_operations")
@pytest.mark.parametrize("unscale_first", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_a_grad_scaler_gives_what_torch_gives(kind, unscale_first):
    ours, optimizer = scaler_run(kind, unscale_first, bad_at=2)
    theirs, _ = scaler_run(getattr(torch.optim, kind.__name__), unscale_first, bad_at=2)
    assert torch.equal(ours, theirs)
    assert optimizer.skipped_steps == 1
    assert not hasattr(optimizer, "found_inf")


def test_under_a_scaler_the_unscaled_gradient_is_clipped_and_reported():
    direct, plain = scaler_run(SGD, True, clip=ClipByNorm(2.0))
    inside, optimizer = scaler_run(SGD, False, clip=ClipByNorm(2.0))
    torch.testing.assert_close(direct, inside)
    assert optimizer.grad_norm is not None and plain.grad_norm is not None
    torch.testing.assert_close(optimizer.grad_norm, plain.grad_norm)


def amp_by_hand(start, slopes, bad_at, bound):
    """AdamW with clipping and a corrected EMA of the weights, in NumPy, without the step that overflows."""
    w, v, s, average, t = np.array(start), 0.0, 0.0, 0.0, 0
    for step in range(6):
        g = slopes * (1 + 2 * w)
        if step == bad_at:
            continue
        t += 1
        g = g * min(1.0, bound / np.sqrt((g**2).sum()))
        w = w * (1 - 0.1 * 0.01)
        v, s = 0.9 * v + 0.1 * g, 0.999 * s + 0.001 * g**2
        w = w - 0.1 * (v / (1 - 0.9**t)) / (np.sqrt(s / (1 - 0.999**t)) + 1e-8)
        average = average + (1 - 0.8) / (1 - 0.8**t) * (w - average)
    return w, average


@pytest.mark.parametrize("core", [True, False])
@pytest.mark.parametrize("unscale_first", [False, True])
@pytest.mark.parametrize("bad_at", [0, 3])
def test_unscaling_the_look_for_inf_clipping_and_the_average_in_one_step(monkeypatch, bad_at, unscale_first, core):
    if not core:
        monkeypatch.setattr("trimtab.kernels.native.available", lambda: False)
    start, slopes = [0.5, -1.0, 2.0, 0.1], np.arange(1.0, 5.0)
    p = nn.Parameter(torch.tensor(start, dtype=torch.float64))
    optimizer = AdamW([p], lr=0.1, clip=ClipByNorm(3.0), average=EMA(0.8))
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    for step in range(6):
        optimizer.zero_grad()
        scaler.scale((torch.from_numpy(slopes) * p * (1 + p)).sum()).backward()
        assert p.grad is not None
        if step == bad_at:
            p.grad = p.grad * math.inf
        if unscale_first:
            scaler.unscale_(optimizer)
        before = p.grad.clone()
        scaler.step(optimizer)
        torch.testing.assert_close(p.grad, before, rtol=0, atol=0, equal_nan=True)
        scaler.update()
    weights, average = amp_by_hand(start, slopes, bad_at, 3.0)
    np.testing.assert_allclose(p.detach().numpy(), weights, rtol=1e-6)
    with optimizer.averaged():
        np.testing.assert_allclose(p.detach().numpy(), average, rtol=1e-6)
    assert optimizer.skipped_steps == 1


def test_half_precision_gradients_are_unscaled_in_float32():
    p = nn.Parameter(torch.zeros(2, dtype=torch.float16))
    optimizer = SGD([p], lr=1e6)
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**16)
    gradient = torch.tensor([1e-6, 3e-9])  # float16 has nothing between 0 and 6e-8
    scaler.scale((p * gradient).sum()).backward()
    scaler.step(optimizer)
    torch.testing.assert_close(-p.detach().float(), gradient * 1e6, rtol=1e-3, atol=0)
