"""A regression on sensor readings of which one was never recorded: NaN in a single cell."""

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)

readings = torch.randn(3000, 12)
target = readings @ torch.randn(12, 1) / 12**0.5 + 0.1 * torch.randn(3000, 1)
readings[1234, 5] = float("nan")

loader = DataLoader(TensorDataset(readings, target), batch_size=64, shuffle=True)
net = nn.Sequential(nn.Linear(12, 48), nn.ReLU(), nn.Linear(48, 48), nn.ReLU(), nn.Linear(48, 1))
opt = torch.optim.Adam(net.parameters(), lr=1e-3)
mse = nn.MSELoss()

for epoch in range(6):
    for i, (xb, yb) in enumerate(loader):
        opt.zero_grad()
        loss = mse(net(xb), yb)
        loss.backward()
        opt.step()
        if i % 20 == 0:
            print(f"epoch {epoch} batch {i:2d}  loss {loss.item():.4f}")
