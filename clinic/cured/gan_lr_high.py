# cure: lr 1e-3

import os

import torch
from torch import nn

torch.manual_seed(int(os.environ.get("SEED", 0)))

G = nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1))
D = nn.Sequential(nn.Linear(1, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1))
lr = 1e-3
opt_g = torch.optim.Adam(G.parameters(), lr=lr, betas=(0.5, 0.9))
opt_d = torch.optim.Adam(D.parameters(), lr=lr, betas=(0.5, 0.9))
bce = nn.functional.binary_cross_entropy_with_logits


def real(n):
    return torch.randn(n, 1) * 0.5 + 2.0


for step in range(700):
    z = torch.randn(64, 8)
    fake = G(z)
    d_real, d_fake = D(real(64)), D(fake.detach())
    d_loss = bce(d_real, torch.ones_like(d_real)) + bce(d_fake, torch.zeros_like(d_fake))
    opt_d.zero_grad()
    d_loss.backward()
    opt_d.step()
    g_out = D(fake)
    g_loss = bce(g_out, torch.ones_like(g_out))
    opt_g.zero_grad()
    g_loss.backward()
    opt_g.step()
    if step % 100 == 0:
        print(f"{step}: d {d_loss.item():.3f} g {g_loss.item():.3f}")

with torch.no_grad():
    samples = G(torch.randn(4000, 8)).sort(0).values
    target = real(4000).sort(0).values
print("metric", -(samples - target).abs().clamp(max=10).mean().item())
