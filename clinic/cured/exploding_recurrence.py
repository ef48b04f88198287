# cure: the identity

"""Adding problem with a home-made ReLU RNN cell."""

import os

import torch
from torch import nn

torch.manual_seed(int(os.environ.get("SEED", 0)))
T, HIDDEN = 16, 32


class Cell(nn.Module):
    def __init__(self):
        super().__init__()
        self.i2h = nn.Linear(2, HIDDEN)
        self.h2h = nn.Linear(HIDDEN, HIDDEN, bias=False)
        nn.init.eye_(self.h2h.weight)
        self.h2h.weight.data.mul_(1.0)

    def forward(self, x, h):
        return torch.relu(self.i2h(x) + self.h2h(h))


class RNN(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = Cell()
        self.readout = nn.Linear(HIDDEN, 1)

    def forward(self, x):
        h = x.new_zeros(x.shape[0], HIDDEN)
        for t in range(x.shape[1]):
            h = self.cell(x[:, t], h)
        return self.readout(h)[:, 0]


def adding(n):
    value = torch.rand(n, T) - 0.5
    mark = torch.zeros(n, T)
    mark[torch.arange(n), torch.randint(0, T // 2, (n,))] = 1
    mark[torch.arange(n), torch.randint(T // 2, T, (n,))] = 1
    return torch.stack([value, mark], -1), (value * mark).sum(1)


model = RNN()
opt = torch.optim.Adam(model.parameters(), lr=3e-3)
for step in range(400):
    x, target = adding(64)
    loss = (model(x) - target).pow(2).mean()
    opt.zero_grad()
    loss.backward()
    opt.step()
    if step % 50 == 0:
        print(f"step {step} loss {loss.item():.5g}")
with torch.no_grad():
    x, target = adding(500)
    print("metric", -(model(x) - target).pow(2).mean().item())
