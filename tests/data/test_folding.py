"""A folded layer does to raw data what the layer did to standardised data, or says why it cannot."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from trimtab.data import Shift, Standardizer, fold_into, fold_inverse_into

EXAMPLES = settings(derandomize=True, deadline=None, max_examples=40)
SPACE = {nn.Conv1d: (9,), nn.Conv2d: (7, 6), nn.Conv3d: (5, 4, 6)}
CONVOLUTIONS = list(SPACE)


def draw(seed: int, *shape: int) -> torch.Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def images(kind: type[nn.Module], seed: int = 0, mean: float = 3.0) -> tuple[torch.Tensor, Standardizer]:
    spread = torch.tensor([0.1, 1, 10, 100]).double().view(4, *[1] * len(SPACE[kind]))
    x = mean + draw(seed, 5, 4, *SPACE[kind]) * spread
    return x, Standardizer(dim=1).fit(x)


def close(got: torch.Tensor, expected: torch.Tensor, rtol: float = 1e-10) -> None:
    torch.testing.assert_close(got, expected, rtol=rtol, atol=rtol * max(1.0, expected.abs().max().item()))


@EXAMPLES
@given(seed=st.integers(0, 2**32 - 1), bias=st.booleans(), ratio=st.floats(-1e4, 1e4), exponent=st.integers(-20, 20))
def test_linear_in_float64(seed: int, bias: bool, ratio: float, exponent: int) -> None:
    torch.manual_seed(seed)
    x = (ratio + draw(seed, 20, 3)) * 10.0**exponent
    standardizer, layer = Standardizer().fit(x), nn.Linear(3, 4, bias=bias).double()
    folded = standardizer.fold_into(layer)
    assert isinstance(folded, nn.Linear)
    close(folded(x), layer(standardizer(x)))


def test_linear_in_float32_to_the_digits_that_the_bound_promises() -> None:
    torch.manual_seed(0)
    eps = torch.finfo(torch.float32).eps
    for ratio in (0.0, 10.0, 1000.0):
        x = (ratio + draw(1, 500, 3)).float()
        standardizer, layer = Standardizer().fit(x), nn.Linear(3, 4)
        expected = layer.double()(standardizer(x.double()))
        error = (fold_into(standardizer, layer.float())(x) - expected).abs().max().item()
        assert error < 4 * eps * (1 + ratio) * layer.weight.abs().sum(1).max().item() + 4 * eps


@pytest.mark.parametrize("kind", CONVOLUTIONS)
@pytest.mark.parametrize("groups", [1, 2, 4])
@pytest.mark.parametrize("bias", [True, False])
def test_convolutions_grouped_or_not(kind: Any, groups: int, bias: bool) -> None:
    torch.manual_seed(1)
    x, standardizer = images(kind)
    layer = kind(4, 8, 3, stride=2, dilation=1, groups=groups, bias=bias).double()
    folded = fold_into(standardizer, layer)
    assert isinstance(folded, kind) and folded.bias is not None
    close(folded(x), layer(standardizer(x)))


@pytest.mark.parametrize("kind", CONVOLUTIONS)
@pytest.mark.parametrize("groups", [1, 4])
def test_convolutions_in_float32(kind: Any, groups: int) -> None:
    torch.manual_seed(4)
    x, standardizer = images(kind)
    layer = kind(4, 8, 3, groups=groups)
    folded = fold_into(standardizer, layer)
    assert all(parameter.dtype == torch.float32 for parameter in folded.parameters())
    torch.testing.assert_close(folded(x.float()), layer(standardizer(x.float())), rtol=1e-5, atol=5e-5)


@pytest.mark.parametrize("kind", CONVOLUTIONS)
@pytest.mark.parametrize("mode", ["reflect", "replicate", "circular"])
def test_padding_with_the_data_itself_folds_exactly(kind: Any, mode: str) -> None:
    x, standardizer = images(kind)
    layer = kind(4, 2, 3, padding=1, padding_mode=mode).double()
    folded = fold_into(standardizer, layer, shift="fold")
    close(folded(x), layer(standardizer(x)))


@pytest.mark.parametrize("kind", CONVOLUTIONS)
@pytest.mark.parametrize("padding", [1, "same"])
def test_zero_padding_keeps_the_shift_so_that_the_border_is_right(kind: Any, padding: Any) -> None:
    x, standardizer = images(kind)
    layer = kind(4, 2, 3, padding=padding).double()
    folded: Any = fold_into(standardizer, layer)
    assert isinstance(folded[0], Shift)
    assert set(folded.state_dict()) == {"shift.mean", "layer.weight", "layer.bias"}
    close(folded(x), layer(standardizer(x)))
    with pytest.raises(ValueError, match=r"pads with 0.*border would be wrong.*shift='auto'"):
        fold_into(standardizer, layer, shift="fold")


def test_padding_that_pads_nothing_folds() -> None:
    x, standardizer = images(nn.Conv2d)
    for layer in (nn.Conv2d(4, 2, 1, padding="same").double(), nn.Conv2d(4, 2, 3, padding="valid").double()):
        folded = fold_into(standardizer, layer)
        assert isinstance(folded, nn.Conv2d)
        close(folded(x), layer(standardizer(x)))


def test_data_that_are_centred_already_fold_under_any_padding() -> None:
    x = torch.cat([draw(2, 4, 3, 5, 5), torch.empty(0, 3, 5, 5).double()])
    x = torch.cat([x, -x])
    standardizer = Standardizer(dim=1).fit(x)
    standardizer.mean.zero_()
    layer = nn.Conv2d(3, 2, 3, padding=1, bias=False).double()
    folded = fold_into(standardizer, layer, shift="fold")
    assert folded.bias is None
    close(folded(x), layer(standardizer(x)))


@pytest.mark.parametrize(("dtype", "ratio"), [(torch.float32, 1e4), (torch.bfloat16, 50.0), (torch.float16, 100.0)])
def test_a_shift_that_the_dtype_cannot_fold_is_kept(dtype: torch.dtype, ratio: float) -> None:
    torch.manual_seed(2)
    x = (ratio + draw(3, 400, 2)).float()
    standardizer, layer = Standardizer().fit(x), nn.Linear(2, 3).to(dtype)
    with pytest.raises(ValueError, match=r"\|μ\|/σ = .* in feature \d is more than .* can fold"):
        fold_into(standardizer, layer, shift="fold")
    kept = fold_into(standardizer, layer)
    assert isinstance(kept, nn.Sequential)
    if dtype == torch.float32:
        expected = layer.double()(standardizer(x.double()))
        assert (kept(x) - expected).abs().max().item() < 1e-5
        forced = fold_into(standardizer, layer.float(), limit=1e9)
        assert (forced(x) - expected).abs().max().item() > 1e-4, "the guard guards against nothing"


def test_the_shift_can_be_kept_on_request_and_survives_half_precision() -> None:
    x = 1e4 + draw(4, 100, 2)
    standardizer, layer = Standardizer().fit(x), nn.Linear(2, 3).double()
    kept: Any = fold_into(standardizer, layer, shift="keep")
    close(kept(x), layer(standardizer(x)))
    assert torch.equal(kept.half()[0].mean, standardizer.mean)
    assert "2 features, dim=-1" in repr(kept)


def test_one_statistic_for_all_inputs_folds_into_any_layer() -> None:
    x = 5 + 2 * draw(5, 6, 3, 8, 8)
    standardizer = Standardizer(dim=None).fit(x)
    convolution, linear = nn.Conv2d(3, 2, 3).double(), nn.Linear(192, 2).double()
    close(fold_into(standardizer, convolution)(x), convolution(standardizer(x)))
    close(fold_into(standardizer, linear)(x.flatten(1)), linear(standardizer(x.flatten(1))))
    padded = nn.Conv2d(3, 2, 3, padding=1).double()
    close(fold_into(standardizer, padded)(x), padded(standardizer(x)))


def test_constant_features_fold_by_the_same_rule() -> None:
    x = draw(6, 50, 3)
    x[:, 1] = 0.1
    standardizer, layer = Standardizer(constant="unit").fit(x), nn.Linear(3, 2).double()
    close(fold_into(standardizer, layer)(x), layer(standardizer(x)))


def test_the_layer_itself_is_left_alone() -> None:
    standardizer, layer = Standardizer().fit(draw(7, 50, 3)), nn.Linear(3, 2).requires_grad_(False)
    before = layer.weight.clone()
    folded = fold_into(standardizer, layer)
    assert torch.equal(layer.weight, before)
    assert not any(parameter.requires_grad for parameter in folded.parameters())


@pytest.mark.parametrize("bias", [True, False])
def test_the_inverse_folds_into_the_last_layer(bias: bool) -> None:
    x, y = draw(8, 20, 3), 100 + 7 * draw(9, 20, 2)
    targets = Standardizer().fit(y)
    layer = nn.Linear(3, 2, bias=bias).double()
    close(fold_inverse_into(targets, layer)(x), targets.inverse(layer(x)))
    one = Standardizer(dim=None).fit(y)
    close(one.fold_inverse_into(layer)(x), one.inverse(layer(x)))
    pixels, convolution = draw(10, 2, 3, 5, 5), nn.Conv2d(3, 2, 3, bias=bias, padding=1).double()
    maps = Standardizer(dim=1).fit(100 + 7 * draw(11, 4, 2, 5, 5))
    close(maps.fold_inverse_into(convolution)(pixels), maps.inverse(convolution(pixels)))


def test_refusals_say_why() -> None:
    standardizer = Standardizer().fit(5 + draw(12, 50, 3))
    for layer in (nn.ReLU(), nn.ConvTranspose2d(3, 2, 3), nn.LazyLinear(3), nn.Embedding(3, 3)):
        with pytest.raises(TypeError, match=r"expected Linear, Conv1d, Conv2d or Conv3d; leave the standardiser"):
            fold_into(standardizer, layer)
    with pytest.raises(TypeError, match="remove the parametrisation"):
        fold_into(standardizer, nn.utils.parametrizations.weight_norm(nn.Linear(3, 2)))
    with pytest.raises(TypeError, match="complex64 weights"):
        fold_into(standardizer, nn.Linear(3, 2, dtype=torch.complex64))
    with pytest.raises(ValueError, match="3 features; expected as many as the layer has inputs, 4"):
        fold_into(standardizer, nn.Linear(4, 2))
    with pytest.raises(ValueError, match=r"dim=-1; a Conv2d has its inputs in dimension 1 or -3"):
        fold_into(standardizer, nn.Conv2d(3, 2, 3))
    with pytest.raises(ValueError, match="expected auto, fold or keep"):
        fold_into(standardizer, nn.Linear(3, 2), shift="none")  # type: ignore[arg-type]
    with pytest.raises(RuntimeError, match="no data seen"):
        fold_into(Standardizer(3), nn.Linear(3, 2))
    with pytest.raises(ValueError, match="got 3 targets; expected 2, one an output"):
        fold_inverse_into(standardizer, nn.Linear(3, 2))
    with pytest.raises(ValueError, match=r"can fold .*apply standardizer.inverse"):
        fold_inverse_into(Standardizer().fit(1e4 + draw(13, 50, 2)), nn.Linear(3, 2))


class Standing(nn.Conv2d):
    """Weight standardisation: its output does not go with its weights."""

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        return self._conv_forward(input, self.weight / self.weight.std(), self.bias)


class Named(nn.Linear):
    """A Linear under another name."""


def test_a_layer_with_a_forward_of_its_own_is_refused() -> None:
    x, standardizer = images(nn.Conv2d)
    with pytest.raises(TypeError, match=r"Standing, which has a forward of its own.*leave the standardiser"):
        fold_into(standardizer, Standing(4, 2, 3))
    with pytest.raises(TypeError, match="fold_inverse_into: got Standing"):
        fold_inverse_into(standardizer, Standing(2, 4, 3))
    assert isinstance(fold_into(Standardizer().fit(x.mean((2, 3))), Named(4, 2)), Named)


def test_targets_that_lie_elsewhere_than_the_outputs_are_refused() -> None:
    maps = 100 + draw(20, 5, 2, 4, 2)
    with pytest.raises(ValueError, match=r"dim=-1; a Conv2d has its outputs in dimension 1 or -3"):
        fold_inverse_into(Standardizer().fit(maps), nn.Conv2d(3, 2, 1))
    with pytest.raises(ValueError, match=r"dim=1; a Linear has its outputs in dimension -1"):
        fold_inverse_into(Standardizer(dim=1).fit(maps), nn.Linear(3, 2))


@pytest.mark.parametrize("scale", [1e-9, 1e12])
def test_weights_that_leave_the_range_of_the_dtype_are_refused(scale: float) -> None:
    standardizer = Standardizer().fit(torch.tensor([1, scale, 1]) * draw(14, 50, 3))
    with pytest.raises(ValueError, match=r"out of the range of torch.float16"):
        fold_into(standardizer, nn.Linear(3, 2).half())


def test_the_rounding_of_a_weight_is_not_multiplied_by_the_mean() -> None:
    torch.manual_seed(3)
    x = (1000 + draw(15, 2000, 64)).float()
    standardizer, layer = Standardizer().fit(x), nn.Linear(64, 8)
    folded: Any = fold_into(standardizer, layer)
    weight = layer.weight.double() / standardizer.scale
    bias = layer.bias.double() - weight @ standardizer.mean
    deviations = x.double() - standardizer.mean
    half_unit = torch.finfo(torch.float32).eps / 2
    bound = half_unit * (bias.abs() + deviations.abs() @ weight.abs().T)

    def off(w: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return (
            deviations @ (w.double() - weight).T + (w.double() - weight) @ standardizer.mean + b.double() - bias
        ).abs()

    assert (off(folded.weight, folded.bias) <= bound * 1.001).all()
    assert (off(weight.float(), bias.float()) > bound).any(), "the case no longer tells the two biases apart"
