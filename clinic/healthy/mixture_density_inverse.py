# trap: negative log-likelihood of a mixture: starts positive, ends below zero and has no natural level; logs of scales
# floor: 1.4

"""Bishop's inverse problem: x = t + 0.3 sin(2 pi t) + noise, predict t from x with a mixture density network."""

import math
import os

import torch
import torch.nn as nn

torch.manual_seed(int(os.environ.get("SEED", 0)))


def toy(n: int):
    t = torch.rand(n, 1)
    x = t + 0.3 * torch.sin(2 * math.pi * t) + 0.03 * (2 * torch.rand(n, 1) - 1)
    return (x - 0.5) / 0.3, t


class MDN(nn.Module):
    def __init__(self, n_hidden: int = 32, n_gaussians: int = 5):
        super().__init__()
        self.z_h = nn.Sequential(nn.Linear(1, n_hidden), nn.Tanh(), nn.Linear(n_hidden, n_hidden), nn.Tanh())
        self.z_pi = nn.Linear(n_hidden, n_gaussians)
        self.z_mu = nn.Linear(n_hidden, n_gaussians)
        self.z_log_sigma = nn.Linear(n_hidden, n_gaussians)
        nn.init.constant_(self.z_log_sigma.bias, -1.0)
        with torch.no_grad():
            self.z_mu.bias.copy_(torch.linspace(0.1, 0.9, n_gaussians))

    def log_prob(self, x, t):
        h = self.z_h(x)
        log_pi = self.z_pi(h).log_softmax(-1)
        log_sigma = self.z_log_sigma(h).clamp(min=-4)
        z = (t - self.z_mu(h)) * torch.exp(-log_sigma)
        return torch.logsumexp(log_pi - log_sigma - 0.5 * z**2 - 0.5 * math.log(2 * math.pi), dim=-1)


x, t = toy(2000)
network = MDN()
optimizer = torch.optim.Adam(network.parameters(), lr=5e-3)
for epoch in range(45):
    running = 0.0
    for idx in torch.randperm(2000).split(100):
        loss = -network.log_prob(x[idx], t[idx]).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        running += loss.item() / 20
    if epoch % 5 == 0:
        print("epoch", epoch, "nll", round(running, 4))

with torch.no_grad():
    print("metric", network.log_prob(*toy(2000)).mean().item())
