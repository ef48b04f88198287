"""States: ours to torch's and back, older formats, short floats, copies."""

from __future__ import annotations

import copy
import io
import pickle

import pytest
import torch
from torch import nn

from trimtab.average import EMA
from trimtab.clip import ClipByNorm
from trimtab.optim import SGD, Adam, AdamW, RMSprop

CASES = [
    (SGD, {}),
    (SGD, {"momentum": 0.9, "nesterov": True, "weight_decay": 0.1}),
    (RMSprop, {"momentum": 0.9, "centered": True}),
    (Adam, {"weight_decay": 0.1}),
    (Adam, {"amsgrad": True, "maximize": True}),
    (AdamW, {}),
]
each = pytest.mark.parametrize(("kind", "options"), CASES, ids=lambda x: getattr(x, "__name__", str(x)))


def make(kind, options, dtype=torch.float32):
    torch.manual_seed(0)
    params = [nn.Parameter(torch.randn(3, 2, dtype=dtype)), nn.Parameter(torch.randn(3, dtype=dtype))]
    return params, kind([{"params": params[:1], "lr": 0.05}, {"params": params[1:]}], lr=0.1, **options)


def train(params, optimizer, steps=3, seed=0):
    torch.manual_seed(seed)
    for _ in range(steps):
        for p in params:
            p.grad = torch.randn_like(p)
        optimizer.step()


def through_a_file(state):
    file = io.BytesIO()
    torch.save(state, file)
    file.seek(0)
    return torch.load(file, weights_only=True)


def theirs_of(kind):
    return getattr(torch.optim, kind.__name__)


@pytest.mark.usefixtures("on_torch_operations")
@each
@pytest.mark.parametrize("from_torch", [True, False])
def test_training_goes_on_in_the_other_library(kind, options, from_torch):
    first, second = (theirs_of(kind), kind) if from_torch else (kind, theirs_of(kind))
    params, optimizer = make(first, options)
    train(params, optimizer)
    moved, other = make(second, options)
    other.load_state_dict(through_a_file(optimizer.state_dict()))
    with torch.no_grad():
        for p, q in zip(params, moved, strict=True):
            q.copy_(p)
    train(params, optimizer, seed=1)
    train(moved, other, seed=1)
    for p, q in zip(params, moved, strict=True):
        assert torch.equal(p, q)


@each
def test_there_and_back_is_the_same(kind, options):
    params, optimizer = make(kind, options)
    train(params, optimizer)
    _, other = make(kind, options)
    other.load_state_dict(through_a_file(optimizer.state_dict()))
    assert str(other.state_dict()) == str(optimizer.state_dict())


@each
def test_options_and_state_of_older_formats(kind, options):
    params, optimizer = make(theirs_of(kind), options)
    train(params, optimizer)
    state = copy.deepcopy(optimizer.state_dict())
    for group in state["param_groups"]:
        for key in ("foreach", "fused", "capturable", "differentiable", "decoupled_weight_decay", "maximize"):
            group.pop(key, None)
    for kept in state["state"].values():
        if "step" in kept:
            kept["step"] = int(kept["step"])
    moved, other = make(kind, options)
    other.load_state_dict(state)
    train(moved, other, steps=1)
    if kind is not SGD:
        assert other.state[moved[0]]["step"] == 4
    assert other.param_groups[0]["maximize"] is options.get("maximize", False)
    assert all(group.get("decoupled_weight_decay") is (kind is AdamW) for group in other.param_groups)


def test_adamw_decays_beside_the_step_whatever_a_state_says():
    _, adam = make(Adam, {})
    _, adamw = make(AdamW, {})
    adamw.load_state_dict(adam.state_dict())
    assert all(group["decoupled_weight_decay"] for group in adamw.param_groups)


def test_a_momentum_buffer_that_is_none():
    params, optimizer = make(SGD, {"momentum": 0.9})
    state = optimizer.state_dict()
    state["state"] = {0: {"momentum_buffer": None}, 1: {"momentum_buffer": None}}
    optimizer.load_state_dict(state)
    train(params, optimizer, steps=1)
    assert params[0].grad is not None
    assert torch.equal(optimizer.state[params[0]]["momentum_buffer"], params[0].grad)


