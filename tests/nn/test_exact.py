"""Statistics over the whole data set, layer after layer."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import update_bn
from torch.utils.data import DataLoader, TensorDataset

from trimtab.nn import BatchNorm1d, BatchNorm2d, LayerNorm, exact_statistics


def net(bn: Any = BatchNorm1d, **options: Any) -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Linear(3, 5),
        bn(5, **options),
        nn.ReLU(),
        nn.Dropout(0.5),
        nn.Linear(5, 4),
        bn(4, **options),
        nn.Linear(4, 2),
    ).double()


def data(rows: int = 50) -> Tensor:
    return 2 + torch.randn(rows, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1)).cumsum(0)


def expected(model: Iterable[Any], x: np.ndarray, ddof: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Mean and variance of each norm's input when all data pass as one batch, in NumPy."""
    found = []
    for layer in model:
        if isinstance(layer, nn.Linear):
            x = x @ layer.weight.detach().numpy().T + layer.bias.detach().numpy()
        elif isinstance(layer, nn.ReLU):
            x = np.maximum(x, 0)
        elif isinstance(layer, nn.modules.batchnorm._BatchNorm):
            mean, variance = x.mean(0), x.var(0, ddof=ddof)
            found.append((mean, variance))
            gamma, kappa = layer.weight.detach().numpy(), layer.bias.detach().numpy()
            x = gamma * (x - mean) / np.sqrt(variance + layer.eps) + kappa
    return found


@pytest.mark.parametrize(
    ("bn", "options", "ddof"),
    [(BatchNorm1d, {}, 1), (BatchNorm1d, {"running_variance": "biased"}, 0), (nn.BatchNorm1d, {}, 1)],
)
@pytest.mark.parametrize("sizes", [[50], [20, 20, 10], [1, 30, 19]])
def test_every_layer_gets_the_statistics_of_its_input_in_evaluation(
    bn: Any, options: dict[str, Any], ddof: int, sizes: list[int]
) -> None:
    model: Any = net(bn, **options)
    x = data()
    moments = exact_statistics(model, x.split(sizes))
    assert list(moments) == ["1", "5"]
    layers = [model[1], model[5]]
    for layer, (mean, variance) in zip(layers, expected(model, x.numpy(), ddof), strict=True):
        np.testing.assert_allclose(layer.running_mean.numpy(), mean, rtol=1e-10)
        np.testing.assert_allclose(layer.running_var.numpy(), variance, rtol=1e-10)
        assert layer.num_batches_tracked.item() == len(sizes)


def test_torchs_update_bn_loses_what_lies_between_the_batches() -> None:
    x = torch.tensor([[0.0], [0.0], [10.0], [10.0]])
    ours, theirs = BatchNorm1d(1), nn.BatchNorm1d(1)
    exact_statistics(ours, x.split(2))
    update_bn(x.split(2), theirs)
    assert ours.running_var is not None and theirs.running_var is not None
    assert ours.running_var.item() == pytest.approx(x.var().item())
    assert theirs.running_var.item() == 0


