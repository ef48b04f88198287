"""A Standardizer as a transform, as a layer, as a state; its inverse."""

from __future__ import annotations

import copy
import io
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import nn
from torch.optim.swa_utils import AveragedModel
from torch.utils.data import DataLoader, TensorDataset

from trimtab.data import StandardizedDataset, StandardizedRegressor, Standardizer

EXAMPLES = settings(derandomize=True, deadline=None, max_examples=60)
DTYPES = {torch.float16: 2e-3, torch.bfloat16: 1e-2, torch.float32: 1e-6, torch.float64: 1e-12}


def draw(seed: int, *shape: int, mean: float = 0.0, sd: float = 1.0) -> np.ndarray:
    return mean + sd * np.random.default_rng(seed).standard_normal(shape)


@EXAMPLES
@given(
    seed=st.integers(0, 2**32 - 1),
    dtype=st.sampled_from(list(DTYPES)),
    ratio=st.floats(-1e4, 1e4),
    exponent=st.integers(-20, 20),
)
def test_transform_equals_numpy_for_the_values_given(
    seed: int, dtype: torch.dtype, ratio: float, exponent: int
) -> None:
    if dtype == torch.float16:
        ratio, exponent = ratio % 3, 0
    x = torch.from_numpy((ratio + draw(seed, 30, 2)) * 10.0**exponent).to(dtype)
    exact = x.double().numpy()
    assume((exact.std(0) > 1e-12 * abs(exact).max(0)).all())  # not rounded to a constant
    y = Standardizer().fit(x)(x)
    assert y.dtype == dtype
    expected = (exact - exact.mean(0)) / exact.std(0)
    np.testing.assert_allclose(y.double(), expected, rtol=DTYPES[dtype], atol=1e-10 if dtype == torch.float64 else 1e-7)


@EXAMPLES
@given(seed=st.integers(0, 2**32 - 1), ratio=st.floats(-1e4, 1e4), exponent=st.integers(-20, 20), wide=st.booleans())
def test_inverse_undoes_transform(seed: int, ratio: float, exponent: int, wide: bool) -> None:
    dtype = torch.float64 if wide else torch.float32
    x = torch.from_numpy((ratio + draw(seed, 30, 2)) * 10.0**exponent).to(dtype)
    standardizer = Standardizer().fit(x)
    eps = 4 * torch.finfo(dtype).eps
    torch.testing.assert_close(standardizer.inverse(standardizer(x)), x, rtol=eps, atol=eps * x.abs().max().item())


def test_arrays_come_back_as_arrays_and_integers_as_floats() -> None:
    x = draw(0, 20, 3, mean=5)
    standardizer = Standardizer().fit(x)
    for dtype in (np.float16, np.float32, np.float64):
        y = standardizer.transform(x.astype(dtype))
        assert isinstance(y, np.ndarray) and y.dtype == dtype
    assert standardizer.transform(np.ones((2, 3), np.int32)).dtype == np.float64
    assert standardizer.transform(torch.ones(2, 3, dtype=torch.uint8)).dtype == torch.float32
    assert standardizer.inverse(x.astype(np.float32)).dtype == np.float32
    big = torch.tensor([2**40 + 1, 2**40 + 3])
    assert Standardizer(dim=None).fit(big)(big).tolist() == [-1, 1]


def test_one_sample_as_well_as_a_batch() -> None:
    x = torch.from_numpy(draw(1, 4, 3, 5, 5)).float()
    standardizer = Standardizer(dim=-3).fit(x)
    torch.testing.assert_close(torch.stack([standardizer(image) for image in x]), standardizer(x))
    assert standardizer(x[:0]).shape == (0, 3, 5, 5)


def test_memory_format_is_kept() -> None:
    x = torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(0)).to(memory_format=torch.channels_last)
    standardizer = Standardizer(dim=1).fit(x)
    assert standardizer(x).is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(standardizer(x), standardizer(x.contiguous()))


