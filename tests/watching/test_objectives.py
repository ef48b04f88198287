"""What the loss compares is read from its graph: targets, predictions, and faults in how they meet."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from trimtab.core.signal import (
    BATCH_MODE,
    BATCH_VALUES,
    EPSILON_SHARE,
    LEFTOVER,
    MEAN_DRIFT,
    MISFIT,
    OUTPUT_SIZE,
    OWNED,
    REACHED,
    SURPRISE,
    TARGET_COUNT,
    TARGET_MEAN,
    TARGET_SD,
    TARGET_SIZE,
    TIME_CALLS,
    TIME_GAIN,
    UNIT_SPREAD,
    VARIANCE_DRIFT,
    WEIGHT_DECAY,
    WEIGHT_SHRINKAGE,
    Signal,
)
from trimtab.core.trace import Trace
from trimtab.watching import Watcher
from trimtab.watching.objective import objectives

torch.manual_seed(0)
X, Y, T = torch.randn(8, 3), torch.randn(8), torch.randint(4, (8,))
ONE, FOUR = nn.Linear(3, 1), nn.Linear(3, 4)

FORMS: dict[str, tuple[Callable[[], Tensor], str, str | None]] = {
    "mse of a column against a row": (lambda: F.mse_loss(ONE(X), Y), "mse", "broadcast"),
    "by hand, column against row": (lambda: ((ONE(X) - Y) ** 2).mean(), "squared", "broadcast"),
    "by hand, row against column": (lambda: ((Y[:, None] - ONE(X)[:, 0]) ** 2).mean(), "squared", "broadcast"),
    "product of a difference": (lambda: (d := ONE(X) - Y).mul(d).mean(), "squared", "broadcast"),
    "l1": (lambda: F.l1_loss(ONE(X), Y), "absolute", "broadcast"),
    "smooth l1": (lambda: F.smooth_l1_loss(ONE(X), Y), "smooth_l1", "broadcast"),
    "equal shapes": (lambda: F.mse_loss(ONE(X)[:, 0], Y), "mse", None),
    "one number for all": (lambda: F.mse_loss(ONE(X).mean(), Y), "mse", None),
    "one row for all": (lambda: F.mse_loss(FOUR(X).mean(0), torch.randn(8, 4)), "mse", None),
    "distances to prototypes": (lambda: (ONE(X) - torch.randn(5)).square().mean(), "squared", None),
    "root of the mean square": (lambda: ((ONE(X)[:, 0] - Y) ** 2).mean().sqrt(), "squared", None),
    "cross entropy": (lambda: F.cross_entropy(FOUR(X), T), "cross_entropy", None),
    "softmax before cross entropy": (lambda: F.cross_entropy(FOUR(X).softmax(1), T), "cross_entropy", "softmax"),
    "the same, reshaped": (lambda: F.cross_entropy(FOUR(X).softmax(1)[None].squeeze(0), T), "cross_entropy", "softmax"),
    "the same, smoothed": (
        lambda: F.cross_entropy(FOUR(X).softmax(1), T, label_smoothing=0.1),
        "cross_entropy",
        "softmax",
    ),
    "the same, soft labels": (
        lambda: F.cross_entropy(FOUR(X).softmax(1), torch.rand(8, 4)),
        "cross_entropy",
        "softmax",
    ),
    "sigmoid before cross entropy": (lambda: F.cross_entropy(FOUR(X).sigmoid(), T), "cross_entropy", "sigmoid"),
    "log_softmax before cross entropy": (lambda: F.cross_entropy(FOUR(X).log_softmax(1), T), "cross_entropy", None),
    "probabilities for nll": (lambda: F.nll_loss(FOUR(X).softmax(1), T), "cross_entropy", "probabilities"),
    "nll": (lambda: F.nll_loss(FOUR(X).log_softmax(1), T), "cross_entropy", None),
    "picked by hand": (lambda: -FOUR(X).log_softmax(1)[range(8), T].mean(), "cross_entropy", None),
    "gathered by hand": (lambda: -FOUR(X).log_softmax(1).gather(1, T[:, None]).mean(), "cross_entropy", None),
    "sigmoid before logits": (
        lambda: F.binary_cross_entropy_with_logits(ONE(X).sigmoid(), Y[:, None].sigmoid()),
        "binary_cross_entropy_with_logits",
        "sigmoid",
    ),
    "sigmoid before its own loss": (
        lambda: F.binary_cross_entropy(ONE(X).sigmoid(), Y[:, None].sigmoid()),
        "binary_cross_entropy",
        None,
    ),
    "weights of attention": (
        lambda: F.cross_entropy((FOUR(X).softmax(1) @ torch.randn(4, 4)), T),
        "cross_entropy",
        None,
    ),
}


@pytest.mark.parametrize("name", FORMS)
def test_forms_of_losses(name: str) -> None:
    make, kind, form = FORMS[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch warns of some of these shapes itself
        found = objectives([make()])
    assert [(o.kind, o.form) for o in found] == [(kind, form)]


def test_several_terms_are_seen_each() -> None:
    loss = F.mse_loss(ONE(X)[:, 0], Y) + 0.1 * F.cross_entropy(FOUR(X), T)
    assert {o.kind for o in objectives([loss])} == {"mse", "cross_entropy"}
    assert objectives([FOUR(X).sum()]) == []


def watch(train: Callable[[], None]) -> Trace:
    with Watcher(budget=100) as watcher:
        train()
    trace = watcher.trace()
    assert not [e for e in trace.events if e.data.get("reason") == "watcher"], trace.events
    return trace


def value(trace: Trace, signal: Signal, row: int = 0, place: int = 0) -> float:
    return float(trace[signal][row, place])


def test_targets_predictions_and_misfit() -> None:
    x, y = torch.randn(32, 3), 5 + 2 * torch.randn(32, 1)
    prediction = ONE(x).detach()
    trace = watch(lambda: F.mse_loss(ONE(x), y).backward())
    site = trace.of("objective")[0]
    assert site.attrs["compares"] == "mse" and site.attrs["columns"] == 1
    y64 = y.double().numpy()
    assert value(trace, TARGET_COUNT) == 32
    assert value(trace, TARGET_MEAN) == pytest.approx(y64.mean(), rel=1e-6)
    assert value(trace, TARGET_SD) == pytest.approx(y64.std(), rel=1e-6)
    assert value(trace, TARGET_SIZE) == pytest.approx(np.sqrt((y64**2).mean()), rel=1e-5)
    assert value(trace, OUTPUT_SIZE) == pytest.approx(float(prediction.square().mean().sqrt()), rel=1e-5)
    assert value(trace, MISFIT) == pytest.approx(float((prediction - y).square().mean()), rel=1e-5)


def test_classes_without_those_that_are_to_be_ignored() -> None:
    target = torch.tensor([0, 1, 3, -100, 2, -100])
    logits = FOUR(torch.randn(6, 3))
    loss = F.cross_entropy(logits, target)
    trace = watch(loss.backward)
    assert trace.of("objective")[0].attrs["classes"] == 4
    assert (value(trace, TARGET_COUNT), value(trace, TARGET_MEAN)) == (4, 1.5)
    assert value(trace, SURPRISE) == pytest.approx(loss.item(), rel=1e-5)


def test_batch_norm_counts_modes_and_drift() -> None:
    norm, head = nn.BatchNorm2d(3, momentum=0.25), nn.Linear(3, 1)
    x = 4 + 3 * torch.randn(6, 3, 5, 5)

    def train() -> None:
        head(norm(x).mean((2, 3))).sum().backward()
        norm.eval()
        head(norm(x).mean((2, 3))).sum().backward()

    trace = watch(train)
    place = [site.name for site in trace.of("layer")].index("norm")
    assert value(trace, BATCH_VALUES, 0, place) == 6 * 25
    assert trace[BATCH_MODE][:, place].tolist() == [1.0, 0.0]
    mean, variance = x.double().mean((0, 2, 3)), x.double().var((0, 2, 3), correction=0)
    unbiased = x.double().var((0, 2, 3))
    distance = ((0.25 * mean - mean).abs() / variance.sqrt()).median()
    assert value(trace, MEAN_DRIFT, 0, place) == pytest.approx(float(distance), rel=1e-4)
    ratio = ((0.75 + 0.25 * unbiased) / variance).log().abs().median()
    assert value(trace, VARIANCE_DRIFT, 0, place) == pytest.approx(float(ratio), rel=1e-4)


def place_of(trace: Trace, ending: str) -> int:
    """A parameter by the end of its name: other models of this file give each a name in front."""
    return next(i for i, site in enumerate(trace.of("parameter")) if site.name.endswith(ending))


def steps(optimizer: torch.optim.Optimizer, loss: Callable[[], Tensor], n: int, clear: bool = True) -> None:
    for _ in range(n):
        loss().backward()
        optimizer.step()
        if clear:
            optimizer.zero_grad()


@pytest.mark.parametrize("clear", [True, False])
def test_gradients_that_are_never_cleared(clear: bool) -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1))
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)
    trace = watch(lambda: steps(optimizer, lambda: model(X).square().mean(), 5, clear))
    assert trace[LEFTOVER][:, 0].tolist() == [0.0 if clear else 1.0] * 4  # the first step has none before it


def test_a_discriminators_leftovers_are_cleared_in_time() -> None:
    g, d = nn.Linear(2, 2), nn.Linear(2, 1)
    of_g, of_d = torch.optim.SGD(g.parameters(), lr=1e-3), torch.optim.SGD(d.parameters(), lr=1e-3)

    def train() -> None:
        for _ in range(4):
            fake = g(torch.randn(8, 2))
            of_d.zero_grad()
            (d(torch.randn(8, 2)).mean() - d(fake.detach()).mean()).backward()
            of_d.step()
            of_g.zero_grad()
            d(fake).mean().backward()
            of_g.step()

    flags = watch(train)[LEFTOVER]
    assert (flags[np.isfinite(flags)] == 0).all()


def test_wiring() -> None:
    cut, head, orphan = nn.Linear(3, 4), nn.Linear(4, 4), nn.Linear(4, 1)
    optimizer = torch.optim.SGD([*cut.parameters(), *head.parameters()], lr=1e-3)
    trace = watch(lambda: steps(optimizer, lambda: orphan(head(cut(X).detach())).square().mean(), 3))
    names = [site.name for site in trace.of("parameter")]
    reached = {name: value(trace, REACHED, 0, names.index(name)) for name in names}
    owned = {name: value(trace, OWNED, 0, names.index(name)) for name in names if not name.startswith("cut")}
    assert reached["cut.weight"] == 0 and reached["head.weight"] == 1
    assert owned["head.weight"] == 1 and owned["orphan.weight"] == 0


def test_units_that_are_copies() -> None:
    hidden, out = nn.Linear(3, 4), nn.Linear(4, 1)
    model = nn.Sequential(hidden, nn.Tanh(), out)
    nn.init.constant_(hidden.weight, 0.3)
    nn.init.constant_(out.weight, 0.2)
    nn.init.zeros_(hidden.bias)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    trace = watch(lambda: steps(optimizer, lambda: F.mse_loss(model(X)[:, 0], Y), 6))
    place = place_of(trace, "0.weight")
    assert (trace[UNIT_SPREAD][:, place] < 1e-5).all()


def test_epsilon_and_decay() -> None:
    model = nn.Linear(3, 1)
    adam = torch.optim.Adam(model.parameters(), lr=1e-3, eps=0.1, weight_decay=0.5)
    trace = watch(lambda: steps(adam, lambda: F.mse_loss(model(X)[:, 0], Y), 1))
    place = place_of(trace, "weight")
    scale = adam.state[model.weight]["exp_avg_sq"].sqrt() / np.sqrt(1 - 0.999)
    assert value(trace, EPSILON_SHARE, 0, place) == pytest.approx(float((scale < 0.1).float().mean()))
    assert value(trace, WEIGHT_DECAY, 0, place) == 0.5
    adamw = torch.optim.AdamW(model.parameters(), lr=0.01, weight_decay=0.5)
    trace = watch(lambda: steps(adamw, lambda: F.mse_loss(model(X)[:, 0], Y), 1))
    assert value(trace, WEIGHT_SHRINKAGE, 0, place) == pytest.approx(0.005)


def test_the_gain_through_time_of_a_fused_lstm() -> None:
    lstm, x = nn.LSTM(3, 5, batch_first=True), torch.randn(4, 12, 3)
    trace = watch(lambda: lstm(x)[0][:, -1].sum().backward())
    cell = nn.LSTMCell(3, 5).double()
    for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
        getattr(cell, name).data.copy_(getattr(lstm, f"{name}_l0"))
    h, c = torch.zeros(4, 5, dtype=torch.double, requires_grad=True), torch.zeros(4, 5, dtype=torch.double)
    states = [(h, c.requires_grad_())]
    for t in range(12):
        states.append(cell(x[:, t].double(), states[-1]))
    norms = [
        np.sqrt(sum(float(g.square().sum()) for g in torch.autograd.grad(states[-1][0].sum(), s, retain_graph=True)))
        for s in states[:-1]
    ]
    slope = np.polyfit(np.arange(12), np.log(norms), 1)[0]
    place = int(np.flatnonzero(np.isfinite(trace[TIME_GAIN][0]))[0])
    assert value(trace, TIME_GAIN, 0, place) == pytest.approx(np.exp(-slope), rel=1e-3)
    assert value(trace, TIME_CALLS, 0, place) == 12
