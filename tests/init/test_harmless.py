"""Looking changes nothing: weights, buffers, gradients, mode, hooks, random states, the example."""

from __future__ import annotations

import copy
import pickle
import random
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

from trimtab.init import check, initialize, lsuv_


class Awkward(nn.Module):
    """Batch norm, dropout, noise, in-place work, a frozen layer, a counter in a buffer, checkpointing."""

    counter: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv1d(3, 8, 3), nn.BatchNorm1d(8)
        self.attention = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
        self.frozen = nn.Linear(8, 8).requires_grad_(False)
        self.out = nn.utils.parametrizations.spectral_norm(nn.Linear(8, 2))
        self.register_buffer("counter", torch.zeros(()), persistent=False)
        self.noise = nn.Dropout(0.5)

    def forward(self, x: Tensor) -> Tensor:
        self.counter = self.counter + 1
        x.mul_(0.5)
        x = F.relu_(self.norm(self.conv(x))).transpose(1, 2)
        x = x + 0.01 * torch.randn_like(x) + 0.01 * random.random() + 0.01 * float(np.random.rand())
        x = F.dropout(self.noise(self.attention(x)), 0.5)
        return self.out(checkpoint(lambda y: torch.tanh(self.frozen(y)), x, use_reentrant=False))  # type: ignore[arg-type]


def _state(model: nn.Module) -> list[object]:
    return [
        [(n, p.detach().clone(), p.requires_grad, p.grad) for n, p in model.named_parameters()],
        [(n, b.clone(), id(b)) for n, b in model.named_buffers()],
        [(n, m.training, len(m._forward_hooks), len(m._forward_pre_hooks)) for n, m in model.named_modules()],
    ]


def _same(a: object, b: object) -> bool:
    if isinstance(a, Tensor):
        return isinstance(b, Tensor) and torch.equal(a, b)
    if isinstance(a, (list, tuple)):
        return isinstance(b, (list, tuple)) and len(a) == len(b) and all(map(_same, a, b))
    return a is b or a == b


def _randomness() -> list[object]:
    return [torch.get_rng_state(), random.getstate(), np.random.get_state()[1].tolist()]  # type: ignore[index, union-attr]


@pytest.mark.parametrize("training", [True, False])
def test_check_leaves_everything_as_it_was(training: bool) -> None:
    model = Awkward().train(training)
    model.out.eval()
    example = torch.randn(6, 3, 10)
    model(example.clone()).sum().backward()
    state, randomness, given = _state(model), _randomness(), example.clone()
    fast = torch.backends.mha.get_fastpath_enabled()
    found = check(model, example)
    assert _same(_state(model), state) and _same(_randomness(), randomness) and torch.equal(example, given)
    assert torch.backends.mha.get_fastpath_enabled() == fast
    assert str(check(model, example)) == str(found)  # its noise is the same each time
    assert [row.name for row in found.layers][:3] == ["conv", "attention.self_attn", "attention.linear1"]


@pytest.mark.parametrize("measure", [check, lsuv_])
def test_embeddings_that_shorten_their_rows_keep_them(measure: Any) -> None:
    for table in (nn.Embedding(9, 4, max_norm=0.5), nn.EmbeddingBag(9, 4, max_norm=0.5)):
        model: Any = nn.Sequential(table, nn.Linear(4, 2))
        before = table.weight.detach().clone()
        measure(model, torch.arange(9).reshape(3, 3))
        assert torch.equal(table.weight, before)


@pytest.mark.parametrize("measure", [check, initialize, lsuv_])
def test_a_failure_leaves_everything_but_weights_as_it_was(measure) -> None:  # type: ignore[no-untyped-def]
    model = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4), nn.Dropout(), nn.Linear(5, 2))
    state, randomness = _state(model)[1:], _randomness()
    with pytest.raises(RuntimeError, match="layer '3'"):
        measure(model, torch.randn(6, 4, generator=torch.Generator().manual_seed(0)))
    assert _same(_state(model)[1:], state) and _same(_randomness(), randomness)
    assert all(p.requires_grad for p in model.parameters())


def test_initialize_with_a_generator_leaves_gradients_mode_and_randomness() -> None:
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Dropout(), nn.Linear(8, 2)).eval()
    example = torch.randn(16, 4)
    model(example).sum().backward()
    gradients = [p.grad for p in model.parameters()]
    randomness = _randomness()
    report = initialize(model, example, generator=torch.Generator().manual_seed(0))
    assert all(a is p.grad for a, p in zip(gradients, model.parameters(), strict=True))
    assert not model.training and _same(_randomness(), randomness)
    assert pickle.loads(pickle.dumps(report)).layers == report.layers
    copy.deepcopy(model)


def test_buffers_but_running_estimates_are_left_by_lsuv() -> None:
    model = Awkward()
    state = _state(model)[1:]
    lsuv_(model, torch.randn(6, 3, 10, generator=torch.Generator().manual_seed(0)))
    assert _same(_state(model)[1:], state)


def test_no_grad_and_inference_mode_around() -> None:
    model = nn.Sequential(nn.Linear(4, 8), nn.GELU(), nn.Linear(8, 2))
    expected = str(check(model, torch.ones(3, 4)))
    with torch.no_grad():
        assert str(check(model, torch.ones(3, 4))) == expected
    with torch.inference_mode():
        assert str(check(model, torch.ones(3, 4))) == expected


def test_compiled_and_parallel_models_stand_for_what_they_wrap() -> None:
    inner = nn.Sequential(nn.Linear(4, 8), nn.GELU(), nn.Linear(8, 2))
    expected = str(check(inner, torch.ones(3, 4)))
    compiled: Any = torch.compile(inner, backend="eager")
    assert str(check(compiled, torch.ones(3, 4))) == expected
    assert str(check(nn.DataParallel(inner), torch.ones(3, 4))) == expected
    part = nn.Sequential(compiled, nn.ReLU())
    assert [row.activation for row in check(part, torch.ones(3, 4)).layers] == ["gelu", "relu"]


def test_reentrant_checkpoints_are_said_to_hide_the_gradient() -> None:
    class Reentrant(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b, self.c = nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(4, 2)

        def forward(self, x: Tensor) -> Tensor:
            return self.c(checkpoint(lambda y: F.relu(self.b(y)), self.a(x), use_reentrant=True))  # type: ignore[arg-type]

    found = check(Reentrant(), torch.ones(3, 4))
    assert found.problems == ("no gradient was measured: checkpoint with use_reentrant=False",)
    assert [row.activation for row in found.layers] == ["linear", "relu", "linear"]
