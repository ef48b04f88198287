"""Small training programs of every kind that the watcher must leave as they are: name -> function returning losses."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

Program = Callable[[int], list[Tensor]]
PROGRAMS: dict[str, Program] = {}


def program(function: Program) -> Program:
    """Register a program; it returns tensors (losses, then weights) that must not depend on being watched."""
    PROGRAMS[function.__name__] = function
    return function


def data(n: int = 64, features: int = 8, classes: int = 3) -> tuple[Tensor, Tensor]:
    """Standard normal features with labels that depend on them."""
    x = torch.randn(n, features)
    return x, (x[:, :classes].argmax(1)) % classes


@program
def mlp(steps: int) -> list[Tensor]:
    model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(inplace=True), nn.Dropout(0.2), nn.Linear(16, 3))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    x, y = data()
    losses: list[Tensor] = []
    for _ in range(steps):
        loss = F.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 0.1)
        optimizer.step()
        losses.append(loss.detach())
    return [*losses, *[p.detach() for p in model.parameters()]]


@program
def cnn_with_batch_norm(steps: int) -> list[Tensor]:
    model = nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(36, 3)
    )
    optimizer = torch.optim.Adam(model.parameters())
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 5)
    x, y = torch.randn(16, 1, 8, 8), torch.randint(0, 3, (16,))
    losses: list[Tensor] = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        scheduler.step()
        losses.append(loss.detach())
    return [*losses, *[t.detach() for t in model.state_dict().values()]]


@program
def gan(steps: int) -> list[Tensor]:
    g, d = nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 2)), nn.Sequential(nn.Linear(2, 8), nn.Linear(8, 1))
    opt_g, opt_d = torch.optim.Adam(g.parameters()), torch.optim.Adam(d.parameters())
    losses: list[Tensor] = []
    for _ in range(steps):
        real, fake = torch.randn(16, 2), g(torch.randn(16, 2))
        opt_d.zero_grad()
        loss_real = F.softplus(-d(real)).mean()
        loss_real.backward()
        loss_fake = F.softplus(d(fake.detach())).mean()
        loss_fake.backward()
        opt_d.step()
        opt_g.zero_grad()
        loss_g = F.softplus(-d(fake)).mean()
        loss_g.backward()
        opt_g.step()
        losses += [loss_real.detach(), loss_g.detach()]
    return [*losses, *[p.detach() for p in (*g.parameters(), *d.parameters())]]


@program
def lbfgs(steps: int) -> list[Tensor]:
    model = nn.Linear(8, 1)
    optimizer = torch.optim.LBFGS(model.parameters(), max_iter=4)
    x, y = torch.randn(32, 8), torch.randn(32, 1)
    losses: list[Tensor] = []

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = F.mse_loss(model(x), y)
        loss.backward()
        losses.append(loss.detach())
        return loss

    for _ in range(steps):
        optimizer.step(closure)
    return [*losses, model.weight.detach()]


@program
def by_hand(steps: int) -> list[Tensor]:
    w1, b1 = torch.randn(8, 16, requires_grad=True), torch.zeros(16, requires_grad=True)
    w2 = torch.randn(16, 1, requires_grad=True)
    x, y = torch.randn(32, 8), torch.randn(32, 1)
    losses: list[Tensor] = []
    for _ in range(steps):
        loss = ((torch.tanh(x @ w1 + b1) @ w2 - y) ** 2).mean()
        loss.backward()
        with torch.no_grad():
            for p in (w1, b1, w2):
                assert p.grad is not None
                p -= 0.01 * p.grad
                p.grad = None
        losses.append(loss.detach())
    return [*losses, w1.detach(), w2.detach()]


@program
def autograd_grad(steps: int) -> list[Tensor]:
    w = torch.zeros(8, requires_grad=True)
    x, y = torch.randn(32, 8), torch.randn(32)
    losses: list[Tensor] = []
    for _ in range(steps):
        loss = ((x @ w - y) ** 2).mean()
        (gradient,) = torch.autograd.grad(loss, [w])
        w = (w - 0.1 * gradient).detach().requires_grad_()
        losses.append(loss.detach())
    return [*losses, w.detach()]


@program
def scaler(steps: int) -> list[Tensor]:
    model = nn.Linear(8, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    grad_scaler = torch.amp.GradScaler("cpu", init_scale=2.0**127, growth_interval=3)
    x, y = data()
    losses: list[Tensor] = []
    for _ in range(steps):
        optimizer.zero_grad()
        with torch.autocast("cpu", dtype=torch.bfloat16):
            loss = F.cross_entropy(model(x), y)
        grad_scaler.scale(loss).backward()
        grad_scaler.unscale_(optimizer)
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        grad_scaler.step(optimizer)
        grad_scaler.update()
        losses.append(loss.detach().float())
    return [*losses, *[p.detach() for p in model.parameters()]]


@program
def accumulation(steps: int) -> list[Tensor]:
    model = nn.Linear(8, 3)
    optimizer = torch.optim.AdamW(model.parameters())
    x, y = data()
    losses: list[Tensor] = []
    for _ in range(steps):
        for part in range(4):
            loss = F.cross_entropy(model(x[part::4]), y[part::4]) / 4
            loss.backward()
            losses.append(loss.detach())
        optimizer.step()
        optimizer.zero_grad()
    return [*losses, model.weight.detach()]


@program
def sparse_embedding(steps: int) -> list[Tensor]:
    table, head = nn.Embedding(20, 4, sparse=True), nn.Linear(4, 3)
    sparse, dense = torch.optim.SparseAdam(table.parameters()), torch.optim.Adam(head.parameters())
    tokens, y = torch.randint(0, 20, (32, 5)), torch.randint(0, 3, (32,))
    losses: list[Tensor] = []
    for _ in range(steps):
        sparse.zero_grad()
        dense.zero_grad()
        loss = F.cross_entropy(head(table(tokens).mean(1)), y)
        loss.backward()
        sparse.step()
        dense.step()
        losses.append(loss.detach())
    return [*losses, table.weight.detach()]


class Checkpointed(nn.Module):
    """Batch norm inside a checkpoint: its statistics would show a second recomputation."""

    def __init__(self, reentrant: bool) -> None:
        super().__init__()
        self.first, self.reentrant = nn.Linear(8, 16), reentrant
        self.block = nn.Sequential(nn.Linear(16, 16), nn.BatchNorm1d(16), nn.Tanh(), nn.Dropout(0.1))
        self.head = nn.Linear(16, 3)

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.first(x)
        return self.head(checkpoint(self.block, hidden, use_reentrant=self.reentrant))


def _checkpointing(steps: int, reentrant: bool) -> list[Tensor]:
    model = Checkpointed(reentrant)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    x, y = data()
    losses: list[Tensor] = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.detach())
    return [*losses, *[t.detach() for t in model.state_dict().values()]]


@program
def checkpointing(steps: int) -> list[Tensor]:
    return _checkpointing(steps, reentrant=False)


@program
def reentrant_checkpointing(steps: int) -> list[Tensor]:
    return _checkpointing(steps, reentrant=True)


@program
def recurrent(steps: int) -> list[Tensor]:
    rnn, lstm, head = nn.RNN(4, 8, batch_first=True), nn.LSTM(8, 8, batch_first=True), nn.Linear(8, 3)
    parameters = [*rnn.parameters(), *lstm.parameters(), *head.parameters()]
    optimizer = torch.optim.RMSprop(parameters)
    x, y = torch.randn(16, 10, 4), torch.randint(0, 3, (16,))
    losses: list[Tensor] = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = F.cross_entropy(head(lstm(rnn(x)[0])[0][:, -1]), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.detach())
    return [*losses, *[p.detach() for p in parameters]]


@program
def transformer(steps: int) -> list[Tensor]:
    layer = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.1, batch_first=True)
    model = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
    optimizer = torch.optim.AdamW(model.parameters())
    x = torch.randn(4, 6, 8)
    losses: list[Tensor] = []
    for step in range(steps):
        optimizer.zero_grad()
        loss = F.mse_loss(model(x), x.roll(1, 1))
        loss.backward()
        optimizer.step()
        losses.append(loss.detach())
        if step % 4 == 0:
            model.eval()
            with torch.no_grad():
                losses.append(model(x).sum())
            model.train()
    return losses


@program
def double_backward(steps: int) -> list[Tensor]:
    model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1))
    optimizer = torch.optim.Adam(model.parameters())
    losses: list[Tensor] = []
    for _ in range(steps):
        x = torch.randn(16, 4, requires_grad=True)
        optimizer.zero_grad()
        out = model(x)
        (gradient,) = torch.autograd.grad(out.sum(), x, create_graph=True)
        loss = out.square().mean() + (gradient.norm(dim=1) - 1).square().mean()
        loss.backward(retain_graph=True)
        loss.backward()
        optimizer.step()
        losses.append(loss.detach())
    return losses


@program
def odd_shapes(steps: int) -> list[Tensor]:
    """Complex, empty, 0-dim, half and double parameters, channels-last, frozen and unused ones."""
    scale, empty = nn.Parameter(torch.tensor(1.0)), nn.Parameter(torch.empty(0, 3))
    phase = nn.Parameter(torch.randn(3, dtype=torch.complex64))
    half, double = nn.Parameter(torch.randn(3, 3).bfloat16()), nn.Parameter(torch.randn(3, 3).double())
    last = nn.Parameter(torch.randn(4, 3, 2, 2).to(memory_format=torch.channels_last))
    frozen = nn.Parameter(torch.randn(3, 3), requires_grad=False)
    trained = [scale, empty, phase, half, double, last]
    optimizer = torch.optim.SGD(trained, lr=0.01)
    x = torch.randn(5, 3)
    losses: list[Tensor] = []
    for _ in range(steps):
        optimizer.zero_grad()
        hidden = (x @ frozen) @ double.float() + (x.bfloat16() @ half).float()
        loss = (scale * hidden + (x * phase).abs()).square().mean() + empty.sum() + last.square().mean()
        loss.backward()
        optimizer.step()
        losses.append(loss.detach())
    return [*losses, *[p.detach() for p in trained]]


@program
def compiled(steps: int) -> list[Tensor]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        plain = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 3))
        model = torch.compile(plain, backend="eager")
        optimizer = torch.optim.SGD(plain.parameters(), lr=0.1)
        x, y = data()
        losses: list[Tensor] = []
        for _ in range(steps):
            optimizer.zero_grad()
            loss = F.cross_entropy(model(x), y)
            loss.backward()
            optimizer.step()
            losses.append(loss.detach())
    return losses
