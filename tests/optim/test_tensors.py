"""Parameters and gradients of every kind: strides, overlap, 0 dimensions, none at all, complex, mixed dtypes, tied."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from trimtab.average import EMA
from trimtab.clip import ClipByNorm, ClipByValue
from trimtab.optim import SGD, Adam, AdamW, RMSprop

CASES = [
    (SGD, {}),
    (SGD, {"momentum": 0.9, "nesterov": True}),
    (SGD, {"momentum": 0.9, "momentum_form": "ema", "bias_correction": True}),
    (RMSprop, {"momentum": 0.9, "centered": True, "eps": 0.1}),
    (Adam, {"amsgrad": True, "weight_decay": 0.1}),
    (AdamW, {"eps_inside_sqrt": True}),
]
each = pytest.mark.parametrize(("kind", "options"), CASES, ids=lambda x: getattr(x, "__name__", str(x)))


def stepped(kind, options, p, grads):
    parameter = nn.Parameter(p)
    optimizer = kind([parameter], lr=0.1, **options)
    for g in grads:
        parameter.grad = g
        optimizer.step()
    return parameter.detach()


@pytest.mark.usefixtures("on_torch_operations")
@each
@pytest.mark.parametrize("layout", ["transposed", "sliced", "channels last", "expanded gradient", "reversed gradient"])
def test_strides_do_not_matter(kind, options, layout):
    torch.manual_seed(0)
    dense, grads = torch.randn(2, 3, 4, 5), [torch.randn(2, 3, 4, 5) for _ in range(4)]
    strided, other, wide = dense.clone(), [g.clone() for g in grads], torch.zeros(2, 3, 4, 10)
    if layout == "transposed":
        strided = dense.permute(3, 1, 0, 2).contiguous().permute(2, 1, 3, 0)
    elif layout == "sliced":
        strided = wide[..., ::2].copy_(dense)
    elif layout == "channels last":
        other = [g.contiguous(memory_format=torch.channels_last) for g in grads]
    elif layout == "expanded gradient":
        grads = [g[:1, :1].expand(2, 3, 4, 5) for g in grads]
        other = [g.contiguous() for g in grads]
    else:
        other = [g.permute(3, 2, 1, 0).contiguous().permute(3, 2, 1, 0) for g in grads]
    result = stepped(kind, options, strided, grads)
    assert torch.equal(result, stepped(kind, options, dense, other))
    assert not wide[..., 1::2].any()  # what lies between is left alone


@pytest.mark.usefixtures("on_torch_operations")
@each
def test_complex_is_stepped_as_pairs_of_reals(kind, options):
    torch.manual_seed(0)
    p, grads = torch.randn(4, dtype=torch.complex64), [torch.randn(4, dtype=torch.complex64) for _ in range(4)]
    pairs = stepped(kind, options, torch.view_as_real(p).clone(), [torch.view_as_real(g) for g in grads])
    assert torch.equal(torch.view_as_real(stepped(kind, options, p.clone(), grads)), pairs)


@each
def test_a_conjugate_view_is_stepped_as_its_copy(kind, options):
    torch.manual_seed(0)
    p, grads = torch.randn(4, dtype=torch.complex64), [torch.randn(4, dtype=torch.complex64) for _ in range(4)]
    plain = stepped(kind, options, p.conj().resolve_conj(), grads)
    viewed = stepped(kind, options, p.conj(), grads)
    assert viewed.is_conj() and torch.equal(viewed, plain)


@pytest.mark.parametrize("clip", [ClipByNorm(0.5), ClipByValue(0.5)])
def test_complex_is_clipped_as_pairs_of_reals(clip):
    p, grads = torch.randn(4, dtype=torch.complex64), [torch.randn(4, dtype=torch.complex64) for _ in range(2)]
    pairs = stepped(SGD, {"clip": clip}, torch.view_as_real(p).clone(), [torch.view_as_real(g) for g in grads])
    torch.testing.assert_close(torch.view_as_real(stepped(SGD, {"clip": clip}, p.clone(), grads)), pairs)


@each
def test_scalars_empties_and_parameters_without_gradient(kind, options):
    scalar, empty, idle = nn.Parameter(torch.tensor(2.0)), nn.Parameter(torch.empty(0, 3)), nn.Parameter(torch.ones(2))
    optimizer = kind([scalar, empty, idle], lr=0.1, clip=ClipByNorm(0.5), average=EMA(0.9), **options)
    for _ in range(3):
        scalar.grad, empty.grad = torch.tensor(1.0), torch.empty(0, 3)
        optimizer.step()
    assert scalar < 2 and scalar.dtype == torch.float32 and empty.shape == (0, 3)
    assert torch.equal(idle, torch.ones(2))
    assert idle not in optimizer.state
    with optimizer.averaged():
        assert scalar.shape == ()


@each
def test_mixed_dtypes_in_one_group(kind, options):
    torch.manual_seed(0)
    formats = [torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.complex64]
    params = [nn.Parameter(torch.ones(5, dtype=dtype)) for dtype in formats]
    optimizer = kind(params, lr=0.1, clip=ClipByNorm(100.0), **options)
    g = torch.randn(3, 5)
    for row in g:
        for p in params:
            p.grad = row.to(p.dtype)
        optimizer.step()
    for p in params:
        torch.testing.assert_close(p.detach().real.double(), params[3].detach(), rtol=0.03, atol=0.03)
        for key, value in optimizer.state[p].items():
            short = p.dtype in (torch.float16, torch.bfloat16)
            assert key == "step" or value.dtype == (torch.float32 if short else p.dtype)


def test_float32_gradients_of_a_bfloat16_parameter_are_not_rounded_first():
    p = nn.Parameter(torch.zeros(1, dtype=torch.bfloat16))
    if not hasattr(p, "grad_dtype"):
        pytest.skip("this torch gives a gradient the dtype of its parameter")
    p.grad_dtype = torch.float32
    optimizer = Adam([p], clip=ClipByNorm(100.0))
    p.grad = torch.tensor([1 + 2**-12])
    optimizer.step()
    assert optimizer.state[p]["exp_avg"].item() == pytest.approx(0.1 * (1 + 2**-12), rel=1e-6)


def test_float16_beyond_its_range_in_the_state():
    p = nn.Parameter(torch.zeros(2, dtype=torch.float16))
    optimizer = Adam([p], lr=0.5)
    p.grad = torch.tensor([60000.0, 1e-7], dtype=torch.float16)  # squares: 3.6e9 and 1e-14
    optimizer.step()
    torch.testing.assert_close(p.detach(), torch.tensor([-0.5, -0.5], dtype=torch.float16), rtol=0.1, atol=0)


def test_a_parameter_listed_twice_warns_and_one_in_two_groups_is_refused():
    p = nn.Parameter(torch.ones(1))
    with pytest.warns(UserWarning, match="duplicate parameters"):
        SGD([p, p])
    with pytest.raises(ValueError, match="more than one parameter group"):
        SGD([{"params": [p]}, {"params": [p]}])


def test_tied_modules_are_stepped_once():
    first, second = nn.Linear(2, 2), nn.Linear(2, 2)
    second.weight = first.weight
    model = nn.Sequential(first, second)
    optimizer = SGD(model.parameters(), lr=1.0)
    before = first.weight.detach().clone()
    model(torch.ones(1, 2)).sum().backward()
    grad = first.weight.grad
    optimizer.step()
    assert grad is not None and torch.equal(first.weight, before - grad)


@pytest.mark.parametrize("kind", [SGD, RMSprop, Adam, AdamW])
def test_sparse_gradients_are_refused_by_name_and_change_nothing(kind):
    table, dense = nn.Embedding(4, 2, sparse=True), nn.Parameter(torch.ones(1))
    optimizer = kind([("dense", dense), ("table.weight", table.weight)])
    (table(torch.tensor([1])).sum() + dense.sum()).backward()
    with pytest.raises(RuntimeError, match=r"sparse gradients.*parameter 1 \('table.weight'\).*torch.optim.SparseAdam"):
        optimizer.step()
    assert dense == 1