def test_nan_and_infinity_pass_through() -> None:
    standardizer = Standardizer().fit(torch.arange(6.0).view(3, 2))
    y = standardizer(torch.tensor([[torch.nan, torch.inf]]))
    assert y[0, 0].isnan() and y[0, 1] == torch.inf


def test_values_too_small_for_float32_give_no_nan() -> None:
    x = draw(2, 20, 2, sd=1e-60)
    standardizer = Standardizer().fit(x)
    assert abs(standardizer.transform(x).std() - 1) < 1e-12
    assert standardizer(torch.from_numpy(x).float()).tolist() == [[0, 0]] * 20


def test_the_first_layer_of_a_model() -> None:
    x = torch.from_numpy(draw(3, 64, 2, mean=1e4)).float()
    standardizer = Standardizer().fit(x)
    layer = nn.Linear(2, 1)
    model = nn.Sequential(standardizer, layer)
    exact = x.double().numpy()
    expected = torch.from_numpy((exact - exact.mean(0)) / exact.std(0)).float()
    torch.testing.assert_close(model(x), layer(expected), rtol=1e-5, atol=1e-6)
    assert len(list(model.parameters())) == 2
    before = standardizer.mean.clone()
    x.requires_grad_()
    model.train()(x).sum().backward()
    assert x.grad is not None
    torch.testing.assert_close(x.grad, (layer.weight / standardizer.scale).float().expand(64, 2))
    assert torch.equal(standardizer.mean, before)


def test_compiles_without_a_graph_break() -> None:
    x = torch.from_numpy(draw(4, 8, 2, mean=1e4)).float()
    model = nn.Sequential(Standardizer().fit(x), nn.Linear(2, 1))
    compiled = torch.compile(model, backend="aot_eager", fullgraph=True)
    torch.testing.assert_close(compiled(x), model(x))


MOVES: list[Callable[[nn.Module], Any]] = [
    lambda m: m.half(),
    lambda m: m.to(torch.bfloat16),
    lambda m: m.float(),
    lambda m: m.to("cpu", torch.float16),
]


def test_maps_over_samples_and_differentiates() -> None:
    x = torch.from_numpy(draw(12, 8, 3, mean=1e4))
    standardizer = Standardizer().fit(x)
    torch.testing.assert_close(torch.func.vmap(standardizer)(x), standardizer(x))
    torch.testing.assert_close(torch.func.jacrev(standardizer)(x[0]), torch.diag(1 / standardizer.scale))
    torch.testing.assert_close(torch.func.jacrev(standardizer.inverse)(x[0]), torch.diag(standardizer.scale))


@pytest.mark.parametrize("move", MOVES)
def test_half_precision_does_not_touch_the_statistics(move: Callable[[nn.Module], Any]) -> None:
    x = draw(5, 100, 2, mean=1e4)
    standardizer = Standardizer().fit(x)
    before = {name: value.clone() for name, value in standardizer.state_dict().items()}
    model = move(nn.Sequential(standardizer, nn.Linear(2, 1)))
    for name, value in before.items():
        after = model[0].state_dict()[name]
        assert after.dtype == value.dtype and torch.equal(after, value)
    assert model[0].scale.dtype == torch.float64
    y = model[0](torch.from_numpy(x).float())
    np.testing.assert_allclose(y, (x.astype(np.float32) - x.mean(0)) / x.std(0), atol=1e-5)


def test_predictions_in_half_precision_come_back_in_float32() -> None:
    standardizer = Standardizer().fit(draw(6, 1000, 1, mean=1e4))
    y = standardizer.inverse(torch.tensor([[0.5]], dtype=torch.bfloat16))
    assert y.dtype == torch.float32
    assert y.item() == pytest.approx(standardizer.mean.item() + 0.5 * standardizer.scale.item(), rel=1e-7)


