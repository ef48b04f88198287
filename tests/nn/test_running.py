"""The running estimates: what moves them, what must not, and how often."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

import trimtab.nn.functional as F
from trimtab.average import EMA, RunningMean
from trimtab.nn import BatchNorm1d, BatchNorm2d, convert, merged_statistics


def batches(count: int = 5, size: int = 8) -> list[Tensor]:
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(size, 3, generator=generator) * (i + 1) + i for i in range(count)]


def estimates(layer: nn.Module) -> tuple[Tensor, Tensor]:
    mean, variance = layer.running_mean, layer.running_var
    assert isinstance(mean, Tensor) and isinstance(variance, Tensor)
    return mean, variance


@pytest.mark.parametrize(("running_variance", "ddof"), [("unbiased", 1), ("biased", 0)])
@pytest.mark.parametrize("variance", ["biased", "unbiased"])
def test_estimates_are_the_textbooks_ema(variance: str, running_variance: str, ddof: int) -> None:
    layer = BatchNorm1d(3, beta=0.8, variance=variance, running_variance=running_variance)  # pyright: ignore
    mean, var = np.zeros(3), np.ones(3)
    for x in batches():
        layer(x)
        mean = 0.8 * mean + 0.2 * x.double().numpy().mean(0)
        var = 0.8 * var + 0.2 * x.double().numpy().var(0, ddof=ddof)
    np.testing.assert_allclose(estimates(layer)[0].numpy(), mean, rtol=1e-5)
    np.testing.assert_allclose(estimates(layer)[1].numpy(), var, rtol=1e-5)
    assert layer.num_batches_tracked is not None and layer.num_batches_tracked.item() == 5


def test_the_step_is_that_of_the_one_average() -> None:
    fixed, mean_of_all = BatchNorm1d(3, momentum=0.1), BatchNorm1d(3, momentum=None)
    ema, running = EMA(0.9, bias_correction=False), RunningMean()
    for x in batches():
        for step in (fixed, mean_of_all):
            step(x)
        for average in (ema, running):
            average.update(x.double().mean(0))
    torch.testing.assert_close(estimates(fixed)[0].double(), ema.value, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(estimates(mean_of_all)[0].double(), running.value, rtol=1e-5, atol=1e-6)


def test_a_gain_of_one_leaves_nothing_of_the_start() -> None:
    layer = BatchNorm1d(1, momentum=None)
    layer(1e-6 * torch.tensor([[1.0], [3.0]]))
    assert estimates(layer)[1].item() == pytest.approx(2e-12, rel=1e-5)


def test_estimates_equal_torchs() -> None:
    for momentum in (0.1, 0.7, None):
        ours, torchs = BatchNorm1d(3, momentum=momentum), nn.BatchNorm1d(3, momentum=momentum)
        for x in batches():
            for layer in (ours, torchs):
                layer(x)
        for mine, theirs in zip(ours.buffers(), torchs.buffers(), strict=True):
            torch.testing.assert_close(mine, theirs)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("momentum", [0.1, None])
def test_a_batch_that_is_not_finite_changes_nothing_for_good(value: float, momentum: float | None) -> None:
    layer, clean = BatchNorm1d(3, momentum=momentum), BatchNorm1d(3, momentum=momentum)
    for i, x in enumerate(batches()):
        if i == 2:
            layer(torch.full((8, 3), value))
        layer(x)
        clean(x)
    for mine, expected in zip(layer.buffers(), clean.buffers(), strict=True):
        assert torch.equal(mine, expected)


def test_only_the_channel_that_is_not_finite_is_kept() -> None:
    layer = BatchNorm1d(3)
    x = batches(1)[0]
    x[0, 1] = float("inf")
    layer(x)
    mean, variance = estimates(layer)
    assert mean[1] == 0 and variance[1] == 1
    assert (mean[[0, 2]] != 0).all()


def test_pass_is_what_torch_does() -> None:
    layer = BatchNorm1d(3, on_nonfinite="pass")
    layer(torch.full((8, 3), float("inf")))
    assert estimates(layer)[1].isnan().all()
    assert layer.num_batches_tracked is not None and layer.num_batches_tracked.item() == 1


def test_a_variance_that_the_buffer_cannot_hold_is_not_taken() -> None:
    layer = BatchNorm1d(1).half()
    layer(torch.tensor([[-1000.0], [1000.0]], dtype=torch.float16))  # variance 2e6, the largest float16 is 65504
    assert estimates(layer)[1].item() == 1


def test_a_mean_that_the_buffer_cannot_hold_is_not_taken() -> None:
    layer = BatchNorm1d(1).half()
    layer(torch.tensor([[1e5], [1e5 + 1]]))  # the largest float16 is 65504
    assert estimates(layer)[0].item() == 0


class Block(nn.Module):
    """Two norms, checkpointed or not."""

    def __init__(self, reentrant: bool | None) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.body = nn.Sequential(nn.Linear(3, 4), BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 3), BatchNorm1d(3))
        self.reentrant = reentrant

    def forward(self, x: Tensor) -> Tensor:
        if self.reentrant is None:
            return self.body(x)
        y = checkpoint(self.body, x, use_reentrant=self.reentrant)
        assert isinstance(y, Tensor)
        return y


@pytest.mark.parametrize("reentrant", [True, False])
@pytest.mark.parametrize("momentum", [0.1, None])
def test_activation_checkpointing_updates_once(reentrant: bool, momentum: float | None) -> None:
    plain, checkpointed = Block(None), Block(reentrant)
    for model in (plain, checkpointed):
        for layer in (model.body[1], model.body[4]):
            vars(layer)["momentum"] = momentum
        for x in batches(3):
            model(x.requires_grad_()).square().sum().backward()
    for mine, expected in zip(checkpointed.buffers(), plain.buffers(), strict=True):
        assert torch.equal(mine, expected)
    for mine, expected in zip(checkpointed.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(mine.grad, expected.grad)


def test_the_function_updates_once_under_checkpointing() -> None:
    mean, variance = torch.zeros(3), torch.ones(3)
    x = batches(1)[0].requires_grad_()
    y = checkpoint(lambda x: F.batch_norm(x, mean, variance, training=True), x, use_reentrant=False)
    assert isinstance(y, Tensor)
    y.sum().backward()
    torch.testing.assert_close(mean, 0.1 * x.detach().mean(0))


def test_one_value_a_channel_is_refused_with_what_to_do() -> None:
    layer = BatchNorm1d(3)
    with pytest.raises(ValueError, match=r"more than 1 value per channel.*\(1, 3\).*single=\"running\""):
        layer(torch.ones(1, 3))
    with pytest.raises(ValueError, match="more than 1 value per channel"):
        F.batch_norm(torch.ones(1, 3), None, None, training=True)
    assert layer(torch.ones(1, 3, 2)).shape == (1, 3, 2)
    assert layer.eval()(torch.ones(1, 3)).shape == (1, 3)


def test_one_value_a_channel_may_be_normalized_by_the_estimates() -> None:
    layer = BatchNorm1d(3, single="running")
    for x in batches():
        layer(x)
    before = copy.deepcopy(layer.state_dict())
    x = torch.ones(1, 3, requires_grad=True)
    y = layer(x)
    y.sum().backward()
    torch.testing.assert_close(y, copy.deepcopy(layer).eval()(x))
    assert all(torch.equal(value, before[name]) for name, value in layer.state_dict().items())
    assert x.grad is not None and (x.grad != 0).all()


@settings(derandomize=True, deadline=None, max_examples=30)
@given(sizes=st.lists(st.integers(2, 9), min_size=1, max_size=6), mean=st.sampled_from([0.0, 1e4]))
def test_merged_micro_batches_update_as_their_concatenation(sizes: list[int], mean: float) -> None:
    generator = torch.Generator().manual_seed(len(sizes))
    parts = [mean + i + torch.randn(size, 3, generator=generator) for i, size in enumerate(sizes)]
    for momentum in (0.1, None):
        accumulated, whole = BatchNorm1d(3, momentum=momentum), BatchNorm1d(3, momentum=momentum)
        with merged_statistics(accumulated):
            for part in parts:
                accumulated(part)
        whole(torch.cat(parts))
        for mine, expected in zip(accumulated.buffers(), whole.buffers(), strict=True):
            torch.testing.assert_close(mine, expected, rtol=1e-5, atol=1e-6)


def test_merging_leaves_out_what_is_not_finite() -> None:
    merged, clean = BatchNorm1d(3), BatchNorm1d(3)
    with merged_statistics(merged):
        for x in (*batches(2), torch.full((4, 3), float("nan"))):
            merged(x)
    clean(torch.cat(batches(2)))
    for mine, expected in zip(merged.buffers(), clean.buffers(), strict=True):
        torch.testing.assert_close(mine, expected)


def test_merging_nothing_changes_nothing() -> None:
    for on_nonfinite in ("keep", "pass"):
        layer = BatchNorm1d(3, on_nonfinite=on_nonfinite)
        before = copy.deepcopy(layer.state_dict())
        with merged_statistics(layer):
            layer.eval()(batches(1)[0])
        assert all(torch.equal(value, before[name]) for name, value in layer.state_dict().items())


def test_an_exception_inside_discards_what_was_merged() -> None:
    layer = BatchNorm1d(3)
    with pytest.raises(KeyError), merged_statistics(layer):
        layer(batches(1)[0])
        raise KeyError
    assert estimates(layer)[1].tolist() == [1.0] * 3
    layer(batches(1)[0])
    assert layer.num_batches_tracked is not None and layer.num_batches_tracked.item() == 1


def test_a_copy_made_inside_is_not_inside() -> None:
    layer = BatchNorm1d(3)
    with merged_statistics(layer):
        layer(batches(1)[0])
        twins = copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))
    for twin in twins:
        twin(batches(1)[0])
        assert [*twin.buffers()][-1].item() == 1
    assert layer.num_batches_tracked is not None and layer.num_batches_tracked.item() == 1


def test_merging_is_not_cut_off_by_a_conversion() -> None:
    layer = BatchNorm1d(3)
    with merged_statistics(layer):
        layer(batches(1)[0])
        with pytest.raises(ValueError, match="inside merged_statistics"):
            convert(layer, to="torch")
    assert type(convert(layer, to="torch")) is nn.BatchNorm1d


def test_merging_says_what_it_cannot_do() -> None:
    with pytest.raises(ValueError, match="no trimtab batch norm"):
        merged_statistics(nn.BatchNorm1d(3)).__enter__()
    layer = BatchNorm1d(3)
    with merged_statistics(layer), pytest.raises(RuntimeError, match="inside another"):
        merged_statistics(layer).__enter__()


def test_checkpointing_and_merging_go_together() -> None:
    plain, checkpointed = Block(None), Block(False)
    for model in (plain, checkpointed):
        with merged_statistics(model):
            for x in batches(3):
                model(x).square().sum().backward()
    for mine, expected in zip(checkpointed.buffers(), plain.buffers(), strict=True):
        assert torch.equal(mine, expected)


def test_without_tracking_there_are_no_estimates_and_tests_use_the_batch() -> None:
    layer = BatchNorm2d(3, track_running_stats=False)
    x = torch.randn(4, 3, 2, 2, generator=torch.Generator().manual_seed(0))
    assert layer.running_mean is None
    assert torch.equal(layer(x), copy.deepcopy(layer).eval()(x))


def test_estimates_are_not_updated_in_evaluation() -> None:
    layer = BatchNorm1d(3).eval()
    layer(batches(1)[0])
    assert estimates(layer)[0].tolist() == [0.0] * 3
