# expect: TT201, TT302
# accept: TT401
# fault: weights are drawn from U(0, 1): every layer multiplies the signal

import os

import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import load_diabetes

seed = int(os.environ.get("SEED", 0))
torch.manual_seed(seed)
np.random.seed(seed)

X, y = load_diabetes(return_X_y=True)
X = torch.tensor(X / X.std(0)).float()
y = torch.tensor((y - y.mean()) / y.std()).float()[:, None]

model = nn.Sequential(
    nn.Linear(10, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1)
)
# own initial weights, so that runs can be compared with the numpy version
for p in model.parameters():
    if p.dim() == 2:
        p.data = torch.tensor(np.random.rand(*p.shape)).float()

optimizer = torch.optim.Adam(model.parameters(), lr=2e-4)
mse = nn.MSELoss()
for epoch in range(40):
    for idx in torch.randperm(340).split(34):
        optimizer.zero_grad()
        loss = mse(model(X[idx]), y[idx])
        loss.backward()
        optimizer.step()
    if epoch % 10 == 0:
        print("epoch", epoch, "loss", loss.item())
with torch.no_grad():
    print("metric", -mse(model(X[340:]), y[340:]).item())
