# trap: most parameters are frozen and get no gradient
# floor: 0.8

import os

import torch
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(int(os.environ.get("SEED", 0)))
X, y = load_digits(return_X_y=True)
X, y = torch.tensor(X / 16.0).float().view(-1, 1, 8, 8), torch.tensor(y)

backbone = nn.Sequential(
    nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.Flatten()
)
for p in backbone.parameters():
    p.requires_grad = False
head = nn.Linear(64 * 16, 10)
model = nn.Sequential(backbone, head)

optimizer = torch.optim.Adam(filter(lambda p: p.requires_grad, model.parameters()), lr=2e-3)
for epoch in range(8):
    for idx in torch.randperm(1300).split(64):
        loss = nn.functional.cross_entropy(model(X[idx]), y[idx])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print("epoch", epoch, "loss", loss.item())
with torch.no_grad():
    print("metric", (model(X[1300:]).argmax(1) == y[1300:]).float().mean().item())
