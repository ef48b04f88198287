"""Whole models to trimtab and back: the same numbers, the same objects, or a refusal."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from trimtab.nn import BatchNorm1d, BatchNorm2d, LayerNorm, SyncBatchNorm, convert


class Net(nn.Module):
    """Convolution, both norms, one norm used in two places."""

    def __init__(self, bn: Any = nn.BatchNorm2d, ln: Any = nn.LayerNorm) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.stem = nn.Sequential(nn.Conv2d(2, 4, 3), bn(4), nn.ReLU())
        self.norm = ln(4)
        self.also = self.norm
        self.head = nn.Linear(4, 3)
        for parameter in self.parameters():
            nn.init.normal_(parameter)

    def forward(self, x: Tensor) -> Tensor:
        h = self.norm(self.stem(x).mean((2, 3)))
        return self.head(self.also(h))


def images(seed: int = 0) -> Tensor:
    return 3 + torch.randn(8, 2, 5, 5, generator=torch.Generator().manual_seed(seed))


def train(model: nn.Module) -> list[Tensor]:
    optimizer = torch.optim.SGD(model.parameters(), 0.01)
    outputs = []
    for seed in range(3):
        optimizer.zero_grad()
        y = model(images(seed))
        y.square().mean().backward()
        optimizer.step()
        outputs.append(y.detach())
    return [*outputs, model.eval()(images()).detach()]


def test_a_model_trains_the_same_before_and_after_both_ways() -> None:
    expected = train(Net())
    there = convert(Net())
    assert type(there.stem[1]) is BatchNorm2d and type(there.norm) is LayerNorm and there.also is there.norm
    back = convert(convert(Net()), to="torch")
    assert type(back.stem[1]) is nn.BatchNorm2d and type(back.norm) is nn.LayerNorm
    for model in (there, back):
        for y, wanted in zip(train(model), expected, strict=True):
            torch.testing.assert_close(y, wanted, rtol=1e-4, atol=1e-5)


def test_layers_stay_the_same_objects_with_all_they_have() -> None:
    model = Net().eval()
    layer, seen = model.stem[1], []
    layer.register_forward_hook(lambda *_: seen.append(1))
    before = dict(model.named_parameters()) | dict(model.named_buffers())
    assert convert(model) is model
    after = dict(model.named_parameters()) | dict(model.named_buffers())
    assert model.stem[1] is layer and not layer.training
    assert all(after[name] is tensor for name, tensor in before.items())
    model(images())
    assert seen == [1]


def test_a_lone_layer_is_converted() -> None:
    assert type(convert(nn.BatchNorm1d(3))) is BatchNorm1d
    assert type(convert(SyncBatchNorm(3), to="torch")) is nn.SyncBatchNorm
    assert type(convert(nn.SyncBatchNorm(3))) is SyncBatchNorm


@pytest.mark.parametrize("shape", [(2,), (5,), (3, 4)])
def test_unbiased_layer_norm_has_an_exact_form_in_torch(shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    layer = LayerNorm(shape, eps=0.1, variance="unbiased", dtype=torch.float64)
    nn.init.normal_(layer.weight)
    nn.init.normal_(layer.bias)
    x = torch.randn(6, *shape, dtype=torch.float64)
    expected, n = layer(x), torch.Size(shape).numel()
    weight = layer.weight
    gamma = weight.detach().clone()
    converted = convert(layer, to="torch")
    assert type(converted) is nn.LayerNorm and converted.weight is weight
    torch.testing.assert_close(converted(x), expected, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(converted.weight, gamma * ((n - 1) / n) ** 0.5)
    assert converted.eps == pytest.approx(0.1 * (n - 1) / n)


def test_unbiased_layer_norm_without_weight_gets_a_fixed_one_for_evaluation() -> None:
    layer = nn.Sequential(LayerNorm(4, elementwise_affine=False, variance="unbiased"), nn.Linear(4, 2)).double()
    x = torch.randn(3, 4, dtype=torch.float64)
    expected = layer(x)
    with pytest.raises(ValueError, match=r"no weight to take it.*for_evaluation=True"):
        convert(layer, to="torch")
    assert type(layer[0]) is LayerNorm
    converted = convert(layer, to="torch", for_evaluation=True)
    torch.testing.assert_close(converted(x), expected)
    assert not any(p.requires_grad for p in converted[0].parameters())


@pytest.mark.parametrize(
    "options", [{"variance": "unbiased"}, {"running_variance": "biased"}, {"variance": "unbiased", "affine": False}]
)
def test_what_torch_has_in_evaluation_alone_is_refused_in_training(options: dict[str, Any]) -> None:
    model = nn.Sequential(LayerNorm(3, variance="unbiased"), BatchNorm1d(3, **options))
    torch.manual_seed(0)
    model(torch.randn(5, 3))
    before = copy.deepcopy(model)
    with pytest.raises(ValueError, match=r"convert: 1: .*no torch layer computes the same.*for_evaluation=True"):
        convert(model, to="torch")
    x = torch.randn(5, 3)
    assert type(model[0]) is LayerNorm and type(model[1]) is BatchNorm1d  # nothing was changed
    torch.testing.assert_close(model(x), before(x))
    converted = convert(model, to="torch", for_evaluation=True)
    assert type(converted[1]) is nn.BatchNorm1d
    torch.testing.assert_close(converted.eval()(x), before.eval()(x))


def test_a_weight_that_two_layers_share_is_not_multiplied_twice() -> None:
    first, second = LayerNorm(3, variance="unbiased"), LayerNorm(3, variance="unbiased")
    second.weight = first.weight
    with pytest.raises(ValueError, match="another module has the same"):
        convert(nn.Sequential(first, second), to="torch")


def test_subclasses_with_a_forward_of_their_own_are_left_alone() -> None:
    class Doubled(nn.BatchNorm1d):
        def forward(self, input: Tensor) -> Tensor:
            return 2 * super().forward(input)

    assert type(convert(Doubled(3))) is Doubled
    assert type(convert(nn.LazyBatchNorm1d())) is nn.LazyBatchNorm1d


def test_unknown_target_is_refused() -> None:
    with pytest.raises(ValueError, match="to='keras'"):
        convert(nn.BatchNorm1d(3), to="keras")  # pyright: ignore[reportArgumentType]


def test_device_and_type_are_kept() -> None:
    model = convert(Net().double())
    assert all(p.dtype == torch.float64 for p in model.parameters())
    assert next(convert(nn.BatchNorm1d(3, device="meta")).parameters()).is_meta


@pytest.mark.filterwarnings("ignore:.*nested_tensor:UserWarning")
def test_a_transformer_computes_the_same_by_either_path() -> None:
    torch.manual_seed(0)
    encoder = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True).eval()
    converted = convert(copy.deepcopy(encoder))
    x = torch.randn(2, 5, 8)
    torch.testing.assert_close(converted(x), encoder(x))
    with torch.no_grad():  # torch reads the layers' parameters past their forward
        torch.testing.assert_close(converted(x), encoder(x))
