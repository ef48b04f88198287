# trap: contrastive divergence: the loss is a difference of two energies and hovers around zero; negatives from Langevin steps
# floor: 0.9

import os

import torch
import torch.nn as nn

torch.manual_seed(int(os.environ.get("SEED", 0)))


def ring(n):
    angle = 2 * torch.pi * torch.rand(n)
    radius = 1 + 0.2 * torch.randn(n)
    return torch.stack((radius * angle.cos(), radius * angle.sin()), 1)


class Energy(nn.Module):
    def __init__(self, h=64):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(2, h), nn.SiLU(), nn.Linear(h, h), nn.SiLU(), nn.Linear(h, 1))

    def forward(self, x):
        # the quadratic term keeps the density proper
        return self.net(x).squeeze(1) + 0.5 * (x**2).sum(1)


def langevin(energy, x, steps=10, size=0.01):
    for p in energy.parameters():
        p.requires_grad_(False)
    x = x.detach().clone()
    for _ in range(steps):
        x.requires_grad_(True)
        (grad,) = torch.autograd.grad(energy(x).sum(), x)
        x = (x - size * grad + (2 * size) ** 0.5 * torch.randn_like(x)).detach()
    for p in energy.parameters():
        p.requires_grad_(True)
    return x


energy = Energy()
optimizer = torch.optim.Adam(energy.parameters(), lr=1e-3)
chains = torch.randn(512, 2)
for step in range(600):
    rows = torch.randint(0, 512, (128,))
    negative = langevin(energy, chains[rows])
    restart = torch.rand(128) < 0.05
    chains[rows] = torch.where(restart[:, None], torch.randn(128, 2), negative)
    e_pos, e_neg = energy(ring(128)), energy(negative)
    loss = e_pos.mean() - e_neg.mean() + 0.02 * (e_pos**2 + e_neg**2).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 100 == 0:
        print(
            f"{step:4d} loss {loss.item():+.4f} E(data) {e_pos.mean().item():+.3f} E(model) {e_neg.mean().item():+.3f}"
        )

# does the energy tell data from points off the ring?
with torch.no_grad():
    good = energy(ring(1000))
    off = torch.cat((0.2 * torch.randn(500, 2), 2.5 * ring(500)))
    print("metric", (good[:, None] < energy(off)[None, :]).float().mean().item())
