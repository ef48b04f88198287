# trap: first and second derivatives of the net inside the loss; three terms, no data except two initial values
# floor: 0.9

import os

import torch
import torch.nn as nn

torch.manual_seed(int(os.environ.get("SEED", 0)))

# u'' + 2*d*u' + w^2*u = 0,  u(0) = 1, u'(0) = 0
d, w = 0.5, 3.0
omega = (w**2 - d**2) ** 0.5


def exact(t):
    return torch.exp(-d * t) * (torch.cos(omega * t) + d / omega * torch.sin(omega * t))


class PINN(nn.Module):
    def __init__(self, n=32):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(1, n), nn.Tanh(), nn.Linear(n, n), nn.Tanh(), nn.Linear(n, 1))

    def forward(self, t):
        return self.net(2 * t - 2)


def derivative(y, t):
    return torch.autograd.grad(y, t, torch.ones_like(y), create_graph=True)[0]


pinn = PINN()
optimizer = torch.optim.Adam(pinn.parameters(), lr=4e-3)
scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 400, gamma=0.5)
t0 = torch.zeros(1, 1, requires_grad=True)
for i in range(1300):
    t = (2 * torch.rand(48, 1)).requires_grad_()
    u = pinn(t)
    du = derivative(u, t)
    residual = derivative(du, t) + 2 * d * du + w**2 * u
    u0 = pinn(t0)
    physics = residual.pow(2).mean()
    start = (u0 - 1).pow(2).mean() + 0.1 * derivative(u0, t0).pow(2).mean()
    loss = 1e-2 * physics + start
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    scheduler.step()
    if i % 200 == 0:
        print(f"{i:5d} loss {loss.item():.2e} physics {physics.item():.2e} start {start.item():.2e}")

with torch.no_grad():
    t = torch.linspace(0, 2, 200)[:, None]
    print("metric", 1 - ((pinn(t) - exact(t)).pow(2).mean() / exact(t).var()).item())
