"""torch's own inputs for its normalisation layers: ours give the same outputs, gradients and estimates."""

from __future__ import annotations

import copy
import inspect
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from trimtab.nn.conversion import TO_TRIMTAB

pytest.importorskip("expecttest", reason="torch.testing._internal needs it")
from torch.testing._internal.common_modules import ModuleErrorEnum, ModuleInfo, ModuleInput, module_db

INFOS: dict[Any, ModuleInfo] = {info.module_cls: info for info in module_db if info.module_cls in TO_TRIMTAB}
MODES = [
    pytest.param(torchs, training, dtype, id=f"{torchs.__name__}-{'train' if training else 'eval'}-{dtype}")
    for torchs in INFOS
    for training in (True, False)
    for dtype in (torch.float32, torch.float64)
]


def inputs(torchs: Any, training: bool, dtype: torch.dtype) -> list[ModuleInput]:
    torch.manual_seed(0)
    info = INFOS[torchs]
    return info.module_inputs_func(info, device="cpu", dtype=dtype, requires_grad=False, training=training)


def pair(torchs: Any, given: ModuleInput, training: bool, dtype: torch.dtype) -> tuple[nn.Module, nn.Module]:
    """Ours and torch's, made with the same arguments, in the same state."""
    args, options = given.constructor_input.args, given.constructor_input.kwargs
    mine, theirs = TO_TRIMTAB[torchs](*args, **options), torchs(*args, **options)
    for parameter in theirs.parameters():
        nn.init.uniform_(parameter, 0.5, 1.5)
    mine.load_state_dict(theirs.state_dict())
    return mine.to(dtype).train(training), theirs.to(dtype).train(training)


def test_all_but_the_synchronized_are_in_torchs_table() -> None:
    assert set(INFOS) == set(TO_TRIMTAB) - {nn.SyncBatchNorm}


@pytest.mark.parametrize(("torchs", "training", "dtype"), MODES)
def test_outputs_gradients_and_estimates_are_torchs(torchs: Any, training: bool, dtype: torch.dtype) -> None:
    for given in inputs(torchs, training, dtype):
        assert given.forward_input is not None
        x = given.forward_input.args[0]
        dy = torch.randn_like(x)
        found = []
        for layer in pair(torchs, given, training, dtype):
            leaf = x.clone().requires_grad_()
            y = layer(leaf)
            y.backward(dy)
            found.append([y, leaf.grad, *(p.grad for p in layer.parameters()), *_estimates(layer)])
        for mine, theirs in zip(*found, strict=True):
            torch.testing.assert_close(mine, theirs, rtol=1e-5, atol=1e-5, msg=lambda m, d=given.desc: f"{d}: {m}")


def _estimates(layer: nn.Module) -> list[Tensor]:
    """Without the count: ours leaves out an empty batch, as its mean over batches must."""
    return [buffer for name, buffer in layer.named_buffers() if name != "num_batches_tracked"]


@pytest.mark.parametrize(("torchs", "training", "dtype"), MODES)
def test_state_is_exchanged_both_ways(torchs: Any, training: bool, dtype: torch.dtype) -> None:
    for given in inputs(torchs, training, dtype):
        assert given.forward_input is not None
        mine, theirs = pair(torchs, given, training, dtype)
        mine(given.forward_input.args[0])
        theirs.load_state_dict(mine.state_dict())
        again = copy.deepcopy(mine)
        again.load_state_dict(theirs.state_dict())
        assert all(torch.equal(value, mine.state_dict()[name]) for name, value in again.state_dict().items())


@pytest.mark.parametrize("torchs", INFOS)
def test_refused_as_torch_refuses(torchs: Any) -> None:
    info = INFOS[torchs]
    if info.module_error_inputs_func is None:
        pytest.skip("torch's table has no bad input for it")
    for case in info.module_error_inputs_func(
        info, device="cpu", dtype=torch.float32, requires_grad=False, training=True
    ):
        assert case.error_on == ModuleErrorEnum.FORWARD_ERROR
        given = case.module_error_input
        layer = TO_TRIMTAB[torchs](*given.constructor_input.args, **given.constructor_input.kwargs)
        with pytest.raises(case.error_type, match=case.error_regex):
            layer(*given.forward_input.args)


@pytest.mark.parametrize("torchs", TO_TRIMTAB)
def test_constructed_as_torchs(torchs: Any) -> None:
    ours, theirs = (inspect.signature(each.__init__).parameters for each in (TO_TRIMTAB[torchs], torchs))
    assert all(ours[name].default == parameter.default for name, parameter in theirs.items())
    assert all(ours[name].kind is parameter.kind for name, parameter in theirs.items())
    positional = [name for name, p in theirs.items() if p.kind is not p.KEYWORD_ONLY]
    assert list(ours)[: len(positional)] == positional
    size = 3
    assert repr(TO_TRIMTAB[torchs](size)) == repr(torchs(size))
