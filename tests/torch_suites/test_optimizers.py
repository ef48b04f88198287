"""torch's own configurations of its optimizers: ours give the same weights and state, step by step."""

from __future__ import annotations

import inspect

import pytest
import torch
from torch import nn

from trimtab import optim

pytest.importorskip("expecttest", reason="torch.testing._internal needs it")
from torch.testing._internal.common_optimizers import (
    OptimizerErrorEnum,
    OptimizerInfo,
    optim_db,
)

INFOS: dict[str, OptimizerInfo] = {info.name: info for info in optim_db if hasattr(optim, info.name)}
CONFIGURATIONS = [
    pytest.param(name, given.kwargs, id=f"{name}-{given.desc}")
    for name, info in INFOS.items()
    for given in info.optim_inputs_func(device="cpu")
]
DTYPES = [torch.float32, torch.float64, torch.complex64]


def test_all_four_are_found():
    assert sorted(INFOS) == ["Adam", "AdamW", "RMSprop", "SGD"]


def parameters(dtype):
    torch.manual_seed(0)
    made = [torch.randn(5, 3), torch.randn(4, 6)[:, ::2], torch.randn(()), torch.empty(0, 2), torch.randn(3, 5).T]
    return [nn.Parameter(x.to(dtype)) for x in made]


def gradients(params, step):
    torch.manual_seed(step + 1)
    for i, p in enumerate(params):
        p.grad = None if (i + step) % 4 == 3 else torch.randn_like(p) * 10.0 ** (step - 2)


@pytest.mark.usefixtures("on_torch_operations")
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize(("name", "kwargs"), CONFIGURATIONS)
def test_bit_for_bit_as_torchs_single_tensor_path(name, kwargs, dtype):
    ours, theirs = parameters(dtype), parameters(dtype)
    rounded = dtype.is_complex or isinstance(kwargs.get("lr"), torch.Tensor)  # torch steps complex SGD without pairs
    rtol, atol = (None, None) if rounded else (0, 0)
    mine = getattr(optim, name)(ours, **kwargs)
    reference = getattr(torch.optim, name)(theirs, foreach=False, **kwargs)
    for step in range(6):
        for params, optimizer in ((ours, mine), (theirs, reference)):
            gradients(params, step)
            optimizer.step()
        for p, q in zip(ours, theirs, strict=True):
            torch.testing.assert_close(p, q, rtol=rtol, atol=atol)
            assert mine.state.get(p, {}).keys() == reference.state.get(q, {}).keys()
            for key, value in reference.state.get(q, {}).items():
                torch.testing.assert_close(mine.state[p][key], value, rtol=rtol, atol=atol)


@pytest.mark.parametrize("name", INFOS)
def test_constructed_as_torchs(name):
    ours = inspect.signature(getattr(optim, name)).parameters
    theirs = inspect.signature(getattr(torch.optim, name)).parameters
    assert list(ours)[: len(theirs)] == list(theirs)
    assert all(ours[key].default == theirs[key].default for key in theirs)
    assert all(ours[key].kind is p.kind for key, p in theirs.items())
    p = nn.Parameter(torch.zeros(1))
    mine, reference = getattr(optim, name)([p]).param_groups[0], getattr(torch.optim, name)([p]).param_groups[0]
    assert reference.items() <= mine.items()


@pytest.mark.parametrize("name", INFOS)
def test_refused_as_torch_refuses(name):
    func = INFOS[name].optim_error_inputs_func
    assert func is not None
    for case in func(device="cpu", dtype=torch.float32):
        params, kwargs = case.optimizer_error_input.params, case.optimizer_error_input.kwargs
        assert case.error_on is OptimizerErrorEnum.CONSTRUCTION_ERROR
        if "with foreach" in case.optimizer_error_input.desc or kwargs.get("foreach"):
            getattr(optim, name)(
                [nn.Parameter(torch.zeros(1))], **kwargs
            )  # a hint here, which a tensor does not hinder
        elif issubclass(case.error_type, Warning):
            with pytest.warns(case.error_type, match=case.error_regex):
                getattr(optim, name)(params, **kwargs)
        else:
            with pytest.raises(case.error_type, match=case.error_regex):
                getattr(optim, name)(params, **kwargs)


@pytest.mark.parametrize("make", INFOS[next(iter(INFOS))].scheduler_inputs[0] if INFOS else [])
def test_schedulers_find_what_they_set(make):
    p = nn.Parameter(torch.ones(1))
    optimizer = optim.Adam([p], lr=0.1)
    scheduler = make(optimizer)
    p.grad = torch.ones(1)
    optimizer.step()
    scheduler.step(1.0) if isinstance(scheduler, torch.optim.lr_scheduler.ReduceLROnPlateau) else scheduler.step()
