"""Through `torch.distributed.checkpoint`, which keeps states and groups and nothing beside them."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn
from torch.distributed.checkpoint.state_dict import (
    StateDictOptions,
    get_optimizer_state_dict,
    set_optimizer_state_dict,
)
from torch.distributed.checkpoint.state_dict_loader import load
from torch.distributed.checkpoint.state_dict_saver import save

from trimtab.average import EMA
from trimtab.optim import SGD, Adam

# of torch's own making, in one process and on the CPU
pytestmark = [
    pytest.mark.filterwarnings("ignore::UserWarning:torch.distributed"),
    pytest.mark.filterwarnings("ignore::FutureWarning:torch.distributed"),
    pytest.mark.filterwarnings("ignore:TypedStorage is deprecated:UserWarning"),
]


def trained(steps=4):
    """A model, and its optimizer with one step left out."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 1))
    groups = [{"params": list(model[0].parameters()), "lr": 0.05}, {"params": list(model[1].parameters())}]
    optimizer = Adam(groups, lr=0.1, average=EMA(0.9), on_nonfinite="skip")
    for step in range(steps):
        for p in model.parameters():
            p.grad = torch.full_like(p, torch.nan) if step == 1 else torch.randn_like(p)
        optimizer.step()
    return model, optimizer


def same(first, second):
    """The averages, states and counts of two pairs of model and optimizer."""
    for (_, p), (_, q) in zip(first[0].named_parameters(), second[0].named_parameters(), strict=True):
        assert first[1].state[p].keys() == second[1].state[q].keys()
        for key, value in first[1].state[p].items():
            torch.testing.assert_close(second[1].state[q][key], value, rtol=0, atol=0)
    assert [group["lr"] for group in second[1].param_groups] == [0.05, 0.1]
    assert second[1].skipped_steps == first[1].skipped_steps == 1


@pytest.mark.parametrize("flat", [False, True])
def test_states_averages_and_the_count_come_through(flat):
    options = StateDictOptions(flatten_optimizer_state_dict=flat)
    model, optimizer = trained()
    state = copy.deepcopy(get_optimizer_state_dict(model, optimizer, options=options))
    fresh, other = trained(steps=0)
    set_optimizer_state_dict(fresh, other, state, options=options)
    same((model, optimizer), (fresh, other))


@pytest.mark.parametrize("flat", [False, True])
def test_and_through_its_files(tmp_path, flat):
    options = StateDictOptions(flatten_optimizer_state_dict=flat)
    model, optimizer = trained()
    save({"optimizer": get_optimizer_state_dict(model, optimizer, options=options)}, checkpoint_id=tmp_path)
    fresh, other = trained(steps=0)
    state = {"optimizer": get_optimizer_state_dict(fresh, other, options=options)}
    load(state, checkpoint_id=tmp_path)
    set_optimizer_state_dict(fresh, other, state["optimizer"], options=options)
    same((model, optimizer), (fresh, other))


def test_the_count_goes_to_torchs_optimizer_and_back():
    p, q = nn.Parameter(torch.ones(1)), nn.Parameter(torch.ones(1))
    ours, theirs, again = SGD([p], on_nonfinite="skip"), torch.optim.SGD([q]), SGD([p])
    p.grad = torch.full((1,), torch.nan)
    ours.step()
    theirs.load_state_dict(ours.state_dict())
    q.grad = torch.ones(1)
    theirs.step()
    again.load_state_dict(theirs.state_dict())
    assert again.skipped_steps == 1


def test_a_state_that_tells_of_none_begins_at_none():
    p = nn.Parameter(torch.ones(1))
    optimizer = SGD([p], on_nonfinite="skip")
    p.grad = torch.full((1,), torch.nan)
    optimizer.step()
    optimizer.load_state_dict(torch.optim.SGD([p]).state_dict())
    assert optimizer.skipped_steps == 0


def test_a_group_that_comes_later_does_not_lower_the_count():
    p = nn.Parameter(torch.ones(1))
    optimizer = SGD([p], on_nonfinite="skip")
    p.grad = torch.full((1,), torch.nan)
    optimizer.step()
    optimizer.add_param_group({"params": [nn.Parameter(torch.ones(1))]})
    assert optimizer.skipped_steps == 1
    optimizer.step()
    assert optimizer.skipped_steps == 2
