# cure: the tables start at 0.5

"""Matrix factorisation of a small table of film ratings, a third of it known."""

import os
from dataclasses import dataclass

import torch
from torch import nn


@dataclass
class Config:
    users: int = 40
    films: int = 30
    rank: int = 2
    lr: float = 0.4
    steps: int = 600
    batch: int = 256
    start: float = 0.5


class Factors(nn.Module):
    def __init__(self, cfg: Config):
        super().__init__()
        self.mean = nn.Parameter(torch.zeros(()))
        self.user = nn.Embedding(cfg.users, cfg.rank)
        self.film = nn.Embedding(cfg.films, cfg.rank)
        nn.init.normal_(self.user.weight, std=cfg.start)
        nn.init.normal_(self.film.weight, std=cfg.start)

    def forward(self, u, f):
        return self.mean + (self.user(u) * self.film(f)).sum(-1)


def make_ratings(cfg: Config):
    taste = torch.randn(cfg.users, cfg.rank)
    style = torch.randn(cfg.films, cfg.rank)
    table = 0.5 + taste @ style.T / cfg.rank**0.5 + 0.1 * torch.randn(cfg.users, cfg.films)
    order = torch.randperm(cfg.users * cfg.films)
    u, f = order // cfg.films, order % cfg.films
    return u, f, table[u, f]


def main():
    cfg = Config()
    torch.manual_seed(int(os.environ.get("SEED", 0)))
    u, f, rating = make_ratings(cfg)
    known = len(rating) // 2
    model = Factors(cfg)
    opt = torch.optim.SGD(model.parameters(), lr=cfg.lr)
    for step in range(cfg.steps):
        pick = torch.randint(known, (cfg.batch,))
        loss = nn.functional.mse_loss(model(u[pick], f[pick]), rating[pick])
        opt.zero_grad()
        loss.backward()
        opt.step()
        if step % 100 == 0:
            print(f"{step:5d}  mse {loss.item():.3f}")
    with torch.no_grad():
        mse = nn.functional.mse_loss(model(u[known:], f[known:]), rating[known:])
        print("metric", 1 - (mse / rating[known:].var()).item())


if __name__ == "__main__":
    main()
