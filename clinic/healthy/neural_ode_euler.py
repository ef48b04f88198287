# trap: one small net applied forty times in a row (Euler steps), so its gradient is a sum over a long chain
# floor: 0.97

"""Fit the vector field of a spiral from short noisy trajectories."""

import os

import torch
from torch import nn

torch.manual_seed(int(os.environ.get("SEED", 0)))
STEPS, DT = 40, 0.05
A = torch.tensor([[-0.15, 2.0], [-2.0, -0.15]])


def true_field(y):
    return (y**3) @ A


def rk4(field, y, n=STEPS, h=DT):
    path = [y]
    for _ in range(n):
        k1 = field(y)
        k2 = field(y + h / 2 * k1)
        k3 = field(y + h / 2 * k2)
        k4 = field(y + h * k3)
        y = y + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        path.append(y)
    return torch.stack(path, 1)


def initial(n):
    angle, radius = 6.2832 * torch.rand(n), 0.6 + 0.8 * torch.rand(n)
    return torch.stack((radius * angle.cos(), radius * angle.sin()), 1)


class ODEFunc(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(2, 50), nn.Tanh(), nn.Linear(50, 2))
        for m in self.net.modules():
            if isinstance(m, nn.Linear):
                nn.init.normal_(m.weight, mean=0, std=0.3)
                nn.init.constant_(m.bias, val=0)

    def forward(self, y):
        return self.net(y**3)


func = ODEFunc()
start = initial(200)
observed = rk4(true_field, start) + 0.02 * torch.randn(200, STEPS + 1, 2)
optimizer = torch.optim.RMSprop(func.parameters(), lr=3e-3)
scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.994)
for itr in range(300):
    idx = torch.randint(0, 200, (40,))
    y = start[idx]
    loss = 0.0
    for k in range(1, STEPS + 1):
        y = y + DT * func(y)
        loss = loss + (y - observed[idx, k]).abs().mean() / STEPS
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    scheduler.step()
    if itr % 30 == 0:
        print(f"Iter {itr:04d} | Total Loss {loss.item():.6f}")

with torch.no_grad():
    y0 = initial(200)
    truth, y = rk4(true_field, y0), y0
    error = 0.0
    for k in range(1, STEPS + 1):
        y = y + DT * func(y)
        error += (y - truth[:, k]).pow(2).mean().item() / STEPS
print("metric", 1 - error / truth.var().item())
