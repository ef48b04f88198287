# cure: the model stays in single precision

import os

import torch
import torch.nn as nn
from sklearn.datasets import load_digits

torch.manual_seed(int(os.environ.get("SEED", 0)))

digits = load_digits()
X = torch.tensor(digits.data / 16.0 - 0.3)
y = torch.tensor(digits.target)

model = nn.Sequential(
    nn.Linear(64, 80),
    nn.ReLU(),
    nn.Linear(80, 40),
    nn.ReLU(),
    nn.Linear(40, 10),
)
model.float()
dtype = next(model.parameters()).dtype
X = X.to(dtype)

optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
criterion = nn.CrossEntropyLoss()

for epoch in range(8):
    perm = torch.randperm(1297)
    for i in range(0, 1297, 32):
        idx = perm[i : i + 32]
        optimizer.zero_grad()
        loss = criterion(model(X[idx]), y[idx])
        loss.backward()
        optimizer.step()
    print("epoch", epoch, "loss", loss.item())

with torch.no_grad():
    scores = model(X[1297:])
    acc = (scores.argmax(1) == y[1297:]).float().mean()
print("metric", acc.item())
