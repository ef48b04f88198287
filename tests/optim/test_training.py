"""In a training loop as any optimizer of torch: groups, schedulers, closures, hooks, capture."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.optim import lr_scheduler

from trimtab.average import EMA
from trimtab.clip import ClipByNorm
from trimtab.optim import SGD, Adam, AdamW, Descent, RMSprop

KINDS = [SGD, RMSprop, Adam, AdamW]


def loss_of(params):
    return torch.stack([(p * p).sum() for p in params]).sum()


def run_pair(kind, schedule, **options):
    """The same training with ours and torch's."""
    results = []
    for make in (kind, getattr(torch.optim, kind.__name__)):
        torch.manual_seed(0)
        params = [nn.Parameter(torch.randn(3)), nn.Parameter(torch.randn(2, 2))]
        optimizer = make([{"params": params[:1], "lr": 0.01}, {"params": params[1:]}], lr=0.1, **options)
        scheduler = schedule(optimizer)
        for _ in range(8):
            optimizer.zero_grad()
            loss = loss_of(params)
            loss.backward()
            optimizer.step()
            scheduler.step(*([loss.item()] if isinstance(scheduler, lr_scheduler.ReduceLROnPlateau) else []))
        results.append((params, optimizer))
    return results


SCHEDULES = {
    "step": lambda o: lr_scheduler.StepLR(o, 3, 0.5),
    "one cycle": lambda o: lr_scheduler.OneCycleLR(o, 0.1, total_steps=10),
    "cyclic": lambda o: lr_scheduler.CyclicLR(o, 0.01, 0.1, step_size_up=3),
    "plateau": lambda o: lr_scheduler.ReduceLROnPlateau(o, patience=0),
    "sequential": lambda o: lr_scheduler.SequentialLR(
        o, [lr_scheduler.LinearLR(o), lr_scheduler.CosineAnnealingLR(o, 5)], [3]
    ),
}


@pytest.mark.filterwarnings("ignore:The epoch parameter in:UserWarning")  # torch 2.6's own SequentialLR gives one
@pytest.mark.usefixtures("on_torch_operations")
@pytest.mark.parametrize("schedule", SCHEDULES.values(), ids=SCHEDULES)
@pytest.mark.parametrize("kind", KINDS)
def test_schedulers_drive_it_as_torchs(kind, schedule):
    options = {"momentum": 0.9} if kind in (SGD, RMSprop) else {}
    (ours, optimizer), (theirs, reference) = run_pair(kind, schedule, **options)
    assert all(torch.equal(p, q) for p, q in zip(ours, theirs, strict=True))
    for mine, other in zip(optimizer.param_groups, reference.param_groups, strict=True):
        assert mine["lr"] == other["lr"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [(), (1,)])
def test_a_tensor_lr_is_read_at_every_step(kind, shape):
    ours, plain = nn.Parameter(torch.ones(3)), nn.Parameter(torch.ones(3))
    lr = torch.full(shape, 0.1)
    optimizer, reference = kind([ours], lr=lr), kind([plain], lr=0.1)
    for value in (0.1, 0.01):
        lr.fill_(value)
        reference.param_groups[0]["lr"] = value
        for p, o in ((ours, optimizer), (plain, reference)):
            p.grad = torch.ones(3)
            o.step()
    torch.testing.assert_close(ours, plain)


@pytest.mark.parametrize("capturable", [False, True])
def test_tensor_betas_and_capturable_give_the_same(capturable):
    results = []
    for betas, options in (((0.9, 0.99), {}), ((torch.tensor(0.9), torch.tensor([0.99])), {"capturable": capturable})):
        torch.manual_seed(0)
        params = [nn.Parameter(torch.randn(3)), nn.Parameter(torch.randn(()))]
        optimizer = Adam(params, lr=torch.tensor([0.1]), betas=betas, amsgrad=True, weight_decay=0.1, **options)
        for _ in range(4):
            for p in params:
                p.grad = torch.randn_like(p)
            optimizer.step()
        results.append([p.detach() for p in params])
    torch.testing.assert_close(*results)


@pytest.mark.parametrize("kind", [RMSprop, Adam, AdamW])
def test_capturable_gives_the_same(kind):
    results = []
    for capturable in (False, True):
        torch.manual_seed(0)
        params = [nn.Parameter(torch.randn(shape, dtype=torch.float64)) for shape in ((3,), ())]
        optimizer = kind(params, capturable=capturable, weight_decay=0.1)
        for _ in range(4):
            for p in params:
                p.grad = torch.randn_like(p)
            optimizer.step()
        results.append([p.detach() for p in params])
    torch.testing.assert_close(*results, rtol=1e-12, atol=1e-12)


