# trap: the loss of noise prediction ends far above zero by nature; time enters as sines and cosines; EMA weights sample
# floor: -0.03

"""Denoising diffusion on two moons. The metric is minus the energy distance to fresh data."""

import copy
import math
import os

import torch
import torch.nn as nn
from sklearn.datasets import make_moons

SEED = int(os.environ.get("SEED", 0))
torch.manual_seed(SEED)
T = 40
s = torch.linspace(0, 1, T + 1)
alpha_bar = (torch.cos((s + 0.008) / 1.008 * math.pi / 2) ** 2 / math.cos(0.008 / 1.008 * math.pi / 2) ** 2).clamp(
    1e-4, 1
)
beta = (1 - alpha_bar[1:] / alpha_bar[:-1]).clamp(max=0.95)
alpha, alpha_bar = 1 - beta, alpha_bar[1:]


def moons(n, state):
    points, _ = make_moons(n, noise=0.06, random_state=state)
    return torch.tensor((points - [0.5, 0.25]) / [0.87, 0.5], dtype=torch.float32)


class Denoiser(nn.Module):
    def __init__(self, width=96, n_freq=8):
        super().__init__()
        self.register_buffer("freq", 2.0 ** torch.arange(n_freq) * math.pi / T)
        self.inp = nn.Linear(2 + 2 * n_freq, width)
        self.hidden = nn.ModuleList(nn.Linear(width, width) for _ in range(2))
        self.out = nn.Linear(width, 2)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, x, t):
        phase = t[:, None].float() * self.freq
        h = nn.functional.silu(self.inp(torch.cat((x, phase.sin(), phase.cos()), 1)))
        for layer in self.hidden:
            h = h + nn.functional.silu(layer(h))
        return self.out(h)


data = moons(4000, SEED)
model = Denoiser()
ema = copy.deepcopy(model).requires_grad_(False)
optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
history = []
for step in range(1300):
    x0 = data[torch.randint(0, 4000, (192,))]
    t = torch.randint(0, T, (192,))
    noise = torch.randn_like(x0)
    xt = alpha_bar[t, None].sqrt() * x0 + (1 - alpha_bar[t, None]).sqrt() * noise
    loss = (model(xt, t) - noise).pow(2).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    with torch.no_grad():
        for e, p in zip(ema.parameters(), model.parameters()):
            e.lerp_(p, 0.01)
    history.append(loss.item())
    if (step + 1) % 200 == 0:
        print(step + 1, sum(history[-200:]) / 200)

with torch.no_grad():
    x = torch.randn(1000, 2)
    for k in reversed(range(T)):
        eps = ema(x, torch.full((1000,), k))
        x = (x - beta[k] / (1 - alpha_bar[k]).sqrt() * eps) / alpha[k].sqrt()
        if k:
            x = x + beta[k].sqrt() * torch.randn_like(x)
    fresh = moons(1000, SEED + 100)
    energy = 2 * torch.cdist(x, fresh).mean() - torch.cdist(x, x).mean() - torch.cdist(fresh, fresh).mean()
print("metric", -energy.item())
