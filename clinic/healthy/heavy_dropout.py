# trap: seven activations in ten are zero, and the training loss is rough
# floor: 0.88

import os

import torch
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(int(os.environ.get("SEED", 0)))
X, y = load_digits(return_X_y=True)
X, y = torch.tensor((X - 4.88) / 6.02).float(), torch.tensor(y)

model = nn.Sequential(
    nn.Linear(64, 256),
    nn.ReLU(),
    nn.Dropout(0.7),
    nn.Linear(256, 256),
    nn.ReLU(),
    nn.Dropout(0.7),
    nn.Linear(256, 10),
)
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
for epoch in range(12):
    model.train()
    total = 0.0
    for idx in torch.randperm(1400).split(50):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(X[idx]), y[idx])
        loss.backward()
        optimizer.step()
        total += loss.item()
    print("epoch", epoch, "loss", round(total / 28, 4))
model.eval()
print("metric", (model(X[1400:]).argmax(1) == y[1400:]).float().mean().item())
