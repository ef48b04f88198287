# cure: ReLU layers in the tower

"""Neural collaborative filtering: who would give which film how many stars?"""

import os

import numpy as np
import torch
from torch import nn

USERS, FILMS = 60, 50


def ratings(seed, n=8000):
    rng = np.random.default_rng(seed)
    generous, good = rng.normal(size=USERS), rng.normal(size=FILMS)
    taste, genre = rng.choice([-1, 1], USERS), rng.choice([-1, 1], FILMS)
    u, f = rng.integers(0, USERS, n), rng.integers(0, FILMS, n)
    liking = 0.7 * generous[u] + 0.7 * good[f] + 0.5 * taste[u] * genre[f] + 0.2 * rng.normal(size=n)
    return torch.tensor(u), torch.tensor(f), torch.tensor(liking, dtype=torch.float32).clamp(-2.5, 2.5)


class NeuMF(nn.Module):
    def __init__(self, dim=8, tower=(40, 40, 40, 32, 32, 32, 24, 24)):
        super().__init__()
        self.user = nn.Embedding(USERS, dim)
        self.film = nn.Embedding(FILMS, dim)
        layers = []
        n_in = 3 * dim
        for n_out in tower:
            linear = nn.Linear(n_in, n_out)
            nn.init.kaiming_normal_(linear.weight)
            nn.init.zeros_(linear.bias)
            layers += [linear, nn.ReLU()]
            n_in = n_out
        self.tower = nn.Sequential(*layers)
        self.rating = nn.Linear(n_in, 1)

    def forward(self, u, f):
        a, b = self.user(u), self.film(f)
        return self.rating(self.tower(torch.cat([a, b, a * b], dim=1))).squeeze(1)


def main():
    torch.manual_seed(int(os.environ.get("SEED", 0)))
    u, f, stars = ratings(3)
    cut = 6800
    model = NeuMF()
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3, weight_decay=1e-5)
    for epoch in range(12):
        total = 0.0
        for idx in torch.randperm(cut).split(100):
            loss = nn.functional.mse_loss(model(u[idx], f[idx]), stars[idx])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(idx)
        print(f"epoch {epoch:2d} rmse {(total / cut) ** 0.5:.3f}")
    with torch.no_grad():
        mse = nn.functional.mse_loss(model(u[cut:], f[cut:]), stars[cut:])
    print("metric", 1 - (mse / stars[cut:].var()).item())


if __name__ == "__main__":
    main()
