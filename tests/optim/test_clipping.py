"""`clip=` inside a step: as clipping first, without touching the gradients."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from trimtab.clip import ClipByNorm, ClipByValue, by_norm_, by_value_
from trimtab.optim import SGD, Adam, RMSprop


def pair():
    torch.manual_seed(0)
    first = [nn.Parameter(torch.randn(4, 3)), nn.Parameter(torch.randn(3)), nn.Parameter(torch.randn(()))]
    second = [nn.Parameter(p.detach().clone()) for p in first]
    for p, q in zip(first, second, strict=True):
        p.grad = torch.randn_like(p)
        q.grad = p.grad.clone()
    return first, second


def gradient(p):
    assert p.grad is not None
    return p.grad


def groups(params):
    return [{"params": params[:1]}, {"params": params[1:]}]


@pytest.mark.parametrize("over", ["all", "group", "parameter"])
@pytest.mark.parametrize("kind", [SGD, RMSprop, Adam])
def test_by_norm_is_clipping_before_the_step(kind, over):
    inside, before = pair()
    optimizer, other = kind(groups(inside), lr=0.1, clip=ClipByNorm(0.5, over=over)), kind(groups(before), lr=0.1)
    for _ in range(3):
        given = [torch.clone(gradient(p)) for p in inside]
        norm = by_norm_(other.param_groups, 0.5, over=over)
        other.step()
        optimizer.step()
        torch.testing.assert_close(optimizer.grad_norm, norm, rtol=0, atol=0)
        for p, q, g in zip(inside, before, given, strict=True):
            torch.testing.assert_close(p, q, rtol=1e-6, atol=1e-7)
            assert torch.equal(gradient(p), g)
            q.grad = g


def test_a_short_gradient_steps_bit_for_bit_as_without_clipping():
    clipped, plain = pair()
    with_clip, without = Adam(clipped, clip=ClipByNorm(1e6)), Adam(plain)
    for _ in range(3):
        with_clip.step()
        without.step()
    assert all(torch.equal(p, q) for p, q in zip(clipped, plain, strict=True))


def test_by_value_is_clipping_before_the_step():
    inside, before = pair()
    optimizer, other = SGD(inside, lr=0.1, clip=ClipByValue(0.3)), SGD(before, lr=0.1)
    by_value_(before, 0.3)
    optimizer.step()
    other.step()
    assert all(torch.equal(p, q) for p, q in zip(inside, before, strict=True))
    assert optimizer.grad_norm is None


def test_clipping_comes_before_weight_decay():
    p = nn.Parameter(torch.tensor([10.0]))
    p.grad = torch.tensor([100.0])
    SGD([p], lr=1.0, weight_decay=0.1, clip=ClipByNorm(1.0)).step()
    assert p.item() == pytest.approx(10 - (1 + 0.1 * 10))


@pytest.mark.parametrize("scale", [1e-20, 1e-10, 1.0, 1e10, 1e20])
def test_the_clipped_step_at_any_scale(scale):
    p = nn.Parameter(torch.zeros(2))
    p.grad = torch.tensor([3.0, 4.0]) * scale
    optimizer = SGD([p], lr=1.0, clip=ClipByNorm(0.1 * scale))
    optimizer.step()
    torch.testing.assert_close(-p.detach() / scale, torch.tensor([0.06, 0.08]))
    assert optimizer.grad_norm is not None
    assert optimizer.grad_norm.item() == pytest.approx(5 * scale, rel=1e-6)


def test_an_overflowing_half_precision_norm():
    p = nn.Parameter(torch.zeros(1000, dtype=torch.float16))
    p.grad = torch.full((1000,), 60000.0, dtype=torch.float16)
    optimizer = SGD([p], lr=1.0, clip=ClipByNorm(1.0))
    optimizer.step()
    torch.testing.assert_close(p.detach().float(), torch.full((1000,), -(1000**-0.5)), rtol=1e-3, atol=0)


def test_the_last_norm_is_kept_until_the_next_and_there_is_none_before_the_first():
    (p, *_), _ = pair()
    optimizer = SGD([p], clip=ClipByNorm(1.0))
    assert optimizer.grad_norm is None
    optimizer.step()
    assert optimizer.grad_norm is not None and optimizer.grad_norm == gradient(p).double().norm()


def test_something_else_than_a_clip():
    with pytest.raises(TypeError, match="ClipByNorm"):
        SGD([nn.Parameter(torch.zeros(1))], clip=1.0)  # pyright: ignore[reportArgumentType]
