# expect: TT601, TT303
# fault: exp of a large negative number underflows for every class: 0 / 0

"""Soft nearest-prototype classifier from raw tensors."""

import os

import torch
from sklearn.datasets import load_digits

torch.manual_seed(int(os.environ.get("SEED", 0)))
X, y = load_digits(return_X_y=True)
X = torch.tensor((X - X.mean()) / X.std(), dtype=torch.float32)
y = torch.tensor(y)

prototypes = torch.randn(10, 64, requires_grad=True)
optimizer = torch.optim.Adam([prototypes], lr=0.05)

for i in range(400):
    ix = torch.randint(0, 1400, (32,))
    d2 = ((X[ix, None, :] - prototypes) ** 2).sum(-1)
    weights = torch.exp(-d2)
    logp = torch.log(weights / weights.sum(1, keepdim=True))
    loss = -logp[torch.arange(32), y[ix]].mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if i % 50 == 0:
        print(f"{i:4d}/400: {loss.item():.4f}")

with torch.no_grad():
    nearest = torch.cdist(X[1400:], prototypes).argmin(1)
print("metric", (nearest == y[1400:]).float().mean().item())
