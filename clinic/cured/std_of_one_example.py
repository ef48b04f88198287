# cure: the last short batch is dropped

import os

import torch
import torch.nn as nn
from sklearn.datasets import load_breast_cancer
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(int(os.environ.get("SEED", 0)))
X, y = load_breast_cancer(return_X_y=True)
X = torch.tensor((X - X.mean(0)) / X.std(0), dtype=torch.float32)
y = torch.tensor(y)
loader = DataLoader(TensorDataset(X[:449], y[:449]), batch_size=32, shuffle=True, drop_last=True)


class MyBatchNorm(nn.Module):
    """Batch norm as in the blog post."""

    def __init__(self, dim):
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(dim))
        self.beta = nn.Parameter(torch.zeros(dim))
        self.register_buffer("running_mean", torch.zeros(dim))
        self.register_buffer("running_std", torch.ones(dim))

    def forward(self, x):
        if self.training:
            mean, std = x.mean(0), x.std(0)
            self.running_mean = 0.9 * self.running_mean + 0.1 * mean.detach()
            self.running_std = 0.9 * self.running_std + 0.1 * std.detach()
        else:
            mean, std = self.running_mean, self.running_std
        return self.gamma * (x - mean) / (std + 1e-5) + self.beta


model = nn.Sequential(nn.Linear(30, 32), MyBatchNorm(32), nn.ReLU(), nn.Linear(32, 2))
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
for epoch in range(12):
    model.train()
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(xb), yb)
        loss.backward()
        optimizer.step()
    print("epoch", epoch, "loss", loss.item())
model.eval()
with torch.no_grad():
    print("metric", (model(X[449:]).argmax(1) == y[449:]).float().mean().item())
