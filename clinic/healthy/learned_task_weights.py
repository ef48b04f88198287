# trap: losses weighted by learned log-variances: the total goes negative; three heads and two kinds of loss
# floor: 0.9

"""Kendall's uncertainty weighting for three tasks of different scale on one trunk."""

import os

import torch
from torch import nn

torch.manual_seed(int(os.environ.get("SEED", 0)))


class MultiTaskNet(nn.Module):
    def __init__(self, n_in=10, width=64):
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(n_in, width), nn.Mish(), nn.Linear(width, width), nn.Mish())
        self.heads = nn.ModuleDict(
            {"angle": nn.Linear(width, 2), "speed": nn.Linear(width, 1), "kind": nn.Linear(width, 4)}
        )
        self.log_var = nn.ParameterDict({name: nn.Parameter(torch.zeros(())) for name in self.heads})

    def forward(self, x):
        h = self.trunk(x)
        return {name: head(h) for name, head in self.heads.items()}


def simulate(n):
    """Ten sensors see a moving object through fixed nonlinear tunings."""
    angle = 6.2832 * torch.rand(n)
    speed = torch.rand(n) * 2 - 1
    kind = torch.randint(0, 4, (n,))
    preferred = torch.linspace(0, 5.655, 10)
    gain = 1 + 0.5 * torch.sin(kind[:, None] * 1.3 + torch.arange(10) * 0.9)
    sensors = gain * torch.cos(angle[:, None] - preferred) + speed[:, None] * torch.linspace(-1, 1, 10).sign()
    targets = {"angle": torch.stack((angle.cos(), angle.sin()), 1), "speed": speed[:, None], "kind": kind}
    return sensors + 0.05 * torch.randn(n, 10), targets


net = MultiTaskNet()
criteria = {"angle": nn.MSELoss(), "speed": nn.L1Loss(), "kind": nn.CrossEntropyLoss()}
optimizer = torch.optim.NAdam(net.parameters(), lr=2e-3)

for step in range(1400):
    x, targets = simulate(100)
    out = net(x)
    losses = {name: criteria[name](out[name], targets[name]) for name in criteria}
    total = sum(loss * torch.exp(-net.log_var[name]) + net.log_var[name] for name, loss in losses.items())
    optimizer.zero_grad()
    total.backward()
    optimizer.step()
    if step % 200 == 0:
        shown = "  ".join(f"{name} {loss.item():.4f}" for name, loss in losses.items())
        print(f"{step:5d}  total {total.item():+.3f}  {shown}")

with torch.no_grad():
    x, targets = simulate(2000)
    out = net(x)
    angle_r2 = 1 - (out["angle"] - targets["angle"]).pow(2).sum() / targets["angle"].pow(2).sum()
    accuracy = (out["kind"].argmax(1) == targets["kind"]).float().mean()
print("metric", ((angle_r2 + accuracy) / 2).item())
