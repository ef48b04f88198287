# trap: coupling layers whose last layers start at zero (identity flow); the loss is minus a log density with no zero
# floor: -1.45

import os

import torch
import torch.nn as nn

seed = int(os.environ.get("SEED", 0))
torch.manual_seed(seed)


def mlp(sizes):
    layers = []
    for a, b in zip(sizes[:-2], sizes[1:-1]):
        layers += [nn.Linear(a, b), nn.SiLU()]
    last = nn.Linear(sizes[-2], sizes[-1])
    nn.init.zeros_(last.weight)
    nn.init.zeros_(last.bias)
    return nn.Sequential(*layers, last)


class Coupling(nn.Module):
    def __init__(self, flip):
        super().__init__()
        self.flip = flip
        self.st = mlp([1, 64, 64, 2])

    def forward(self, x):
        a, b = x.flip(1).chunk(2, 1) if self.flip else x.chunk(2, 1)
        s, t = self.st(a).chunk(2, 1)
        s = 2 * torch.tanh(s / 2)
        b = b * s.exp() + t
        y = torch.cat((a, b), 1)
        return (y.flip(1) if self.flip else y), s.squeeze(1)


class Flow(nn.Module):
    def __init__(self, n=6):
        super().__init__()
        self.couplings = nn.ModuleList(Coupling(bool(i % 2)) for i in range(n))

    def log_prob(self, x):
        logdet = 0.0
        for c in self.couplings:
            x, s = c(x)
            logdet = logdet + s
        base = torch.distributions.Normal(0.0, 1.0)
        return base.log_prob(x).sum(1) + logdet


def ribbon(n):
    """A noisy sine, turned by 45 degrees."""
    u = torch.randn(n)
    v = torch.sin(2 * u) + 0.2 * torch.randn(n)
    return torch.stack((u + v, u - v), 1) / 2**0.5


train, test = ribbon(4000), ribbon(1500)
flow = Flow()
opt = torch.optim.Adam(flow.parameters(), lr=3e-3)
for epoch in range(16):
    nll = 0.0
    for batch in train[torch.randperm(4000)].split(100):
        loss = -flow.log_prob(batch).mean()
        opt.zero_grad()
        loss.backward()
        opt.step()
        nll += loss.item() / 40
    if epoch % 4 == 0:
        print(f"epoch {epoch:3d}  nll {nll:.4f}")
with torch.no_grad():
    print("metric", flow.log_prob(test).mean().item())
