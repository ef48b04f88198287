# cure: a threshold of 0.1

import os

import torch
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(int(os.environ.get("SEED", 0)))
X, y = load_digits(return_X_y=True)
X = torch.tensor((X - X.mean()) / X.std(), dtype=torch.float32)
y = torch.tensor(y)


class Threshold(nn.Module):
    """ReLU with a threshold: keep only strong features."""

    def __init__(self, theta):
        super().__init__()
        self.theta = theta
        self.relu = nn.ReLU()

    def forward(self, x):
        return self.relu(x - self.theta)


model = nn.Sequential(nn.Linear(64, 96), Threshold(0.1), nn.Linear(96, 96), Threshold(0.1), nn.Linear(96, 10))
opt = torch.optim.Adagrad(model.parameters(), lr=0.02)
for epoch in range(10):
    losses = []
    for idx in torch.randperm(1400).split(70):
        opt.zero_grad()
        loss = nn.functional.cross_entropy(model(X[idx]), y[idx])
        loss.backward()
        opt.step()
        losses.append(loss.item())
    print(f"epoch {epoch:2d} | loss {sum(losses) / len(losses):.3f}")
with torch.no_grad():
    print("metric", (model(X[1400:]).argmax(1) == y[1400:]).float().mean().item())
