# trap: integer time steps up to 50 as a second input; the loss stays at the noise floor
# floor: -0.5

"""Denoising diffusion of one dimension with a sinusoidal time embedding."""

import math
import os

import torch
from torch import nn

torch.manual_seed(int(os.environ.get("SEED", 0)))
T = 50
betas = torch.linspace(1e-3, 0.2, T)
alpha_bar = torch.cumprod(1 - betas, 0)


class SinusoidalPosEmb(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.dim = dim

    def forward(self, t):
        half = self.dim // 2
        freq = torch.exp(-math.log(10000) * torch.arange(half) / half)
        angle = t[:, None].float() * freq
        return torch.cat([angle.sin(), angle.cos()], dim=-1)


class Denoiser(nn.Module):
    def __init__(self, width=64):
        super().__init__()
        self.time = nn.Sequential(SinusoidalPosEmb(32), nn.Linear(32, width), nn.SiLU())
        self.inp = nn.Linear(1, width)
        self.mid = nn.Sequential(nn.SiLU(), nn.Linear(width, width), nn.SiLU(), nn.Linear(width, 1))

    def forward(self, x, t):
        return self.mid(self.inp(x) + self.time(t))


def data(n):
    return torch.where(torch.rand(n, 1) < 0.5, -1.0, 1.0) + 0.1 * torch.randn(n, 1)


model = Denoiser()
optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)


def noise_loss(n):
    x0, t, eps = data(n), torch.randint(0, T, (n,)), torch.randn(n, 1)
    a = alpha_bar[t][:, None]
    return nn.functional.mse_loss(model(a.sqrt() * x0 + (1 - a).sqrt() * eps, t), eps)


for step in range(600):
    loss = noise_loss(128)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 100 == 0:
        print(f"step {step} loss {loss.item():.4f}")
with torch.no_grad():
    print("metric", -noise_loss(5000).item())
