"""The average of a whole model, against NumPy and against torch's own AveragedModel."""

import copy
import io

import numpy as np
import pytest
import torch
from torch import nn
from torch.optim import swa_utils

from trimtab.average import EMA, AveragedModel, BoxAverage, RunningMean


@pytest.fixture
def model():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 2))


def shake(model, seed):
    """Other weights and other buffers, as a step of training leaves them."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for tensor in [*model.parameters(), *model.buffers()]:
            if tensor.is_floating_point():
                tensor.add_(torch.randn(tensor.shape, generator=generator).to(tensor.dtype))
            else:
                tensor.add_(1)


def follow(model, *averages, steps=5):
    for seed in range(steps):
        shake(model, seed)
        for average in averages:
            average.update_parameters(model)


def assert_same(one, other):
    assert list(one) == list(other)
    for name in one:
        torch.testing.assert_close(one[name], other[name], msg=name)


def test_weights_are_the_ema_of_the_weights(model):
    averaged, history = AveragedModel(model, EMA(0.8)), []
    for seed in range(6):
        shake(model, seed)
        averaged.update_parameters(model)
        history.append(model[0].weight.detach().double().numpy().copy())
    w = 0.2 * 0.8 ** np.arange(5, -1, -1)
    expected = np.tensordot(w, np.array(history), 1) / (1 - 0.8**6)
    np.testing.assert_allclose(averaged.module.get_parameter("0.weight").detach().numpy(), expected, atol=1e-6)


def test_uncorrected_starts_from_zero_not_from_the_copy(model):
    averaged = AveragedModel(model, EMA(0.9, bias_correction=False))
    averaged.update_parameters(model)
    torch.testing.assert_close(averaged.module.get_parameter("0.weight"), 0.1 * model[0].weight)


@pytest.mark.parametrize("use_buffers", [False, True])
@pytest.mark.parametrize(
    ("average", "torchs"),
    [
        (RunningMean(), {}),
        (RunningMean(), {"avg_fn": swa_utils.get_swa_avg_fn()}),
        (RunningMean(), {"multi_avg_fn": swa_utils.get_swa_multi_avg_fn()}),
        (EMA(0.9, start="first"), {"multi_avg_fn": swa_utils.get_ema_multi_avg_fn(0.9)}),
        (EMA(0.9, start="first"), {"avg_fn": swa_utils.get_ema_avg_fn(0.9)}),
    ],
)
def test_equals_torchs_and_exchanges_states_with_it_both_ways(model, average, torchs, use_buffers):
    model[1].num_batches_tracked = None  # torch averages the counter
    mine = AveragedModel(model, average, use_buffers=use_buffers)
    theirs = swa_utils.AveragedModel(model, use_buffers=use_buffers, **torchs)
    follow(model, mine, theirs)
    assert_same(mine.state_dict(), theirs.state_dict())
    crossed = copy.deepcopy(mine), copy.deepcopy(theirs)
    crossed[0].load_state_dict(theirs.state_dict())
    crossed[1].load_state_dict(mine.state_dict())
    follow(model, mine, theirs, *crossed, steps=3)
    for other in (theirs, *crossed):
        assert_same(mine.state_dict(), other.state_dict())


def test_the_block_gives_the_weights_back_when_the_averages_do_not_fit_in(model, monkeypatch):
    averaged = AveragedModel(model)
    follow(model, averaged)
    before = copy.deepcopy(model.state_dict())
    monkeypatch.setattr(averaged, "_ready", lambda: [torch.ones(4, 3), torch.ones(7)])
    with pytest.raises(RuntimeError, match="size of tensor"), averaged.averaged(model):
        pass
    assert all(torch.equal(model.state_dict()[name], before[name]) for name in before)


def test_the_state_has_torchs_keys(model):
    assert list(AveragedModel(model).state_dict()) == list(swa_utils.AveragedModel(model).state_dict())


def test_buffers_are_copied_or_averaged_and_counters_always_copied(model):
    copied, averaged = AveragedModel(model), AveragedModel(model, use_buffers=True)
    means = []
    for seed in range(3):
        shake(model, seed)
        means.append(model[1].running_mean.clone())
        copied.update_parameters(model)
        averaged.update_parameters(model)
    assert torch.equal(copied.module.get_buffer("1.running_mean"), means[-1])
    torch.testing.assert_close(averaged.module.get_buffer("1.running_mean"), torch.stack(means).mean(0))
    assert [a.module.get_buffer("1.num_batches_tracked").item() for a in (copied, averaged)] == [3, 3]


def test_called_like_the_model(model):
    averaged = AveragedModel(model).eval()
    averaged.update_parameters(model)
    x = torch.randn(5, 3)
    assert torch.equal(averaged(x), model.eval()(x))


@pytest.mark.parametrize("use_buffers", [False, True])
def test_the_block_lends_the_averages_and_gives_the_weights_back(model, use_buffers):
    averaged = AveragedModel(model, EMA(0.9), use_buffers=use_buffers)
    follow(model, averaged)
    before = copy.deepcopy(model.state_dict())
    with averaged.averaged(model) as lent:
        assert lent is model
        torch.testing.assert_close(model[0].weight, averaged.module.get_parameter("0.weight"))
    assert all(torch.equal(model.state_dict()[name], before[name]) for name in before)


def test_the_block_gives_the_weights_back_after_an_exception(model):
    averaged = AveragedModel(model)
    follow(model, averaged)
    before = model[0].weight.detach().clone()
    with pytest.raises(KeyboardInterrupt), averaged.averaged(model):
        raise KeyboardInterrupt
    assert torch.equal(model[0].weight, before)
    with averaged.averaged(model):
        pass


def test_inside_the_block_neither_another_nor_an_update(model):
    averaged = AveragedModel(model)
    follow(model, averaged)
    with averaged.averaged(model):
        with pytest.raises(RuntimeError, match="inside averaged"):
            averaged.update_parameters(model)
        with pytest.raises(RuntimeError, match="inside averaged"), averaged.averaged(model):
            pass


def test_before_the_first_update_there_is_nothing_to_lend(model):
    averaged = AveragedModel(model)
    with pytest.raises(RuntimeError, match="nothing is averaged yet"), averaged.averaged(model):
        pass
    with pytest.raises(RuntimeError, match="nothing is averaged yet"):
        averaged.copy_to(model)


def test_copy_to_puts_the_averages_in_for_good(model):
    averaged = AveragedModel(model)
    follow(model, averaged)
    averaged.copy_to(model)
    assert torch.equal(model[0].weight, averaged.module.get_parameter("0.weight")) and model[0].weight.requires_grad


class Tied(nn.Module):
    def __init__(self, dtype=torch.float32):
        super().__init__()
        self.embedding = nn.Embedding(4, 3, dtype=dtype)
        self.head = nn.Linear(3, 4, bias=False, dtype=dtype)
        self.head.weight = self.embedding.weight


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_tied_weights_are_averaged_once_and_stay_tied(dtype):
    model = Tied(dtype)
    averaged = AveragedModel(model, EMA(0.5))
    weights = []
    for seed in range(2):
        shake(model, seed)
        weights.append(model.head.weight.detach().float().clone())
        averaged.update_parameters(model)
    assert averaged.module.get_parameter("head.weight") is averaged.module.get_parameter("embedding.weight")
    expected = (0.25 * weights[0] + 0.5 * weights[1]) / 0.75
    for name in ("module.head.weight", "module.embedding.weight"):
        torch.testing.assert_close(averaged.state_dict()[name], expected)


def test_low_precision_weights_are_averaged_in_float32(model):
    model = model.bfloat16()
    averaged = AveragedModel(model, EMA(0.999, start="first"))
    averaged.update_parameters(model)
    start = model[0].bias.detach().float().clone()
    with torch.no_grad():
        model[0].bias.add_(1)
    for _ in range(1000):
        averaged.update_parameters(model)
    goal = model[0].bias.detach().float()
    expected = goal + 0.999**1000 * (start - goal)
    torch.testing.assert_close(averaged.state_dict()["module.0.bias"], expected, atol=1e-5, rtol=0)
    assert averaged.module.get_parameter("0.bias").dtype == torch.bfloat16
    torch.testing.assert_close(averaged.module.get_parameter("0.bias"), expected.bfloat16())
    with averaged.averaged(model):
        assert torch.equal(model[0].bias, averaged.module.get_parameter("0.bias"))


def test_float32_averages_survive_a_checkpoint_and_go_to_torch(model):
    model = model.bfloat16()
    averaged = AveragedModel(model, EMA(0.9))
    follow(model, averaged)
    file = io.BytesIO()
    torch.save(averaged.state_dict(), file)
    file.seek(0)
    state = torch.load(file)
    other = AveragedModel(copy.deepcopy(model), EMA(0.9))
    other.load_state_dict(state)
    follow(model, averaged, other, steps=2)
    assert_same(averaged.state_dict(), other.state_dict())
    torchs = swa_utils.AveragedModel(model)
    torchs.load_state_dict(averaged.state_dict())
    assert torch.equal(torchs.module.get_parameter("0.weight"), averaged.module.get_parameter("0.weight"))


def test_a_copy_converted_later_goes_on_in_float32(model):
    averaged = AveragedModel(model, EMA(0.999, start="first"))
    averaged.update_parameters(model)
    averaged.bfloat16()
    with torch.no_grad():
        model[0].bias.fill_(1.0)
    start = averaged.state_dict()["module.0.bias"].float().clone()
    for _ in range(100):
        averaged.update_parameters(model)
        averaged.bfloat16()
    expected = 1 + 0.999**100 * (start - 1)
    assert averaged.module.get_parameter("0.bias").dtype == torch.bfloat16
    torch.testing.assert_close(averaged.module.get_parameter("0.bias"), expected.bfloat16())
    averaged.float()
    averaged.update_parameters(model)
    assert averaged.state_dict()["module.0.bias"].dtype == torch.float32


def test_a_part_of_a_larger_module_keeps_its_place_in_the_state(model):
    averaged = AveragedModel(model.bfloat16(), EMA(0.9))
    averaged.update_parameters(model)
    whole = nn.ModuleDict({"ema": averaged})
    state = whole.state_dict()
    assert state["ema.module.0.weight"].dtype == torch.float32 and not [k for k in state if "_fine" in k]
    whole.load_state_dict(state)


def test_complex_and_0_dim_and_empty_weights():
    c = nn.Parameter(torch.ones(2, dtype=torch.complex64))
    model = nn.ParameterDict({"c": c, "s": nn.Parameter(torch.tensor(1.0)), "e": nn.Parameter(torch.zeros(0, 3))})
    averaged = AveragedModel(model, EMA(0.9))
    averaged.update_parameters(model)
    with torch.no_grad():
        c.mul_(1j)
    averaged.update_parameters(model)
    old = 0.9 * 0.1 / (1 - 0.9**2)
    torch.testing.assert_close(averaged.module.get_parameter("c").detach(), torch.full((2,), old + (1 - old) * 1j))


def test_moved_and_copied_averages_go_on_alike(model):
    averaged = AveragedModel(model.bfloat16(), EMA(0.9))
    follow(model, averaged, steps=2)
    other = copy.deepcopy(averaged).to("cpu")
    follow(model, averaged, other, steps=2)
    assert_same(averaged.state_dict(), other.state_dict())


def test_a_model_wrapped_after_it_was_copied(model):
    averaged = AveragedModel(model)
    averaged.update_parameters(nn.Sequential(model))
    assert torch.equal(averaged.module.get_parameter("0.weight"), model[0].weight)


def test_another_model_is_refused(model):
    with pytest.raises(ValueError, match="give the model that was copied"):
        AveragedModel(model).update_parameters(nn.Linear(3, 4))


def test_a_box_average_of_models_is_refused(model):
    with pytest.raises(TypeError, match="expected EMA or RunningMean"):
        AveragedModel(model, BoxAverage(3))  # type: ignore[arg-type]


def test_a_copy_made_inside_the_block_lends_nothing(model):
    averaged = AveragedModel(model, EMA(0.9))
    averaged.update_parameters(model)
    with averaged.averaged(model):
        copied = copy.deepcopy(averaged)
    copied.update_parameters(model)
    assert copied.n_averaged == 2


def test_the_counter_stays_on_the_host_whatever_the_default_device(model):
    with torch.device("meta"):
        averaged = AveragedModel(model, EMA(0.9))
    averaged.update_parameters(model)
    assert averaged.n_averaged == 1


def test_a_state_of_other_shapes_is_refused_by_name(model):
    averaged = AveragedModel(nn.Linear(2, 2).bfloat16())
    with pytest.raises(RuntimeError, match=r"size mismatch for module\.weight"):
        averaged.load_state_dict(AveragedModel(nn.Linear(3, 3).bfloat16()).state_dict())
