# trap: a global mean, two bias tables from zero and two factor tables from tiny numbers; each row is touched rarely
# floor: 0.65

"""Matrix factorisation with biases on ratings from 1 to 5."""

import os
from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass
class Settings:
    users: int = 250
    films: int = 180
    rank: int = 4
    dim: int = 6
    ratings: int = 16000
    batch_size: int = 128
    epochs: int = 14
    lr: float = 1e-2
    decay: float = 2e-3
    seed: int = int(os.environ.get("SEED", 0))


class Factorisation(nn.Module):
    def __init__(self, s: Settings, mean: float) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean))
        self.user_factors = nn.Embedding(s.users, s.dim)
        self.film_factors = nn.Embedding(s.films, s.dim)
        self.user_bias = nn.Embedding(s.users, 1)
        self.film_bias = nn.Embedding(s.films, 1)
        for table in (self.user_factors, self.film_factors):
            nn.init.normal_(table.weight, std=0.1)
        for table in (self.user_bias, self.film_bias):
            nn.init.zeros_(table.weight)

    def forward(self, u: Tensor, f: Tensor) -> tuple[Tensor, Tensor]:
        pu, qf, bu, bf = self.user_factors(u), self.film_factors(f), self.user_bias(u), self.film_bias(f)
        rating = self.mean + bu.squeeze(1) + bf.squeeze(1) + (pu * qf).sum(1)
        penalty = pu.pow(2).sum(1) + qf.pow(2).sum(1) + bu.pow(2).sum(1) + bf.pow(2).sum(1)
        return rating, penalty


def synthetic(s: Settings) -> tuple[Tensor, Tensor, Tensor]:
    P, Q = torch.randn(s.users, s.rank), torch.randn(s.films, s.rank)
    user_mood, film_quality = 0.4 * torch.randn(s.users), 0.5 * torch.randn(s.films)
    u, f = torch.randint(0, s.users, (s.ratings,)), torch.randint(0, s.films, (s.ratings,))
    score = 3.4 + user_mood[u] + film_quality[f] + 0.4 * (P[u] * Q[f]).sum(1) + 0.3 * torch.randn(s.ratings)
    return u, f, score.round().clamp(1, 5)


def main() -> None:
    s = Settings()
    torch.manual_seed(s.seed)
    u, f, r = synthetic(s)
    cut = int(0.85 * s.ratings)
    model = Factorisation(s, r[:cut].mean().item())
    optimizer = torch.optim.Adam(model.parameters(), lr=s.lr)
    for epoch in range(s.epochs):
        squared = 0.0
        for idx in torch.randperm(cut).split(s.batch_size):
            rating, penalty = model(u[idx], f[idx])
            mse = (rating - r[idx]).pow(2).mean()
            loss = mse + s.decay * penalty.mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            squared += mse.item() * len(idx) / cut
        if epoch % 2 == 0:
            print(f"epoch {epoch:2d} train rmse {squared**0.5:.4f}")
    with torch.no_grad():
        predicted = model(u[cut:], f[cut:])[0].clamp(1, 5)
        error = (predicted - r[cut:]).pow(2).mean() / r[cut:].var()
    print("metric", 1 - error.item())


if __name__ == "__main__":
    main()