def test_moves_to_the_meta_device_and_prints_there() -> None:
    assert repr(Standardizer(3).to("meta")) == "Standardizer(3 features, dim=-1)"
    with torch.device("meta"):
        assert Standardizer(3).mean.dtype == torch.float64


# State


def test_the_state_loads_into_an_object_that_knows_no_features() -> None:
    x = torch.from_numpy(draw(7, 20, 3))
    fitted = Standardizer().fit(x)
    file = io.BytesIO()
    torch.save(nn.Sequential(fitted).state_dict(), file)
    file.seek(0)
    loaded: Any = nn.Sequential(Standardizer())
    loaded.load_state_dict(torch.load(file, weights_only=True))
    assert set(fitted.state_dict()) == {"count", "mean", "m2", "frozen"}
    assert torch.equal(loaded(x), fitted(x))
    with pytest.raises(RuntimeError, match="frozen"):
        loaded[0].update(x)
    assert torch.equal(loaded[0].unfreeze().update(x).count, 2 * fitted.count)


def test_buffers_filled_in_place_count_as_fitted() -> None:
    """As DDP gives every rank the buffers of rank 0."""
    x = torch.from_numpy(draw(15, 20, 3))
    fitted, other = Standardizer().fit(x), Standardizer(3)
    for mine, theirs in zip(other.buffers(), fitted.buffers(), strict=True):
        mine.copy_(theirs)
    assert torch.equal(other(x), fitted(x))


def test_an_average_of_a_model_with_its_buffers_keeps_the_statistics() -> None:
    x = torch.from_numpy(draw(16, 20, 3))
    model = nn.Sequential(Standardizer().fit(x), nn.Linear(3, 2).double())
    averaged = AveragedModel(model, use_buffers=True)
    for _ in range(3):
        averaged.update_parameters(model)
    torch.testing.assert_close(averaged(x), model(x))
    with pytest.raises(RuntimeError, match="frozen"):
        averaged.module[0].update(x)  # pyright: ignore[reportIndexIssue]


def test_a_state_saved_with_a_boolean_flag_loads() -> None:
    state = Standardizer().fit(torch.arange(6.0).view(2, 3)).state_dict()
    loaded = Standardizer()
    loaded.load_state_dict(state | {"frozen": state["frozen"].bool()})
    assert bool(loaded.frozen)


def test_the_state_of_an_unfinished_fit_goes_on() -> None:
    x = torch.from_numpy(draw(8, 20, 3))
    halfway = Standardizer(3).update(x[:7])
    resumed = Standardizer(3)
    resumed.load_state_dict(halfway.state_dict())
    assert torch.equal(resumed.update(x[7:]).m2, halfway.update(x[7:]).m2)
    assert not bool(resumed.frozen)
    empty = Standardizer()
    empty.load_state_dict(Standardizer().state_dict())
    assert empty.fit(x).count.tolist() == [20] * 3


def test_a_state_of_other_features_is_refused() -> None:
    fitted = Standardizer().fit(torch.arange(6.0).view(2, 3))
    for other in (Standardizer(4), Standardizer(dim=None)):
        with pytest.raises(RuntimeError, match="size mismatch"):
            other.load_state_dict(fitted.state_dict())
    with pytest.raises(RuntimeError, match="size mismatch"):
        Standardizer().load_state_dict(Standardizer(dim=None).fit(torch.arange(6.0)).state_dict())


def test_copies_and_pickles_are_equal_and_apart() -> None:
    x = torch.arange(6.0).view(3, 2)
    fitted = Standardizer(unbiased=True).fit(x)
    for twin in (copy.deepcopy(fitted), pickle.loads(pickle.dumps(fitted))):
        assert torch.equal(twin(x), fitted(x))
        twin.unfreeze().update(x * 9)
        assert bool(fitted.frozen) and fitted.count.tolist() == [3, 3]


# With data sets and targets


