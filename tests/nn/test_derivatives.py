"""Second derivatives, forward mode, `torch.func`: numerically, in float64."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
import torch
from torch import Tensor
from torch.autograd import gradcheck, gradgradcheck
from torch.func import functional_call, grad, hessian, jacfwd, jacrev, stack_module_state, vmap

import trimtab.nn.functional as F
from trimtab.nn import BatchNorm1d, LayerNorm
from trimtab.nn.variance import Variance

pytestmark = [  # of torch's own making
    pytest.mark.filterwarnings("ignore:.*torch.jit.script.*:DeprecationWarning"),  # its formulas for forward mode
    pytest.mark.filterwarnings("ignore:.*torch._vmap_internals.vmap.*:FutureWarning"),  # 2.6, in gradcheck
]


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def batch_norm(variance: Variance) -> Callable[..., Tensor]:
    return lambda x, w=None, b=None: F.batch_norm(x, None, None, w, b, True, variance=variance)


def layer_norm(variance: Variance) -> Callable[..., Tensor]:
    return lambda x, w=None, b=None: F.layer_norm(x, (3, 2), w, b, variance=variance)


CASES = [
    (batch_norm("biased"), (4, 3, 2), (3,)),
    (batch_norm("unbiased"), (4, 3), (3,)),
    (layer_norm("biased"), (4, 3, 2), (3, 2)),
    (layer_norm("unbiased"), (3, 2), (3, 2)),
]


@pytest.mark.parametrize(("function", "shape", "parameters"), CASES)
def test_first_and_second_derivatives(
    function: Callable[..., Tensor], shape: tuple[int, ...], parameters: tuple[int, ...]
) -> None:
    inputs = [normal(*shape).requires_grad_()]
    assert gradcheck(function, inputs, check_forward_ad=True, check_batched_grad=True, check_batched_forward_grad=True)
    assert gradgradcheck(function, inputs)
    inputs += [normal(*parameters, seed=1).requires_grad_(), normal(*parameters, seed=2).requires_grad_()]
    assert gradcheck(function, inputs, check_forward_ad=True, check_batched_grad=True, check_batched_forward_grad=True)
    assert gradgradcheck(function, inputs)


def test_derivatives_in_evaluation() -> None:
    mean, variance = normal(3), normal(3, seed=1).square() + 0.5

    def function(x: Tensor, w: Tensor, b: Tensor) -> Tensor:
        return F.batch_norm(x, mean, variance, w, b)

    inputs = [normal(4, 3).requires_grad_(), normal(3, seed=1).requires_grad_(), normal(3, seed=2).requires_grad_()]
    assert gradcheck(function, inputs, check_forward_ad=True)
    assert gradgradcheck(function, inputs)


@pytest.mark.parametrize("layer", [BatchNorm1d(3, track_running_stats=False), LayerNorm(3, variance="unbiased")])
def test_function_transforms_agree_with_each_other(layer: torch.nn.Module) -> None:
    layer = layer.double()
    xs = normal(2, 4, 3)

    def loss(x: Tensor) -> Tensor:
        return (layer(x).pow(3) * torch.arange(3)).sum()

    torch.testing.assert_close(vmap(layer)(xs), torch.stack([layer(x) for x in xs]))
    torch.testing.assert_close(vmap(grad(loss))(xs), torch.stack([grad(loss)(x) for x in xs]))
    torch.testing.assert_close(jacrev(layer)(xs[0]), jacfwd(layer)(xs[0]))
    by_forward_over_reverse = hessian(loss)(xs[0])
    torch.testing.assert_close(by_forward_over_reverse, jacrev(jacrev(loss))(xs[0]))
    torch.testing.assert_close(by_forward_over_reverse, jacrev(jacfwd(loss))(xs[0]))


def test_per_example_gradients_of_parameters() -> None:
    layer, xs = LayerNorm(3), normal(5, 4, 3).float()
    parameters = dict(layer.named_parameters())

    def loss(parameters: Mapping[str, Tensor], x: Tensor) -> Tensor:
        return functional_call(layer, dict(parameters), (x,)).pow(3).sum()

    each = vmap(grad(loss), (None, 0))(parameters, xs)
    for i, x in enumerate(xs):
        torch.testing.assert_close(each["weight"][i], grad(loss)(parameters, x)["weight"])


def test_an_ensemble_under_vmap_updates_each_members_estimates() -> None:
    members = [BatchNorm1d(3) for _ in range(2)]
    parameters, buffers = stack_module_state(members)  # pyright: ignore[reportArgumentType]
    xs = normal(2, 8, 3).float()

    def member(p: dict[str, Tensor], b: dict[str, Tensor], x: Tensor) -> Tensor:
        return functional_call(members[0], (p, b), (x,))

    y = vmap(member)(parameters, buffers, xs)
    for i in range(2):
        torch.testing.assert_close(y[i], members[i](xs[i]))
        torch.testing.assert_close(buffers["running_var"][i], members[i].running_var)


def test_vmap_over_a_tracking_layer_says_what_to_do() -> None:
    with pytest.raises(RuntimeError, match=r"under vmap.*track_running_stats=False"):
        vmap(BatchNorm1d(3))(torch.randn(2, 4, 3))


def test_nodes_have_the_names_of_the_layers() -> None:
    x = torch.randn(4, 3, requires_grad=True)
    assert BatchNorm1d(3)(x).grad_fn.name() == "BatchNormBackward"
    assert LayerNorm(3)(x).grad_fn.name() == "LayerNormBackward"


def test_the_graph_keeps_the_input_and_no_second_tensor_of_its_size() -> None:
    for layer in (BatchNorm1d(64), LayerNorm(64)):
        kept: list[Tensor] = []

        def keep(t: Tensor, kept: list[Tensor] = kept) -> Tensor:
            kept.append(t)
            return t

        x = torch.randn(64, 64, requires_grad=True)
        with torch.autograd.graph.saved_tensors_hooks(keep, lambda t: t):
            layer(x)
        assert len({t.data_ptr() for t in kept if t.numel() == x.numel()}) == 1