def test_a_closure_is_called_once_with_gradients_on_and_its_value_returned():
    p = nn.Parameter(torch.ones(2))
    optimizer, calls = SGD([p], lr=0.1), []

    def closure():
        calls.append(torch.is_grad_enabled())
        optimizer.zero_grad()
        loss = loss_of([p])
        loss.backward()
        return loss

    assert optimizer.step(closure) == 2
    assert calls == [True]
    torch.testing.assert_close(p.detach(), torch.full((2,), 0.8))


def test_hooks_before_and_after_every_step():
    p = nn.Parameter(torch.ones(1))
    optimizer, seen = Adam([p]), []
    optimizer.register_step_pre_hook(lambda o, args, kwargs: seen.append(("before", p.item())))
    optimizer.register_step_post_hook(lambda o, args, kwargs: seen.append(("after", p.item())))
    p.grad = torch.ones(1)
    optimizer.step()
    assert seen == [("before", 1.0), ("after", p.item())]
    assert p < 1


def test_a_group_added_later_has_its_own_options():
    p, q = nn.Parameter(torch.ones(1)), nn.Parameter(torch.ones(1))
    optimizer = SGD([p], lr=0.5)
    optimizer.add_param_group({"params": [q], "lr": 0.25, "momentum": 0.9, "momentum_form": "ema"})
    p.grad = q.grad = torch.ones(1)
    optimizer.step()
    assert p == 0.5
    assert q.item() == pytest.approx(1 - 0.25 * 0.1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"lr": -1.0}, "Invalid learning rate"),
        ({"momentum_form": "sum", "momentum": 0.9}, 'momentum_form is "torch" or "ema"'),
        ({"bias_correction": True, "momentum": 0.9}, "only an average from zero has a bias"),
        ({"nesterov": True}, "Nesterov momentum requires a momentum"),
        ({"momentum": 1.1, "momentum_form": "ema"}, "Invalid momentum value: 1.1"),
        ({"momentum": 1.0, "momentum_form": "ema", "bias_correction": True}, "below 1 with bias_correction"),
    ],
)
def test_options_that_cannot_be_meant(options, message):
    p = nn.Parameter(torch.ones(1))
    with pytest.raises(ValueError, match=message):
        SGD([p], **options)
    optimizer = SGD([p])
    with pytest.raises(ValueError, match=message):
        optimizer.add_param_group({"params": [nn.Parameter(torch.ones(1))], **options})
    assert len(optimizer.param_groups) == 1


@pytest.mark.parametrize("options", [{"alpha": 99.0}, {"alpha": 1.0, "bias_correction": True}])
def test_an_average_that_keeps_more_than_all_is_refused(options):
    with pytest.raises(ValueError, match="Invalid alpha value"):
        RMSprop([nn.Parameter(torch.ones(1))], **options)


@pytest.mark.parametrize("kind", KINDS)
def test_differentiable_is_refused_with_the_way_out(kind):
    with pytest.raises(NotImplementedError, match=f"torch.optim.{kind.__name__}"):
        kind([nn.Parameter(torch.ones(1))], differentiable=True)


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_an_optimizer_and_leaves_the_gradients_alone(kind):
    p = nn.Parameter(torch.ones(3))
    optimizer = kind([p], weight_decay=0.1, maximize=True, clip=ClipByNorm(0.1))
    assert isinstance(optimizer, torch.optim.Optimizer) and isinstance(optimizer, Descent)
    g = torch.tensor([1.0, 2.0, 3.0])
    p.grad = g.clone()
    optimizer.step()
    assert torch.equal(p.grad, g)
    assert not p.grad.requires_grad and p.requires_grad


def test_capture_is_refused_where_the_graph_would_repeat_the_first_step(monkeypatch):
    p = nn.Parameter(torch.ones(1))
    p.grad = torch.ones(1)
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_current_stream_capturing", lambda: True)
    with pytest.raises(RuntimeError, match="capturable=True"):
        Adam([p]).step()
    with pytest.raises(RuntimeError, match="average=None"):
        SGD([p], average=EMA(0.9)).step()
    assert p == 1
    Adam([p], capturable=True).step()
    SGD([p], momentum=0.9).step()