def test_a_group_keeps_its_own_options_where_the_state_is_silent():
    p, q = nn.Parameter(torch.ones(1)), nn.Parameter(torch.ones(1))
    optimizer = Adam([{"params": [p]}, {"params": [q], "eps_inside_sqrt": True}])
    theirs = torch.optim.Adam([{"params": [p]}, {"params": [q], "lr": 0.5}])
    optimizer.load_state_dict(theirs.state_dict())
    assert [group["eps_inside_sqrt"] for group in optimizer.param_groups] == [False, True]
    assert [group["lr"] for group in optimizer.param_groups] == [1e-3, 0.5]


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_short_parameters_keep_float32_state_through_a_file(dtype):
    params, optimizer = make(Adam, {"average": EMA(0.9)}, dtype)
    train(params, optimizer, steps=5)
    moved, other = make(Adam, {"average": EMA(0.9)}, dtype)
    other.load_state_dict(through_a_file(optimizer.state_dict()))
    for p, q in zip(params, moved, strict=True):
        for key in ("exp_avg", "exp_avg_sq", "average"):
            assert other.state[q][key].dtype == torch.float32
            assert torch.equal(other.state[q][key], optimizer.state[p][key])
        assert other.state[q]["average_step"] == 5


def test_a_bfloat16_state_of_torch_is_continued_in_float32():
    params, theirs = make(torch.optim.Adam, {}, torch.bfloat16)
    train(params, theirs)
    moved, ours = make(Adam, {}, torch.bfloat16)
    ours.load_state_dict(theirs.state_dict())
    kept = ours.state[moved[0]]["exp_avg"]
    assert kept.dtype == torch.float32
    assert torch.equal(kept, theirs.state[params[0]]["exp_avg"].float())


def test_what_is_loaded_shares_no_memory():
    params, optimizer = make(Adam, {"average": EMA(0.9)})
    train(params, optimizer)
    state = optimizer.state_dict()
    before = copy.deepcopy(state)
    moved, other = make(Adam, {"average": EMA(0.9)})
    other.load_state_dict(state)
    train(moved, other)
    assert str(state) == str(before)


def test_a_users_hooks_see_tensors_and_may_change_the_state():
    params, optimizer = make(Adam, {})
    train(params, optimizer)
    seen = []

    def double(_, state):
        seen.extend(type(value) for value in state["state"][0].values())
        state["state"] = {k: {**v, "exp_avg": 2 * v["exp_avg"]} for k, v in state["state"].items()}
        return state

    moved, other = make(Adam, {})
    other.register_load_state_dict_pre_hook(double)
    after = []
    other.register_load_state_dict_post_hook(lambda o: after.append(type(o.state[moved[0]]["exp_avg"])))
    for _ in range(2):
        other.load_state_dict(optimizer.state_dict())
    assert set(seen) == set(after) == {torch.Tensor}
    torch.testing.assert_close(other.state[moved[0]]["exp_avg"], 2 * optimizer.state[params[0]]["exp_avg"])


def test_a_state_that_does_not_fit_changes_nothing():
    _, optimizer = make(Adam, {"on_nonfinite": "skip"})
    state = SGD([nn.Parameter(torch.zeros(1))]).state_dict()
    state["param_groups"][0]["skipped_steps"] = 7
    with pytest.raises(ValueError, match="parameter groups"):
        optimizer.load_state_dict(state)
    assert optimizer.skipped_steps == 0
    assert len(optimizer._optimizer_load_state_dict_pre_hooks) == 0


def test_the_count_of_skipped_steps_is_kept():
    params, optimizer = make(SGD, {"on_nonfinite": "skip"})
    params[0].grad = torch.full((3, 2), torch.nan)
    optimizer.step()
    _, other = make(SGD, {})
    other.load_state_dict(through_a_file(optimizer.state_dict()))
    assert other.skipped_steps == 1
    theirs = make(torch.optim.SGD, {})[1]
    theirs.load_state_dict(optimizer.state_dict())


@pytest.mark.parametrize("copier", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))], ids=["deepcopy", "pickle"])
def test_copies_go_on_alike(copier):
    options = {"clip": ClipByNorm(1.0), "average": EMA(0.9), "on_nonfinite": "skip"}
    params, optimizer = make(Adam, options)
    train(params, optimizer)
    copied_params, copied = copier((params, optimizer))
    train(params, optimizer, seed=1)
    train(copied_params, copied, seed=1)
    for p, q in zip(params, copied_params, strict=True):
        assert p is not q and torch.equal(p, q)
    assert str(copied.state_dict()) == str(optimizer.state_dict())
    assert copied.grad_norm is not None and copied.grad_norm == optimizer.grad_norm
    assert repr(copied) == repr(optimizer)
