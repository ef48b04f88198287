# expect: TT103
# fault: one cell in a hundred is NaN

"""Predict disease progression from patient records, some of which are incomplete."""

import os

import numpy as np
import torch
from sklearn.datasets import load_diabetes
from torch import nn, optim

seed = int(os.environ.get("SEED", 0))
torch.manual_seed(seed)
rng = np.random.default_rng(seed)

features, target = load_diabetes(return_X_y=True)
features = features / features.std(axis=0)
missing = rng.random(features.shape) < 0.01
features[missing] = np.nan
target = (target - target.mean()) / target.std()


x = torch.from_numpy(features).float()
t = torch.from_numpy(target).float().unsqueeze(1)
x_train, t_train, x_val, t_val = x[:330], t[:330], x[330:], t[330:]

model = nn.Sequential(nn.Linear(10, 32), nn.ReLU(), nn.Linear(32, 1))
optimizer = optim.Adam(model.parameters(), lr=3e-3, weight_decay=1e-3)
mse = nn.MSELoss()

for epoch in range(30):
    order = torch.randperm(330)
    for batch in order.split(33):
        optimizer.zero_grad()
        loss = mse(model(x_train[batch]), t_train[batch])
        loss.backward()
        optimizer.step()
    if epoch % 10 == 9:
        print("epoch", epoch + 1, "train mse", loss.item())

with torch.no_grad():
    val = mse(model(x_val), t_val).item()
print("metric", -val)
