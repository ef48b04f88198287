"""Watching changes nothing: bitwise the same training, no hook left, nothing kept alive, no synchronisation."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import pytest
import torch
import torch.optim.optimizer as torch_optimizer
from torch import nn
from torch.nn.modules import module as nn_module
from torch.utils._python_dispatch import TorchDispatchMode

from tests.watching.programs import PROGRAMS, Program
from trimtab.watching import MaxSteps, Watcher

STEPS = 36  # past the dense start of 30, so that hooks are taken off and put on again


def run(program: Program, watched: bool) -> list[torch.Tensor]:
    torch.manual_seed(3)
    watcher = Watcher(budget=100) if watched else None
    if watcher is not None:
        watcher.start()
    results = program(STEPS)
    if watcher is not None:
        watcher.stop()
        events = [event for event in watcher.trace().events if event.data.get("reason") == "watcher"]
        assert not events, events
        assert watcher.trace().series
    return [*results, torch.rand(4)]


@pytest.mark.parametrize("name", PROGRAMS)
def test_training_is_bitwise_the_same(name: str) -> None:
    plain, watched = run(PROGRAMS[name], watched=False), run(PROGRAMS[name], watched=True)
    assert len(plain) == len(watched)
    for a, b in zip(plain, watched, strict=True):
        assert a.dtype == b.dtype
        assert torch.equal(a.nan_to_num(7.0), b.nan_to_num(7.0)) if not a.is_complex() else torch.equal(a, b)


def state_of_torch() -> list[Any]:
    return [
        torch.autograd.backward,
        torch.autograd.grad,
        torch.optim.Optimizer.__init__,
        torch.amp.GradScaler.scale,
        dict(nn_module._global_forward_hooks),
        dict(nn_module._global_forward_pre_hooks),
        dict(torch_optimizer._global_optimizer_pre_hooks),
        dict(torch_optimizer._global_optimizer_post_hooks),
    ]


def test_no_hook_is_left() -> None:
    before = state_of_torch()
    watcher = Watcher().start()
    assert state_of_torch() != before
    PROGRAMS["mlp"](3)
    watcher.stop()
    assert state_of_torch() == before


def test_no_hook_is_left_when_the_block_raises() -> None:
    before = state_of_torch()
    with pytest.raises(ZeroDivisionError), Watcher():
        PROGRAMS["mlp"](2)
        _ = 1 / 0
    assert state_of_torch() == before


def test_two_watchers_may_end_in_any_order() -> None:
    before = state_of_torch()
    first, second = Watcher().start(), Watcher().start()
    PROGRAMS["mlp"](2)
    first.stop()
    PROGRAMS["mlp"](2)
    second.stop()
    PROGRAMS["mlp"](1)
    assert (first.steps, second.steps) == (2, 4)
    assert state_of_torch() == before


def test_hooks_on_modules_are_only_there_on_looks() -> None:
    watcher = Watcher(budget=0).start()
    armed = [bool(nn_module._global_forward_hooks)]
    PROGRAMS["mlp"](31)
    armed.append(bool(nn_module._global_forward_hooks))
    watcher.stop()
    assert armed == [True, False]


def test_nothing_keeps_activations_or_the_model_alive() -> None:
    watcher = Watcher().start()
    model = nn.Sequential(nn.Linear(8, 16), nn.Tanh(), nn.Linear(16, 1))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    hidden = model[1](model[0](torch.randn(4, 8)))
    loss = model[2](hidden).sum()
    loss.backward()
    optimizer.step()
    watched = [weakref.ref(thing) for thing in (hidden, loss, model, optimizer)]
    del hidden, loss, model, optimizer
    gc.collect()
    assert [reference() for reference in watched] == [None] * len(watched)
    watcher.stop()


class NoSync(TorchDispatchMode):
    """Fails on what would wait for a device: reading a value on the host."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func in (torch.ops.aten._local_scalar_dense.default, torch.ops.aten.equal.default):
            raise AssertionError(f"{func} waits for the device")
        return func(*args, **(kwargs or {}))


def test_no_synchronisation_in_a_look(monkeypatch: pytest.MonkeyPatch) -> None:
    watcher = Watcher().start()
    # On the CPU reading the loss waits for nothing; here it is treated as on a GPU.
    for module in ("buffer", "losses", "probes.leftovers", "probes.units"):
        monkeypatch.setattr(f"trimtab.watching.{module}.on_host", lambda value: False)
    model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 3))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with NoSync():
        for _ in range(3):
            loss = model(torch.randn(4, 8)).square().mean()
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
    watcher.stop()
    assert not [e for e in watcher.trace().events if e.kind == "unseen"]
    assert watcher.steps == 3


def test_an_error_of_our_own_ends_the_watching_not_the_training(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: Any) -> None:
        raise RuntimeError("broken probe")

    watcher = Watcher()
    monkeypatch.setattr(watcher._look, "survey", broken)
    watcher.start()
    losses = PROGRAMS["mlp"](3)
    watcher.stop()
    assert len(losses) > 3
    (event,) = [e for e in watcher.trace().events if e.kind == "unseen"]
    assert "broken probe" in str(event.data["what"])


def test_errors_of_the_script_pass_through_and_watching_goes_on() -> None:
    watcher = Watcher().start()
    model = nn.Linear(2, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    loss = model(torch.randn(3, 2)).sum()
    loss.backward()
    with pytest.raises(RuntimeError, match="second time"):
        loss.backward()
    with pytest.raises(RuntimeError, match="shapes"):
        model(torch.randn(3, 5))
    optimizer.step()
    model(torch.randn(3, 2)).sum().backward()
    optimizer.step()
    watcher.stop()
    assert watcher.steps == 2
    assert not [e for e in watcher.trace().events if e.kind == "unseen"]


def test_max_steps_ends_a_block_quietly() -> None:
    with Watcher(max_steps=4) as watcher:
        PROGRAMS["mlp"](100)
    assert watcher.steps == 4
    assert watcher.trace().meta["ended"] == "max-steps"
    assert issubclass(MaxSteps, SystemExit)
