"""The modules in the place of torch's: class, state, copies, options, messages."""

from __future__ import annotations

import copy
import io
import pickle
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import trimtab.nn.functional as F
from trimtab.nn import BatchNorm1d, BatchNorm2d, BatchNorm3d, LayerNorm, SyncBatchNorm

PAIRS = [
    (BatchNorm1d, nn.BatchNorm1d, (4, 3)),
    (BatchNorm1d, nn.BatchNorm1d, (4, 3, 5)),
    (BatchNorm2d, nn.BatchNorm2d, (4, 3, 5, 2)),
    (BatchNorm3d, nn.BatchNorm3d, (2, 3, 2, 2, 2)),
    (LayerNorm, nn.LayerNorm, (4, 3)),
]


def twins(ours: Any, torchs: Any, *args: Any, **options: Any) -> tuple[nn.Module, nn.Module]:
    """One layer of each with the same random parameters and estimates."""
    mine, theirs = ours(*args, **options), torchs(*args, **options)
    for tensor in (*theirs.parameters(), *(b for b in theirs.buffers() if b.is_floating_point())):
        nn.init.uniform_(tensor, 0.5, 1.5)
    mine.load_state_dict(theirs.state_dict())
    return mine, theirs


@pytest.mark.parametrize(("ours", "torchs", "shape"), PAIRS)
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_replacing_torchs_changes_nothing(
    ours: Any, torchs: Any, shape: tuple[int, ...], training: bool, dtype: torch.dtype
) -> None:
    torch.manual_seed(0)
    mine, theirs = twins(ours, torchs, 3 if len(shape) < 3 or ours is not LayerNorm else shape[1:], eps=1e-3)
    x, dy = torch.randn(shape).to(dtype), torch.randn(shape).to(dtype)
    results = []
    for layer in (mine.to(dtype).train(training), theirs.to(dtype).train(training)):
        given = x.clone().requires_grad_()
        y = layer(given)
        y.backward(dy)
        results.append([y, given.grad, *(p.grad for p in layer.parameters()), *layer.buffers()])
    tolerance = {torch.float64: 1e-12, torch.float32: 1e-5, torch.bfloat16: 4e-2}[dtype]
    for actual, expected in zip(*results, strict=True):
        torch.testing.assert_close(actual, expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize(("ours", "torchs", "shape"), PAIRS)
def test_state_goes_both_ways(ours: Any, torchs: Any, shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    mine, theirs = twins(ours, torchs, 3)
    assert list(mine.state_dict()) == list(theirs.state_dict())
    back = torchs(3)
    back.load_state_dict(mine.state_dict())
    x = torch.randn(shape) if ours is not LayerNorm else torch.randn(4, 3)
    torch.testing.assert_close(back.eval()(x), mine.eval()(x))


@pytest.mark.parametrize(
    "layer", [BatchNorm2d(3, variance="unbiased", single="running"), LayerNorm(3), SyncBatchNorm(3)]
)
def test_copies_and_pickles_compute_the_same_and_keep_the_options(layer: nn.Module) -> None:
    x = torch.randn(4, 3, 2, 3, generator=torch.Generator().manual_seed(0))
    layer(x)
    file = io.BytesIO()
    torch.save(layer, file)
    file.seek(0)
    for other in (
        copy.deepcopy(layer),
        pickle.loads(pickle.dumps(layer)),
        torch.load(file, weights_only=False),
    ):
        assert repr(other) == repr(layer)
        assert torch.equal(other(x), copy.deepcopy(layer)(x))


def test_they_are_torchs_classes_to_whoever_asks() -> None:
    assert isinstance(BatchNorm2d(3), nn.BatchNorm2d)
    assert isinstance(SyncBatchNorm(3), nn.modules.batchnorm._BatchNorm)
    assert isinstance(LayerNorm(3), nn.LayerNorm)


@pytest.mark.parametrize("make", [BatchNorm1d, SyncBatchNorm])
def test_parameters_can_be_left_out(make: Any) -> None:
    x = torch.randn(4, 3, generator=torch.Generator().manual_seed(0))
    assert [name for name, _ in make(3, bias=False).named_parameters()] == ["weight"]
    assert not list(make(3, affine=False).parameters())
    torch.testing.assert_close(make(3, affine=False)(x), make(3, bias=False)(x))
    layer = make(3, bias=False)
    layer.reset_parameters()
    assert layer.weight.tolist() == [1.0] * 3


def test_layer_norm_can_leave_parameters_out() -> None:
    assert [name for name, _ in LayerNorm(3, bias=False).named_parameters()] == ["weight"]
    assert not list(LayerNorm((2, 3), elementwise_affine=False).parameters())


def test_beta_is_one_less_momentum() -> None:
    assert BatchNorm1d(3, beta=0.75).momentum == 0.25
    assert BatchNorm1d(3).beta == 0.9
    assert BatchNorm1d(3, momentum=None).beta is None
    with pytest.raises(ValueError, match="both given"):
        BatchNorm1d(3, momentum=0.2, beta=0.9)
    with pytest.raises(ValueError, match="from 0 to 1"):
        BatchNorm1d(3, beta=1.5)


def test_repr_shows_what_differs_from_torch() -> None:
    assert "variance" not in repr(BatchNorm1d(3)) + repr(LayerNorm(3))
    assert "variance='unbiased', single='running'" in repr(BatchNorm1d(3, variance="unbiased", single="running"))
    assert "variance='unbiased'" in repr(LayerNorm(3, variance="unbiased"))


@pytest.mark.parametrize("option", ["variance", "running_variance", "single", "on_nonfinite"])
def test_an_option_of_unknown_name_is_refused(option: str) -> None:
    with pytest.raises(ValueError, match=f"{option}='population'.*expected"):
        BatchNorm1d(3, **{option: "population"})  # pyright: ignore[reportArgumentType]
    with pytest.raises(ValueError, match="variance='population'"):
        LayerNorm(3, variance="population")  # pyright: ignore[reportArgumentType]


def test_the_function_refuses_an_unknown_option_too() -> None:
    x, mean, var = torch.ones(4, 3), torch.zeros(3), torch.ones(3)
    with pytest.raises(ValueError, match=r"on_nonfinite='kepp', expected 'keep' or 'pass'"):
        F.batch_norm(x, mean, var, training=True, on_nonfinite="kepp")  # pyright: ignore[reportArgumentType]


def test_sizes_may_be_numpys_numbers() -> None:
    assert LayerNorm(np.int64(3)).normalized_shape == (3,)  # pyright: ignore[reportArgumentType]


def test_messages_say_what_does_not_fit() -> None:
    x = torch.randn(4, 3)
    with pytest.raises(ValueError, match="expected 4D input"):
        BatchNorm2d(3)(x)
    with pytest.raises(RuntimeError, match=r"running_mean should contain 3 elements not 5.*\(4, 3\)"):
        BatchNorm1d(5)(x)
    with pytest.raises(RuntimeError, match="weight should contain 3 elements not 5"):
        F.batch_norm(x, None, None, torch.ones(5), training=True)
    with pytest.raises(RuntimeError, match=r"expected \[B, C, \*space\]"):
        F.batch_norm(x[0], None, None, training=True)
    with pytest.raises(RuntimeError, match="expected running_mean and running_var"):
        F.batch_norm(x, None, None)
    with pytest.raises(TypeError, match=r"torch.int64.*\.float\(\)"):
        BatchNorm1d(3)(x.long())
    with pytest.raises(ValueError, match="eps must be positive"):
        BatchNorm1d(3, eps=0.0)(x)
    with pytest.raises(ValueError, match="eps must be non-negative"):
        BatchNorm1d(3, eps=-1.0).eval()(x)
    with pytest.raises(ValueError, match="non-zero"):
        SyncBatchNorm(1)(torch.empty(4, 0))
    with pytest.raises(ValueError, match="at least 2D"):
        SyncBatchNorm(3)(x[0])
    with pytest.raises(RuntimeError, match=r"normalized_shape=\[5\], expected input with shape \[\*, 5\]"):
        LayerNorm(5)(x)
    with pytest.raises(RuntimeError, match="normalized_shape is empty"):
        F.layer_norm(x, [])
    with pytest.raises(RuntimeError, match=r"weight of shape \(5,\), expected \(3,\)"):
        F.layer_norm(x, [3], torch.ones(5))
    with pytest.raises(TypeError, match="expected floating point"):
        LayerNorm(3)(x.long())
    with pytest.raises(ValueError, match="eps=-1"):
        LayerNorm(3, eps=-1)(x)
    with pytest.raises(ValueError, match="one feature"):
        LayerNorm(1, variance="unbiased")
    with pytest.raises(ValueError, match="d = 1 here"):
        F.layer_norm(x[:, :1], [1], variance="unbiased")


def test_functions_take_torchs_arguments_in_torchs_order() -> None:
    x = torch.randn(4, 3, generator=torch.Generator().manual_seed(0))
    mean, variance, weight, bias = torch.zeros(3), torch.ones(3), torch.rand(3), torch.rand(3)
    args: tuple[Tensor | bool | float | None, ...] = (mean, variance, weight, bias, False, 0.1, 1e-3)
    torch.testing.assert_close(F.batch_norm(x, *args), nn.functional.batch_norm(x, *args))  # pyright: ignore
    torch.testing.assert_close(
        F.layer_norm(x, [3], weight, bias, 1e-3), nn.functional.layer_norm(x, [3], weight, bias, 1e-3)
    )


def test_training_a_network_works_to_the_end() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Linear(2, 16), BatchNorm1d(16), nn.Tanh(), nn.Linear(16, 16), LayerNorm(16), nn.Linear(16, 1)
    )
    x = 100 + 10 * torch.randn(256, 2)
    y = (x[:, :1] > x[:, 1:]).float()
    optimizer = torch.optim.Adam(model.parameters(), 0.01)
    for _ in range(150):
        optimizer.zero_grad()
        loss = nn.functional.binary_cross_entropy_with_logits(model(x), y)
        loss.backward()
        optimizer.step()
    assert ((model.eval()(x) > 0) == y.bool()).float().mean() > 0.95
