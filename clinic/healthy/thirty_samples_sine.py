# trap: only thirty samples, fitted almost exactly; the loss hardly moves for the last two thirds of the run
# floor: 0.99

import os

import torch
from torch import nn, optim

torch.manual_seed(int(os.environ.get("SEED", 0)))

x = torch.linspace(-1, 1, 30).unsqueeze(1)
y = torch.sin(3 * x) + 0.3 * torch.cos(9 * x)
x_dense = torch.linspace(-0.97, 0.97, 301).unsqueeze(1)
y_dense = torch.sin(3 * x_dense) + 0.3 * torch.cos(9 * x_dense)

model = nn.Sequential(nn.Linear(1, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, 1))
optimizer = optim.Adam(model.parameters(), lr=1e-2)
scheduler = optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.997)

for it in range(1500):
    optimizer.zero_grad()
    loss = nn.functional.mse_loss(model(x), y)
    loss.backward()
    optimizer.step()
    scheduler.step()
    if it % 250 == 0:
        print(it, loss.item())
print("train mse", loss.item())

with torch.no_grad():
    residual = (model(x_dense) - y_dense).pow(2).sum()
    total = (y_dense - y_dense.mean()).pow(2).sum()
print("metric", (1 - residual / total).item())
