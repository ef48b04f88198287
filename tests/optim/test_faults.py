"""What happens to tensors between steps: the step is right, or says what is wrong, and never reads what is gone."""

from __future__ import annotations

import os
import signal
import threading

import pytest
import torch
from torch import nn

from trimtab.average import EMA
from trimtab.clip import ClipByNorm
from trimtab.kernels import native
from trimtab.optim import Adam
from trimtab.optim.descent import OnNonfinite

pytestmark = pytest.mark.skipif(not native.available(), reason=native.why_not())


def made(seed: int = 0, on_nonfinite: OnNonfinite = "pass") -> tuple[list[nn.Parameter], Adam]:
    draw = torch.Generator().manual_seed(seed)
    params = [nn.Parameter(torch.randn(n, generator=draw)) for n in (70_000, 5, 300)]
    return params, Adam(params, lr=0.1, clip=ClipByNorm(1.0), average=EMA(0.9), on_nonfinite=on_nonfinite)


def stepped(params: list[nn.Parameter], optimizer: Adam, steps: int, seed: int = 1) -> list[torch.Tensor]:
    """The parameters after steps with gradients of their own, each a new tensor."""
    draw = torch.Generator().manual_seed(seed)
    for _ in range(steps):
        for p in params:
            p.grad = torch.randn(p.shape, generator=draw)
        optimizer.step()
    return [p.detach().clone() for p in params]


def without_core(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native, "available", lambda: False)


@pytest.mark.parametrize("freed", ["param", "grad", "exp_avg", "average"])
@pytest.mark.parametrize("on_nonfinite", ["pass", "skip"])
def test_memory_that_was_freed_is_not_read(freed, on_nonfinite):
    params, optimizer = made(on_nonfinite=on_nonfinite)
    stepped(params, optimizer, 2)
    for p in params:
        p.grad = torch.ones_like(p)
    before = params[1].detach().clone()
    x = {"param": params[2], "grad": params[2].grad}.get(freed)
    (optimizer.state[params[2]][freed] if x is None else x).untyped_storage().resize_(0)
    with pytest.raises(RuntimeError, match=r"parameter 2 cannot be stepped, .* was freed"):
        optimizer.step()
    assert torch.equal(params[1], before)


def test_a_parameter_that_was_resized_says_so():
    params, optimizer = made()
    stepped(params, optimizer, 2)
    params[1].data = torch.zeros(9)
    for p in params:
        p.grad = torch.ones_like(p)
    with pytest.raises(RuntimeError, match="size"):
        optimizer.step()


def test_a_parameter_that_moved_is_stepped_where_it_is(monkeypatch):
    results = []
    for core in (True, False):
        if not core:
            without_core(monkeypatch)
        params, optimizer = made()
        stepped(params, optimizer, 2)
        for p in params:
            p.data = p.data.clone()
        results.append(stepped(params, optimizer, 2))
    torch.testing.assert_close(*results)


def test_a_parameter_that_was_let_go_of_elsewhere_lives_as_long_as_its_optimizer():
    params, optimizer = made()
    expected = stepped(*made(), 3)
    stepped(params, optimizer, 2)
    draw = torch.Generator().manual_seed(1)
    grads = [[torch.randn(p.shape, generator=draw) for p in params] for _ in range(3)]
    del params
    for p, g in zip(optimizer.param_groups[0]["params"], grads[2], strict=True):
        p.grad = g
    optimizer.step()
    torch.testing.assert_close([p.detach() for p in optimizer.param_groups[0]["params"]], expected, rtol=0, atol=0)


def test_gradients_in_the_memory_of_others(monkeypatch):
    """One buffer for all, as DDP has them, and later the last gradients' memory in use by something else."""
    results = []
    for core in (True, False):
        if not core:
            without_core(monkeypatch)
        params, optimizer = made()
        stepped(params, optimizer, 2)
        buffer = torch.linspace(-1, 1, sum(p.numel() for p in params))
        for p, g in zip(params, buffer.split([p.numel() for p in params]), strict=True):
            p.grad = g
        optimizer.step()
        results.append(stepped(params, optimizer, 1))
    torch.testing.assert_close(*results)


@pytest.mark.parametrize("key", ["exp_avg", "average"])
def test_state_on_another_device_says_so(key):
    params, optimizer = made()
    stepped(params, optimizer, 2)
    state = optimizer.state[params[0]]
    state[key] = state[key].to("meta")
    with pytest.raises((RuntimeError, NotImplementedError), match=r"meta|device"):
        stepped(params, optimizer, 1)


def test_state_of_another_size_says_so():
    params, optimizer = made()
    stepped(params, optimizer, 2)
    optimizer.state[params[0]]["exp_avg"] = torch.zeros(7)
    with pytest.raises(RuntimeError, match="size"):
        stepped(params, optimizer, 1)


def test_state_that_was_loaded_is_stepped():
    params, optimizer = made()
    stepped(params, optimizer, 2)
    others, other = made()
    for p, q in zip(others, params, strict=True):
        p.data.copy_(q.data)
    stepped(others, other, 1, seed=5)
    for p, q in zip(others, params, strict=True):
        p.data.copy_(q.data)
    other.load_state_dict(optimizer.state_dict())
    expected = stepped(params, optimizer, 2, seed=2)
    torch.testing.assert_close(stepped(others, other, 2, seed=2), expected, rtol=0, atol=0)


def test_a_group_that_was_added_is_stepped(monkeypatch):
    results = []
    for core in (True, False):
        if not core:
            without_core(monkeypatch)
        params, optimizer = made()
        stepped(params, optimizer, 2)
        params.append(nn.Parameter(torch.ones(33)))
        optimizer.add_param_group({"params": params[-1:], "lr": 0.5})
        results.append(stepped(params, optimizer, 3))
    torch.testing.assert_close(*results)


def test_optimizers_in_threads_of_their_own():
    expected = [stepped(*made(seed), 20) for seed in range(4)]
    found: dict[int, list[torch.Tensor]] = {}
    threads = [threading.Thread(target=lambda s=seed: found.update({s: stepped(*made(s), 20)})) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for seed in range(4):
        torch.testing.assert_close(found[seed], expected[seed], rtol=0, atol=0)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_fork_after_the_first_step():
    """Parent and child go on, each by itself and both alike."""
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        expected = stepped(*made(), 2)
        params, optimizer = made()
        stepped(params, optimizer, 1)
        draw = torch.Generator().manual_seed(1)
        second = [[torch.randn(p.shape, generator=draw) for p in params] for _ in range(2)][1]
        for p, g in zip(params, second, strict=True):
            p.grad = g
        child = os.fork()
        optimizer_step(child, optimizer)
        alike = all((p.detach().numpy() == e.numpy()).all() for p, e in zip(params, expected, strict=True))
        if child == 0:
            os._exit(0 if alike else 1)  # by NumPy: torch's operations may wait for threads that are not there
        assert alike
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    finally:
        torch.set_num_threads(before)


def optimizer_step(child: int, optimizer: Adam) -> None:
    if child == 0:
        signal.alarm(20)  # rather than hang
    optimizer.step()
