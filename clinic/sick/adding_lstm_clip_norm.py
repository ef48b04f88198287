# expect: TT406
# accept: TT402
# fault: gradients are clipped to a norm of 1e-4

"""Sum of the marked numbers in a short sequence, by an LSTM."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

import torch
from torch import nn
from torch.nn.utils import clip_grad_norm_


@dataclass
class TrainConfig:
    length: int = 12
    hidden: int = 32
    batch: int = 64
    iterations: int = 600
    lr: float = 0.3
    momentum: float = 0.9
    max_grad_norm: float = 1e-4
    seed: int = field(default_factory=lambda: int(os.environ.get("SEED", 0)))


class Adder(nn.Module):
    def __init__(self, cfg: TrainConfig):
        super().__init__()
        self.rnn = nn.LSTM(2, cfg.hidden)
        self.head = nn.Linear(cfg.hidden, 1)

    def forward(self, seq: torch.Tensor) -> torch.Tensor:
        _, (h, _) = self.rnn(seq)
        return self.head(h[-1]).squeeze(-1)


def draw(cfg: TrainConfig, n: int) -> tuple[torch.Tensor, torch.Tensor]:
    numbers = torch.rand(cfg.length, n) * 2 - 1
    marks = torch.zeros(cfg.length, n)
    half = cfg.length // 2
    columns = torch.arange(n)
    marks[torch.randint(half, (n,)), columns] = 1
    marks[torch.randint(half, (n,)) + half, columns] = 1
    return torch.stack([numbers, marks], dim=-1), (numbers * marks).sum(0)


def fit(cfg: TrainConfig) -> float:
    torch.manual_seed(cfg.seed)
    model = Adder(cfg)
    optimizer = torch.optim.SGD(model.parameters(), lr=cfg.lr, momentum=cfg.momentum)
    for i in range(cfg.iterations):
        seq, target = draw(cfg, cfg.batch)
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(seq), target)
        loss.backward()
        clip_grad_norm_(model.parameters(), cfg.max_grad_norm)
        optimizer.step()
        if i % 100 == 0:
            print(f"{i:>5}  mse {loss.item():.4f}")
    with torch.no_grad():
        seq, target = draw(cfg, 2000)
        return 1.0 - (nn.functional.mse_loss(model(seq), target) / target.var()).item()


print("metric", fit(TrainConfig()))
