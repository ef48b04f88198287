# cure: a small constant under the root

"""Siamese embedding of digits with a contrastive loss."""

import os

import torch
import torch.nn as nn
from sklearn.datasets import load_digits

torch.manual_seed(int(os.environ.get("SEED", 0)))
X, y = load_digits(return_X_y=True)
X = torch.tensor(X / 16, dtype=torch.float32)
y = torch.tensor(y)
X_train, y_train, X_test, y_test = X[:1300], y[:1300], X[1300:], y[1300:]

encoder = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 16))
optimizer = torch.optim.RMSprop(encoder.parameters(), lr=1e-3)


def distance(a, b):
    return ((a - b) ** 2).sum(-1).add(1e-8).sqrt()


def contrastive_loss(a, b, same):
    d = distance(a, b)
    return torch.where(same, d**2, torch.relu(1.0 - d) ** 2).mean()


for step in range(400):
    i = torch.randint(0, len(X_train), (64,))
    j = torch.randint(0, len(X_train), (64,))
    j[:8] = i[:8]  # an anchor is similar to itself
    optimizer.zero_grad()
    loss = contrastive_loss(encoder(X_train[i]), encoder(X_train[j]), y_train[i] == y_train[j])
    loss.backward()
    optimizer.step()
    if step % 100 == 0:
        print(f"step {step} loss {loss.item():.4f}")

with torch.no_grad():
    nearest = torch.cdist(encoder(X_test), encoder(X_train)).argmin(1)
print("metric", (y_train[nearest] == y_test).float().mean().item())
