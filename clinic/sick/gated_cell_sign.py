# expect: TT213
# accept: TT302, TT201, TT602, TT601, TT303, TT304
# fault: the state is kept by 1 + z instead of 1 - z, so it grows at each of the 40 steps

"""A minimal gated unit (one gate) on the running average of a marked sensor."""

import os

import torch
from torch import nn


class MinimalGatedUnit(nn.Module):
    def __init__(self, n_in: int, n_hidden: int):
        super().__init__()
        self.n_hidden = n_hidden
        self.gate = nn.Linear(n_in + n_hidden, n_hidden)
        self.cand = nn.Linear(n_in + n_hidden, n_hidden)
        nn.init.constant_(self.gate.bias, -1.0)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = x.new_zeros(x.size(0), self.n_hidden)
        for x_t in x.unbind(1):
            z = torch.sigmoid(self.gate(torch.cat([x_t, h], -1)))
            n = torch.tanh(self.cand(torch.cat([x_t, z * h], -1)))
            h = (1 + z) * h + z * n
        return h


class Averager(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = MinimalGatedUnit(3, 32)
        self.readout = nn.Linear(32, 1)

    def forward(self, x):
        return self.readout(self.rnn(x)).squeeze(-1)


def episode(batch: int, steps: int = 40):
    """Two sensors and a switch; wanted is the mean of the first sensor where the switch is on."""
    level = torch.randn(batch, 1)
    sensor = level + 0.5 * torch.randn(batch, steps)
    other = torch.randn(batch, steps)
    switch = (torch.rand(batch, steps) < 0.3).float()
    switch[:, 0] = 1
    target = (sensor * switch).sum(1) / switch.sum(1)
    return torch.stack([torch.where(switch > 0, sensor, other), other, switch], -1), target


def main():
    torch.manual_seed(int(os.environ.get("SEED", 0)))
    model = Averager()
    optimizer = torch.optim.Adam(model.parameters(), lr=4e-3)
    history = []
    for it in range(400):
        x, target = episode(32)
        loss = torch.mean((model(x) - target) ** 2)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        history.append(loss.item())
        if (it + 1) % 50 == 0:
            print(f"iteration {it + 1}: mean of the last 50 losses {sum(history[-50:]) / 50:.4g}")
    with torch.no_grad():
        x, target = episode(1000)
        error = (model(x) - target).pow(2).mean() / target.var()
    print("metric", 1 - error.item())


if __name__ == "__main__":
    main()
