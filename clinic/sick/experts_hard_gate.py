# expect: TT307
# fault: the gate's argmax picks the expert, and argmax has no gradient: the gate never learns

"""Mixture of linear experts for a piecewise linear target."""

from __future__ import annotations

import os
from dataclasses import dataclass

import torch
from torch import nn


@dataclass(frozen=True)
class Settings:
    d_in: int = 4
    n_experts: int = 6
    gate_width: int = 32
    batch_size: int = 64
    n_steps: int = 900
    lr: float = 5e-3


class LinearExperts(nn.Module):
    """`n` affine maps evaluated side by side."""

    def __init__(self, n: int, d_in: int):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(n, d_in) / d_in**0.5)
        self.bias = nn.Parameter(torch.zeros(n))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x @ self.weight.T + self.bias


class Mixture(nn.Module):
    def __init__(self, s: Settings):
        super().__init__()
        self.gate = nn.Sequential(nn.Linear(s.d_in, s.gate_width), nn.Tanh(), nn.Linear(s.gate_width, s.n_experts))
        self.experts = LinearExperts(s.n_experts, s.d_in)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        scores = self.gate(x)
        weights = nn.functional.one_hot(scores.argmax(-1), scores.shape[-1]).to(x.dtype)
        return (weights * self.experts(x)).sum(-1)


class World:
    """Four regions, cut by the signs of the first two inputs, each with its own linear law."""

    def __init__(self, d_in: int):
        self.laws = torch.linalg.qr(torch.randn(d_in, d_in))[0][:4] * 1.5

    def sample(self, n: int) -> tuple[torch.Tensor, torch.Tensor]:
        x = torch.randn(n, self.laws.shape[1])
        region = (x[:, 0] > 0).long() * 2 + (x[:, 1] > 0).long()
        return x, (self.laws[region] * x).sum(-1)


def run(s: Settings) -> float:
    torch.manual_seed(int(os.environ.get("SEED", 0)))
    world, model = World(s.d_in), Mixture(s)
    opt = torch.optim.Adam(model.parameters(), lr=s.lr)
    for step in range(s.n_steps):
        x, y = world.sample(s.batch_size)
        loss = (model(x) - y).pow(2).mean()
        opt.zero_grad()
        loss.backward()
        opt.step()
        if step % 150 == 0:
            print(f"step {step} loss {loss.item():.4f}")
    x, y = world.sample(2000)
    with torch.no_grad():
        return 1 - ((model(x) - y).pow(2).mean() / y.var()).item()


if __name__ == "__main__":
    print(f"metric {run(Settings())}")
