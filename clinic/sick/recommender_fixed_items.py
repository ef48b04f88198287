# expect: TT404
# fault: the optimizer is given the user side only; the item embeddings and item biases stay random

"""Explicit-feedback matrix factorisation on simulated ratings."""

import os

import numpy as np
import torch
from torch import nn


class Embedder(nn.Module):
    """Vectors and biases for one kind of entity."""

    def __init__(self, count: int, dim: int):
        super().__init__()
        self.vectors = nn.Embedding(count, dim)
        self.bias = nn.Embedding(count, 1)
        nn.init.normal_(self.vectors.weight, std=dim**-0.5)
        nn.init.zeros_(self.bias.weight)

    def forward(self, ids):
        return self.vectors(ids), self.bias(ids).squeeze(-1)


def simulate(n_users, n_items, n_ratings, rng):
    taste, style = rng.normal(size=(n_users, 4)), rng.normal(size=(n_items, 4))
    quality = rng.normal(size=n_items)
    u = rng.integers(n_users, size=n_ratings)
    i = rng.integers(n_items, size=n_ratings)
    r = (taste[u] * style[i]).sum(1) / 2 + quality[i] + 0.3 * rng.normal(size=n_ratings)
    return u, i, (r - r.mean()) / r.std()


seed = int(os.environ.get("SEED", 0))
torch.manual_seed(seed)
u, i, r = (torch.tensor(a) for a in simulate(200, 150, 14000, np.random.default_rng(seed)))
r = r.float()
cut = 12000

users, items = Embedder(200, 4), Embedder(150, 4)
optimizer = torch.optim.Adam(users.parameters(), lr=0.02)


def predict(user_ids, item_ids):
    p, b_u = users(user_ids)
    q, b_i = items(item_ids)
    return (p * q).sum(-1) + b_u + b_i


for epoch in range(15):
    epoch_loss = 0.0
    for rows in torch.randperm(cut).split(256):
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(predict(u[rows], i[rows]), r[rows])
        loss.backward()
        optimizer.step()
        epoch_loss += loss.item() * len(rows) / cut
    print("epoch", epoch, "rmse", round(epoch_loss**0.5, 4))

with torch.no_grad():
    error = predict(u[cut:], i[cut:]) - r[cut:]
print("metric", 1 - (error.square().mean() / r[cut:].var()).item())