def test_images_and_branches() -> None:
    class Branches(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            torch.manual_seed(0)
            self.late, self.early = BatchNorm2d(2), BatchNorm2d(2)  # not in the order of the forward
            self.unused = BatchNorm2d(7)

        def forward(self, x: Tensor) -> Tensor:
            h = self.early(x)
            return self.late(h.exp() + x)

    model, x = Branches(), torch.randn(20, 2, 3, 3, generator=torch.Generator().manual_seed(0))
    assert list(exact_statistics(model, x.split(6))) == ["early", "late"]
    h = x.double()
    mean, variance = h.mean((0, 2, 3)), h.var((0, 2, 3))
    torch.testing.assert_close(model.early.running_var, variance.float())
    shaped = (1, 2, 1, 1)
    inner = ((h - mean.view(shaped)) / (variance.view(shaped) + 1e-5).sqrt()).exp() + h
    torch.testing.assert_close(model.late.running_mean, inner.mean((0, 2, 3)).float())
    torch.testing.assert_close(model.late.running_var, inner.var((0, 2, 3)).float())
    assert model.unused.running_var is not None and model.unused.running_var.tolist() == [1.0] * 7


def test_a_layer_used_twice_gets_the_statistics_of_both_inputs() -> None:
    class Siamese(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.norm = BatchNorm1d(1)

        def forward(self, x: Tensor) -> Tensor:
            return self.norm(x) - self.norm(x + 5)

    model, x = Siamese(), data()[:, :1].float()
    exact_statistics(model, x.split(20))
    torch.testing.assert_close(model.norm.running_var, torch.cat([x, x + 5]).double().var(0).float())


def test_everything_else_is_left_as_it_was() -> None:
    model = net()
    model[3].eval()
    model(data()).sum().backward()
    gradients = [p.grad.clone() for p in model.parameters() if p.grad is not None]
    modes = [m.training for m in model.modules()]
    random.seed(0)
    np.random.seed(0)
    torch.manual_seed(0)
    states = random.getstate(), np.random.get_state()[1].copy(), torch.get_rng_state()  # pyright: ignore
    loader = DataLoader(TensorDataset(data()), batch_size=16, shuffle=True)
    exact_statistics(model, loader)
    assert [m.training for m in model.modules()] == modes
    assert all(torch.equal(p.grad, g) for p, g in zip(model.parameters(), gradients, strict=True) if p.grad is not None)
    assert random.getstate() == states[0]
    assert (np.random.get_state()[1] == states[1]).all()  # pyright: ignore
    assert torch.equal(torch.get_rng_state(), states[2])
    assert not any(m._forward_pre_hooks for m in model.modules())


def test_every_pass_draws_the_same_augmentation() -> None:
    class Noisy(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second = BatchNorm1d(3), BatchNorm1d(3, eps=1e-12)

        def forward(self, x: Tensor) -> Tensor:
            return self.second(self.first(x))

    class Augmented(TensorDataset):
        def __getitem__(self, index: int) -> tuple[Tensor, ...]:
            return (super().__getitem__(index)[0] + torch.randn(3, dtype=torch.float64),)

    model = Noisy().double()
    exact_statistics(model, DataLoader(Augmented(data(8)), batch_size=4))
    assert model.second.running_mean is not None
    torch.testing.assert_close(model.second.running_mean, torch.zeros(3, dtype=torch.float64), rtol=0, atol=1e-12)


def test_a_layer_called_more_often_in_some_batches_than_in_others_gets_them_all() -> None:
    class EachStep(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.norm, self.then = BatchNorm1d(1), BatchNorm1d(1)

        def forward(self, x: Tensor) -> list[Tensor]:
            return [self.then(self.norm(step).exp()) for step in x.split(1, 1)]

    model, batches = EachStep().double().eval(), [data(8)[:, :2], 10 + data(9)[:, :3]]
    exact_statistics(model, batches)
    values = torch.cat([batch.reshape(-1, 1) for batch in batches])
    torch.testing.assert_close(model.norm.running_var, values.var(0))
    torch.testing.assert_close(model.then.running_var, model.norm(values).exp().var(0))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_a_compiled_model_that_has_run_gets_the_same(request: pytest.FixtureRequest) -> None:
    request.addfinalizer(torch._dynamo.reset)
    model = net()
    plain, x = copy.deepcopy(model), data()
    compiled: Any = torch.compile(model, backend="aot_eager")
    compiled(x)
    with torch.no_grad():
        compiled.eval()(x)
    exact_statistics(plain, x.split(20))
    exact_statistics(compiled, x.split(20))
    for mine, wanted in zip(model.buffers(), plain.buffers(), strict=True):
        assert torch.equal(mine, wanted)


def test_the_loaders_own_generator_is_set_back_too() -> None:
    generator = torch.Generator().manual_seed(0)
    before = generator.get_state()
    seen: list[Tensor] = []

    def forward(model: nn.Module, batch: list[Tensor]) -> None:
        seen.append(batch[0])
        model(batch[0])

    loader = DataLoader(TensorDataset(data(8).float()), 8, shuffle=True, generator=generator)
    exact_statistics(nn.Sequential(BatchNorm1d(3), BatchNorm1d(3)), loader, forward=forward)
    assert len(seen) == 2 and torch.equal(*seen)
    assert torch.equal(generator.get_state(), before)


def test_a_forward_of_ones_own_takes_any_batch() -> None:
    layer, x = BatchNorm1d(3), data().float()
    loader = [{"image": part} for part in x.split(20)]
    exact_statistics(layer, loader, forward=lambda model, batch: model(batch["image"]))
    torch.testing.assert_close(layer.running_var, x.double().var(0).float())
    with pytest.raises(TypeError, match=r"a batch is a dict.*forward=lambda"):
        exact_statistics(layer, loader)


def test_a_failure_at_a_later_layer_takes_back_the_earlier_ones() -> None:
    model, x = net(), data()
    before = copy.deepcopy(model.state_dict())
    torch.nn.init.constant_(model[4].bias, float("inf"))  # pyright: ignore[reportArgumentType]
    with pytest.raises(ValueError, match="layer '5' has statistics that are not finite"):
        exact_statistics(model, x.split(20))
    assert all(torch.equal(value, before[f"1.{name}"]) for name, value in model[1].state_dict().items())


def test_what_cannot_be_exact_is_refused_and_nothing_changed() -> None:
    model, x = net(), data()
    before = copy.deepcopy(model.state_dict())
    with pytest.raises(TypeError, match=r"generator.*gone through once"):
        exact_statistics(model, (part for part in x.split(20)))
    x[3, 0] = float("nan")
    with pytest.raises(ValueError, match="layer '1' has statistics that are not finite"):
        exact_statistics(model, x.split(20))
    with pytest.raises(ValueError, match="too few values"):
        exact_statistics(model, [data()[:1]])
    with pytest.raises(ValueError, match="no batch norm"):
        exact_statistics(model, [])
    with pytest.raises(ValueError, match="no batch norm"):
        exact_statistics(LayerNorm(3), [x])
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert model.training
