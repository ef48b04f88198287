"""Gradients that are measured while backward runs: the norm is that of the gradients that the step reads."""

from __future__ import annotations

import copy
import gc
import weakref

import pytest
import torch
from torch import nn

from trimtab.clip import ClipByNorm
from trimtab.kernels import measurement, native
from trimtab.optim import Adam

pytestmark = pytest.mark.skipif(not native.available(), reason=native.why_not())


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Tensors of any size are measured."""
    monkeypatch.setattr(measurement, "LEAST", 1)


@pytest.fixture
def measured(monkeypatch):
    """The squares that a step did not have to compute, as far as they are known."""
    known = []
    norms = native_norms()

    def spy(table, squares=()):
        known.append([s == s for s in squares])
        return norms(table, squares)

    monkeypatch.setattr("trimtab.kernels.step.StepTable.norms", spy)
    return known


def native_norms():
    from trimtab.kernels.step import StepTable

    return StepTable.norms


def model(dtype=torch.float32):
    torch.manual_seed(0)
    shared = nn.Linear(6, 6)
    return nn.Sequential(shared, nn.Tanh(), shared, nn.Linear(6, 3), nn.Tanh(), nn.Linear(3, 1)).to(dtype)


def norm_of(net):
    return torch.cat([p.grad.double().flatten() for p in net.parameters()]).norm()


def trained(net, measures, steps=3, change=lambda net: None, backwards=1):
    """The optimizer, and whether its norm was that of the gradients as they were at the step."""
    optimizer = Adam(net.parameters(), lr=0.01, clip=ClipByNorm(0.1))
    if measures:
        optimizer.measure_in_backward()
    dtype = next(net.parameters()).dtype
    for t in range(steps):
        optimizer.zero_grad()
        for i in range(backwards):
            torch.manual_seed(10 * t + i)
            net(torch.randn(5, 6, dtype=dtype)).square().sum().backward()
        change(net)
        optimizer.step()
        torch.testing.assert_close(optimizer.grad_norm, norm_of(net), rtol=1e-12, atol=0)
    return optimizer


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float64])
@pytest.mark.parametrize("backwards", [1, 3])
def test_the_step_is_the_same(measured, dtype, backwards):
    ours, theirs = model(dtype), model(dtype)
    trained(ours, measures=True, backwards=backwards)
    expected = [True] * 6 if dtype != torch.float64 else []
    assert measured[-1] == expected
    trained(theirs, measures=False, backwards=backwards)
    torch.testing.assert_close(list(ours.parameters()), list(theirs.parameters()))


CHANGES = {
    "in place": lambda g: g.mul_(2),
    "behind autograd's back": lambda g: g.data.mul_(2),
    "clamped behind its back": lambda g: g.data.clamp_(-1e-3, 1e-3),
    "by numpy": lambda g: g.numpy().__imul__(2),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_gradient_that_was_changed_is_measured_anew(measured, change):
    trained(model(), measures=True, change=lambda net: CHANGES[change](net[3].weight.grad))
    assert measured[-1] == [True, True, False, True, True, True]


def test_a_gradient_that_was_replaced_is_measured_anew(measured):
    def replace(net):
        net[3].weight.grad = net[3].weight.grad + 1

    trained(model(), measures=True, change=replace)
    assert measured[-1] == [True, True, False, True, True, True]


def test_of_small_tensors_nothing_is_known(measured, monkeypatch):
    monkeypatch.setattr(measurement, "LEAST", 10**6)
    trained(model(), measures=True)
    assert measured[-1] == []


def test_it_ends(measured):
    net = model()
    optimizer = Adam(net.parameters(), clip=ClipByNorm(0.1))
    measuring = optimizer.measure_in_backward()
    assert optimizer.measure_in_backward() is not measuring
    assert all(len(p._post_accumulate_grad_hooks) == 1 for p in net.parameters())
    optimizer.measure_in_backward().remove()
    assert not any(p._post_accumulate_grad_hooks for p in net.parameters())


def test_gradients_are_let_go_of():
    net = model()
    optimizer = trained(net, measures=True)
    gradient = weakref.ref(net[0].weight.grad)
    optimizer.zero_grad()
    gc.collect()
    assert gradient() is None


def test_it_lasts_through_load_state_dict_and_not_into_a_copy(measured):
    net = model()
    optimizer = trained(net, measures=True)
    optimizer.load_state_dict(optimizer.state_dict())
    net(torch.randn(5, 6)).sum().backward()
    optimizer.step()
    assert measured[-1] == [True] * 6
    assert copy.deepcopy(optimizer)._measuring is None
