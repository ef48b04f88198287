"""Every optimizer, every textbook option, against the formula computed anew in NumPy, float64."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from trimtab.methods.descent import START, descend
from trimtab.optim import SGD, Adam, AdamW, RMSprop


def by_hand(
    w,
    gs,
    *,
    lr,
    kind,
    beta1=0.0,
    beta2=None,
    eps=1e-8,
    inside=False,
    corrected=False,
    nesterov=False,
    dampening=0.0,
    centered=False,
    amsgrad=False,
    decay=0.0,
    decoupled=False,
    maximize=False,
):
    """`kind` is how the direction is made: "ema", "torch" (a sum), or "scaled" (a sum of what is scaled already)."""
    v = s = m = largest = np.zeros_like(w)
    for t, g in enumerate(gs, 1):
        g = -g if maximize else g
        if decoupled:
            w = w - lr * decay * w
        else:
            g = g + decay * w
        scale = 1.0
        if beta2 is not None:
            s = beta2 * s + (1 - beta2) * g**2
            m = beta2 * m + (1 - beta2) * g
            weight = 1 - beta2**t if corrected else 1.0
            largest = np.maximum(largest, s)
            square = (largest if amsgrad else s) / weight
            if centered:
                square = np.maximum(square - (m / weight) ** 2, 0)
            scale = np.sqrt(square + eps) if inside else np.sqrt(square) + eps
        if kind == "scaled":
            g, scale = g / scale, 1.0
        if beta1 == 0:
            d = g
        elif kind == "ema":
            v = beta1 * v + (1 - beta1) * g
            d = beta1 * v + (1 - beta1) * g if nesterov else v
            if corrected:
                d = d / (1 - beta1 ** (t + 1 if nesterov else t))
        else:
            v = g if t == 1 else beta1 * v + (1 - dampening) * g
            d = g + beta1 * v if nesterov else v
        w = w - lr * d / scale
    return w


def run(make, start, gs, dtype=torch.float64):
    p = nn.Parameter(torch.tensor(start, dtype=dtype))
    optimizer = make([p])
    for g in gs:
        p.grad = torch.tensor(g, dtype=dtype)
        optimizer.step()
    return p.detach().double().numpy()


SGDS = [
    dict(zip(("momentum", "form", "corrected", "nesterov", "decay", "decoupled", "maximize"), values, strict=True))
    for values in [
        (0.0, "torch", False, False, 0.0, False, False),
        (0.0, "torch", False, False, 0.1, True, True),
        (0.9, "torch", False, False, 0.1, False, False),
        (0.9, "torch", False, True, 0.1, True, False),
        (0.9, "ema", False, False, 0.0, False, False),
        (0.9, "ema", True, False, 0.1, False, True),
        (0.9, "ema", False, True, 0.0, False, False),
        (0.9, "ema", True, True, 0.1, True, False),
    ]
]
RANDOM = {"scale": st.floats(-20, 20), "seed": st.integers(0, 99)}


def example(scale, seed, steps=6):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(2, 3)), 10**scale * rng.normal(size=(steps, 2, 3))


def close(actual, expected):
    np.testing.assert_allclose(actual, expected, rtol=1e-11, atol=1e-11 * np.abs(expected).max())


@pytest.mark.parametrize("options", SGDS, ids=str)
@settings(derandomize=True, deadline=None, max_examples=8)
@given(**RANDOM)
def test_sgd(options, scale, seed):
    start, gs = example(scale, seed)

    kind, beta = options["form"], options["momentum"]
    given = {
        "momentum_form": kind,
        "nesterov": options["nesterov"],
        "maximize": options["maximize"],
        "weight_decay": options["decay"],
        "decoupled_weight_decay": options["decoupled"],
        "bias_correction": options["corrected"],
    }
    formula = {key: options[key] for key in ("corrected", "nesterov", "decay", "decoupled", "maximize")}
    actual = run(lambda p: SGD(p, lr=0.1, momentum=beta, **given), start, gs)
    close(actual, by_hand(start, gs, lr=0.1, kind=kind, beta1=beta, **formula))


def test_sgd_dampening():
    start, gs = example(0, 0)
    close(
        run(lambda p: SGD(p, lr=0.1, momentum=0.9, dampening=0.5), start, gs),
        by_hand(start, gs, lr=0.1, kind="torch", beta1=0.9, dampening=0.5),
    )


@pytest.mark.parametrize("momentum", [(0.0, "torch"), (0.9, "torch"), (0.9, "ema")])
@pytest.mark.parametrize(("inside", "corrected", "centered"), list(itertools.product([False, True], repeat=3)))
def test_rmsprop(momentum, inside, corrected, centered):
    beta, form = momentum
    start, gs = example(0, 1)

    kind = "scaled" if form == "torch" else "ema"
    given = {"eps_inside_sqrt": inside, "bias_correction": corrected, "centered": centered, "momentum_form": form}
    formula = {"inside": inside, "corrected": corrected, "centered": centered, "kind": kind}
    actual = run(lambda p: RMSprop(p, 0.1, 0.9, eps=0.1, momentum=beta, weight_decay=0.1, **given), start, gs)
    expected = by_hand(start, gs, lr=0.1, beta1=beta, beta2=0.9, eps=0.1, decay=0.1, **formula)
    np.testing.assert_allclose(actual, expected, rtol=1e-6)  # s − m² is 0 at the first step


@pytest.mark.parametrize("momentum", [(0.0, "torch"), (0.9, "torch"), (0.9, "ema")])
@pytest.mark.parametrize(("decoupled", "maximize"), list(itertools.product([False, True], repeat=2)))
@settings(derandomize=True, deadline=None, max_examples=8)
@given(**RANDOM)
def test_rmsprop_decay_and_maximize_at_any_scale(momentum, decoupled, maximize, scale, seed):
    beta, form = momentum
    start, gs = example(scale, seed)
    given = {"decoupled_weight_decay": decoupled, "maximize": maximize, "momentum_form": form}
    formula = {"decoupled": decoupled, "maximize": maximize, "kind": "scaled" if form == "torch" else "ema"}
    actual = run(lambda p: RMSprop(p, 0.1, 0.9, momentum=beta, weight_decay=0.1, **given), start, gs)
    close(actual, by_hand(start, gs, lr=0.1, beta1=beta, beta2=0.9, decay=0.1, **formula))


@pytest.mark.parametrize(("inside", "corrected", "amsgrad"), list(itertools.product([False, True], repeat=3)))
@settings(derandomize=True, deadline=None, max_examples=8)
@given(decay=st.sampled_from([0.0, 0.1]), **RANDOM)
def test_adam(inside, corrected, amsgrad, decay, scale, seed):
    start, gs = example(scale, seed)
    given = {"amsgrad": amsgrad, "weight_decay": decay, "eps_inside_sqrt": inside, "bias_correction": corrected}
    formula = {"amsgrad": amsgrad, "decay": decay, "inside": inside, "corrected": corrected}
    for kind in (Adam, AdamW):
        actual = run(lambda p, kind=kind: kind(p, 0.1, (0.8, 0.95), **given), start, gs)
        decoupled = kind is AdamW
        close(actual, by_hand(start, gs, lr=0.1, kind="ema", beta1=0.8, beta2=0.95, decoupled=decoupled, **formula))


def test_adam_is_rmsprop_with_the_average_of_the_gradient_and_correction():
    start, gs = example(0, 2, steps=20)
    adam = run(lambda p: Adam(p, lr=0.1, betas=(0.9, 0.99)), start, gs)
    rmsprop = run(
        lambda p: RMSprop(p, lr=0.1, alpha=0.99, momentum=0.9, momentum_form="ema", bias_correction=True), start, gs
    )
    np.testing.assert_array_equal(adam, rmsprop)


def test_torchs_momentum_at_a_smaller_rate_is_the_textbooks():
    start, gs = example(0, 3, steps=20)
    ema = run(lambda p: SGD(p, lr=0.1, momentum=0.9, momentum_form="ema"), start, gs)
    accumulated = run(lambda p: SGD(p, lr=0.1 * (1 - 0.9), momentum=0.9), start, gs)
    np.testing.assert_allclose(ema, accumulated, rtol=1e-12)


@pytest.mark.parametrize(
    ("make", "setting"),
    [
        (lambda p: SGD(p, lr=0.1), {}),
        (lambda p: SGD(p, lr=0.1, momentum=0.9, momentum_form="ema"), {"beta1": 0.9}),
        (lambda p: RMSprop(p, lr=0.1, alpha=0.99), {"beta2": 0.99}),
        (lambda p: Adam(p, lr=0.1), {"beta1": 0.9, "beta2": 0.999, "corrected": True}),
        (
            lambda p: Adam(p, lr=0.1, bias_correction=False, eps_inside_sqrt=True),
            {"beta1": 0.9, "beta2": 0.999, "eps_inside": True},
        ),
    ],
)
def test_the_components_equal_the_references(make, setting):
    start, gs = example(0, 4)
    w, memory = torch.from_numpy(start), START
    for g in gs:
        w, memory = descend(w, torch.from_numpy(g), memory, lr=0.1, **setting)
    np.testing.assert_allclose(run(make, start, gs), w.numpy(), rtol=1e-12)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
@pytest.mark.parametrize("kind", [SGD, RMSprop, Adam, AdamW])
def test_short_formats_follow_float64(kind, dtype):
    """Each step is right to a rounding of the weights, whatever their format."""
    start, gs = example(0, 5, steps=1)
    start = torch.tensor(start, dtype=dtype).double().numpy()
    gs = torch.tensor(gs, dtype=dtype).double().numpy()
    exact, short = (run(lambda p: kind(p, lr=0.01), start, gs, d) for d in (torch.float64, dtype))
    np.testing.assert_allclose(short, exact, rtol=torch.finfo(dtype).eps)


def test_a_constant_gradient_never_makes_the_centred_scale_nan():
    p = nn.Parameter(torch.zeros(1000))
    optimizer = RMSprop([p], centered=True, alpha=0.9)
    g = torch.rand(1000)
    for _ in range(300):
        p.grad = g.clone()
        optimizer.step()
    assert torch.isfinite(p).all()


def test_bfloat16_average_of_squares_does_not_stand_still():
    p = nn.Parameter(torch.zeros(1, dtype=torch.bfloat16))
    optimizer = Adam([p])
    for _ in range(2000):
        p.grad = torch.ones(1, dtype=torch.bfloat16)
        optimizer.step()
    assert optimizer.state[p]["exp_avg_sq"].item() == pytest.approx(1 - 0.999**2000, rel=1e-4)


@pytest.mark.parametrize("kind", [SGD, RMSprop, Adam, AdamW])
@settings(derandomize=True, deadline=None, max_examples=15)
@given(scale=st.floats(-15, 15), seed=st.integers(0, 99))
def test_float32_follows_float64_at_any_scale(kind, scale, seed):
    start, gs = example(scale, seed)
    start, gs = start.astype(np.float32), gs.astype(np.float32)
    exact, single = (run(lambda p: kind(p, lr=0.01), start, gs, d) for d in (torch.float64, torch.float32))
    np.testing.assert_allclose(single, exact, rtol=1e-5, atol=1e-5 * max(1.0, 10**scale))


@pytest.mark.parametrize("options", [{"centered": True}, {"centered": True, "momentum": 0.9}, {}], ids=str)
@settings(derandomize=True, deadline=None, max_examples=8)
@given(ratio=st.floats(-1e4, 1e4), **RANDOM)
def test_gradients_far_from_zero_at_any_scale(options, ratio, scale, seed):
    """`s − m²` loses the digits that `(mean/sd)²` has, so that what it is compared with has more than float64."""
    rng = np.random.default_rng(seed)
    start, gs = rng.normal(size=(2, 3)), 10**scale * (ratio + rng.normal(size=(6, 2, 3)))
    beta = options.get("momentum", 0.0)
    formula = {"kind": "scaled", "beta1": beta, "beta2": 0.9, "eps": 1e-30, "centered": "centered" in options}
    exact = by_hand(start.astype(np.longdouble), gs.astype(np.longdouble), lr=np.longdouble(0.01), **formula)
    actual = run(lambda p: RMSprop(p, lr=0.01, alpha=0.9, eps=1e-30, **options), start, gs)
    np.testing.assert_allclose(actual, exact.astype(np.float64), rtol=1e-5, atol=1e-5)


def test_dampening_of_an_average_is_refused():
    with pytest.raises(ValueError, match="dampening"):
        SGD([nn.Parameter(torch.zeros(1))], momentum=0.9, dampening=0.1, momentum_form="ema")
