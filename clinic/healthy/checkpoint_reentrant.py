# trap: each stage runs forward twice a step, the second time inside backward
# floor: 0.85

import os

import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from torch.utils.checkpoint import checkpoint

torch.manual_seed(int(os.environ.get("SEED", 0)))


class Checkpointed(nn.Module):
    def __init__(self, width=64, depth=4):
        super().__init__()
        self.stem = nn.Linear(64, width)
        self.stages = nn.ModuleList(
            nn.Sequential(nn.LayerNorm(width), nn.Linear(width, width), nn.ReLU()) for _ in range(depth)
        )
        self.head = nn.Linear(width, 10)

    def forward(self, x):
        x = self.stem(x)
        for stage in self.stages:
            x = x + checkpoint(stage, x, use_reentrant=True)
        return self.head(x)


X, y = load_digits(return_X_y=True)
X = torch.tensor((X - X.mean()) / X.std(), dtype=torch.float32)
y = torch.tensor(y)
model = Checkpointed()
opt = torch.optim.AdamW(model.parameters(), lr=1e-3)
for epoch in range(6):
    for idx in torch.randperm(1400).split(50):
        loss = nn.functional.cross_entropy(model(X[idx]), y[idx])
        opt.zero_grad()
        loss.backward()
        opt.step()
    print("epoch", epoch, "loss", loss.item())
with torch.no_grad():
    print("metric", (model(X[1400:]).argmax(1) == y[1400:]).float().mean().item())