def test_the_items_of_a_dataset() -> None:
    x, y = torch.from_numpy(draw(9, 30, 2, mean=7)), torch.from_numpy(draw(10, 30, mean=-3))
    train = TensorDataset(x, y)
    inputs = Standardizer().fit(DataLoader(train, 8))
    targets = Standardizer(dim=None).fit(DataLoader(train, 8), select=lambda item: item[1])
    data = StandardizedDataset(train, inputs, targets)
    assert len(data) == 30
    rows = next(iter(DataLoader(data, 30)))
    x, y = x.numpy(), y.numpy()
    np.testing.assert_allclose(rows[0], (x - x.mean(0)) / x.std(0), atol=1e-12)
    np.testing.assert_allclose(rows[1], (y - y.mean()) / y.std(), atol=1e-12)
    assert torch.equal(StandardizedDataset(train.tensors[0], inputs)[3], inputs(train.tensors[0][3]))
    assert StandardizedDataset([(x[0], 2.0, "name")], targets=targets)[0][2] == "name"
    assert StandardizedDataset([(x[0], 2.0)], targets=targets)[0][1].dtype == torch.float32


def regressor(model: nn.Module | None = None) -> tuple[StandardizedRegressor, torch.Tensor, torch.Tensor]:
    x = torch.from_numpy(draw(11, 200, 3, mean=50, sd=20))
    y = 1e3 + 200 * x[:, :2].double() @ torch.tensor([[1.0, 2.0], [0.5, -1.0]]).double()
    torch.manual_seed(0)
    model = model or nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 2))
    return StandardizedRegressor(model.double(), Standardizer().fit(x), Standardizer().fit(y)), x, y


def test_a_regressor_predicts_in_the_original_unit() -> None:
    model, x, y = regressor()
    exact_x, exact_y = x.numpy(), y.numpy()
    standard = model.model(torch.from_numpy((exact_x - exact_x.mean(0)) / exact_x.std(0))).detach().numpy()
    np.testing.assert_allclose(model(x).detach(), standard * exact_y.std(0) + exact_y.mean(0), rtol=1e-12)
    loss = model.loss(nn.functional.mse_loss, x, y).item()
    assert loss == pytest.approx(((standard - (exact_y - exact_y.mean(0)) / exact_y.std(0)) ** 2).mean(), rel=1e-10)


def test_a_regressor_learns_targets_of_any_size_with_an_ordinary_learning_rate() -> None:
    model, x, y = regressor()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.03)
    for _ in range(150):
        optimizer.zero_grad()
        model.loss(nn.functional.mse_loss, x, y).backward()
        optimizer.step()
    assert ((model(x) - y).std() / y.std()).item() < 0.1


def test_predictions_under_autocast_keep_the_digits_of_the_original_unit() -> None:
    targets = Standardizer().fit(draw(13, 100, 1, mean=1e4))
    model = StandardizedRegressor(nn.Linear(3, 1), targets=targets)
    x = torch.from_numpy(draw(14, 50, 3)).float()
    with torch.autocast("cpu", torch.bfloat16):
        y = model(x)
    assert y.dtype == torch.float32
    assert (y - model(x)).abs().max() < 0.05  # bfloat16 itself steps by 64 at 1e4


@pytest.mark.parametrize("single", [False, True])
def test_a_folded_regressor_needs_no_standardiser(single: bool) -> None:
    model, x, _ = regressor(nn.Linear(3, 2) if single else None)
    before = copy.deepcopy(model.state_dict())
    folded = model.folded()
    assert not any(isinstance(module, Standardizer) for module in folded.modules())
    torch.testing.assert_close(folded(x), model(x), rtol=1e-10, atol=1e-8)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_a_regressor_without_standardisers_is_its_model() -> None:
    model, x = nn.Linear(3, 2), torch.ones(1, 3)
    plain = StandardizedRegressor(model)
    assert torch.equal(plain(x), model(x))
    assert plain.loss(nn.functional.l1_loss, x, model(x)).item() == 0
    assert torch.equal(plain.folded()(x), model(x))
