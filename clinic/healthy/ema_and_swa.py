# trap: two more copies of the model that get no gradient
# floor: 0.3

import copy
import os

import torch
from sklearn.datasets import load_diabetes
from torch import nn
from torch.optim.swa_utils import AveragedModel

torch.manual_seed(int(os.environ.get("SEED", 0)))
X, y = load_diabetes(return_X_y=True)
X = torch.tensor(X / X.std(0), dtype=torch.float32)
y = torch.tensor((y - y.mean()) / y.std(), dtype=torch.float32)[:, None]

model = nn.Sequential(nn.Linear(10, 32), nn.ReLU(), nn.Linear(32, 1))
ema = copy.deepcopy(model)
for p in ema.parameters():
    p.requires_grad_(False)
swa = AveragedModel(model)
optimizer = torch.optim.SGD(model.parameters(), lr=0.03, momentum=0.5)
loss_fn = nn.SmoothL1Loss()
for epoch in range(30):
    for i in range(0, 340, 34):
        optimizer.zero_grad()
        loss = loss_fn(model(X[i : i + 34]), y[i : i + 34])
        loss.backward()
        optimizer.step()
        with torch.no_grad():
            for a, b in zip(ema.parameters(), model.parameters()):
                a.lerp_(b, 0.02)
    if epoch >= 15:
        swa.update_parameters(model)
    if epoch % 5 == 0:
        with torch.no_grad():
            print(epoch, loss.item(), "ema", loss_fn(ema(X[340:]), y[340:]).item())
with torch.no_grad():
    r2 = 1 - (swa(X[340:]) - y[340:]).pow(2).mean() / y[340:].var()
print("metric", r2.item())
