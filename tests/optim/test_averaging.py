"""The weight average: what it is, shown and put away again."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from torch import nn

from trimtab.average import EMA, RunningMean
from trimtab.optim import SGD, Adam


def trained(average, steps=5, dtype=torch.float64, kind=SGD):
    """Weights after each step, the parameter, its optimizer."""
    torch.manual_seed(0)
    p = nn.Parameter(torch.randn(4, dtype=dtype))
    optimizer, path = kind([p], lr=0.1, average=average), []
    for _ in range(steps):
        p.grad = torch.randn_like(p)
        optimizer.step()
        path.append(p.detach().double().numpy().copy())
    return path, p, optimizer


def ema(path, alpha):
    weights = [(1 - alpha) * alpha**j for j in range(len(path))][::-1]
    return np.average(path, axis=0, weights=weights)


def test_the_average_is_the_corrected_ema_of_the_weights():
    path, p, optimizer = trained(EMA(0.9))
    before = p.detach().clone()
    with optimizer.averaged():
        np.testing.assert_allclose(p.detach().numpy(), ema(path, 0.9), rtol=1e-12)
    assert torch.equal(p, before)


@pytest.mark.parametrize(
    "kind",
    [
        EMA(0.9, warmup=True),
        EMA(0.9, warmup=True, bias_correction=False),
        EMA(0.9, start="first"),
        EMA(0.0),
        RunningMean(),
    ],
    ids=str,
)
def test_any_average_of_one_value_will_do(kind):
    path, p, optimizer = trained(kind)
    series = copy.deepcopy(kind)
    for weights in path:
        series.update(weights)
    with optimizer.averaged():
        np.testing.assert_allclose(p.detach().numpy(), series.value, rtol=1e-12)


def test_counters_stay_on_the_host_whatever_the_default_device():
    torch.manual_seed(0)
    p = nn.Parameter(torch.randn(4))
    optimizer = Adam([p], average=EMA(0.9))
    p.grad = torch.ones(4)
    with torch.device("meta"):
        optimizer.step()
    assert optimizer.state[p]["average_step"] == 1


def test_the_first_average_is_the_weights_themselves():
    _, p, optimizer = trained(EMA(0.999), steps=1)
    assert torch.equal(optimizer.state[p]["average"], p)


def test_without_correction_it_starts_at_zero():
    path, p, optimizer = trained(EMA(0.9, bias_correction=False), steps=1)
    with optimizer.averaged():
        np.testing.assert_allclose(p.detach().numpy(), 0.1 * path[0], rtol=1e-12)


def test_the_memory_is_the_same_so_that_the_model_sees_it():
    torch.manual_seed(0)
    model = nn.Linear(2, 1)
    optimizer = Adam(model.parameters(), lr=0.5, average=EMA(0.9))
    x = torch.randn(5, 2)
    for _ in range(3):
        optimizer.zero_grad()
        model(x).square().sum().backward()
        optimizer.step()
    places = [p.data_ptr() for p in model.parameters()]
    before = model(x)
    with optimizer.averaged():
        assert places == [p.data_ptr() for p in model.parameters()]
        assert not torch.equal(model(x), before)
        inside = {key: value.clone() for key, value in model.state_dict().items()}
    assert torch.equal(model(x), before)
    assert torch.equal(inside["weight"], optimizer.state[model.weight]["average"])


def test_the_weights_come_back_after_an_exception():
    _, p, optimizer = trained(EMA(0.9))
    before = p.detach().clone()
    with pytest.raises(KeyError), optimizer.averaged():
        raise KeyError
    assert torch.equal(p, before)
    with optimizer.averaged():
        pass


def test_no_step_and_no_nesting_inside():
    _, p, optimizer = trained(EMA(0.9))
    before = p.detach().clone()
    with optimizer.averaged():
        with pytest.raises(RuntimeError, match=r"step\(\) inside averaged"):
            optimizer.step()
        with pytest.raises(RuntimeError, match="averaged"), optimizer.averaged():
            pass
    assert torch.equal(p, before)


def test_without_an_average():
    _, _, optimizer = trained(None)
    with pytest.raises(RuntimeError, match="average=EMA"), optimizer.averaged():
        pass
    with pytest.raises(TypeError, match="EMA"):
        SGD([nn.Parameter(torch.zeros(1))], average=0.999)  # pyright: ignore[reportArgumentType]
    with pytest.raises(TypeError, match="EMA"):
        SGD([nn.Parameter(torch.zeros(1))], average=EMA)  # pyright: ignore[reportArgumentType]


def test_a_parameter_that_never_stepped_shows_its_weights():
    p, q = nn.Parameter(torch.ones(2)), nn.Parameter(torch.ones(2))
    optimizer = SGD([p, q], lr=0.1, average=EMA(0.9))
    p.grad = torch.ones(2)
    optimizer.step()
    with optimizer.averaged():
        assert torch.equal(q, torch.ones(2))
    p.grad, q.grad = None, torch.ones(2)
    optimizer.step()
    assert optimizer.state[p]["average_step"] == 2  # its weights stood still, which the average counts
    assert optimizer.state[q]["average_step"] == 1


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_short_weights_have_a_float32_average(dtype):
    path, p, optimizer = trained(EMA(0.9), steps=30, dtype=dtype)
    average = optimizer.state[p]["average"]
    assert average.dtype == torch.float32
    np.testing.assert_allclose(average.numpy(), ema(path, 0.9), rtol=1e-5)
    before = p.detach().clone()
    with optimizer.averaged():
        assert torch.equal(p, average.to(dtype))
    assert torch.equal(p, before)


def test_complex_weights():
    path_real = []
    p = nn.Parameter(torch.randn(3, dtype=torch.complex128))
    optimizer = SGD([p], lr=0.1, average=EMA(0.5))
    for _ in range(3):
        p.grad = torch.randn_like(p)
        optimizer.step()
        path_real.append(p.detach().numpy().copy())
    np.testing.assert_allclose(optimizer.state[p]["average"].numpy(), ema(path_real, 0.5), rtol=1e-12)


def test_a_skipped_step_is_not_averaged():
    p = nn.Parameter(torch.ones(2))
    optimizer = SGD([p], lr=0.1, average=EMA(0.9), on_nonfinite="skip")
    p.grad = torch.full((2,), torch.nan)
    optimizer.step()
    assert not optimizer.state


def test_the_average_survives_a_checkpoint_and_starts_afresh_from_torchs():
    path, p, optimizer = trained(EMA(0.9))
    _, q, other = trained(EMA(0.9), steps=0)
    other.load_state_dict(optimizer.state_dict())
    with other.averaged():
        np.testing.assert_allclose(q.detach().numpy(), ema(path, 0.9), rtol=1e-12)
    other.load_state_dict(torch.optim.SGD([p]).state_dict())
    q.grad = torch.randn_like(q)
    other.step()
    assert torch.equal(other.state[q]["average"], q)
