# trap: spectral norm holds the critic's layers to gain one, hinge losses are flat beyond the margin; no loss falls
# floor: -0.08

import os

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.nn.utils.parametrizations import spectral_norm

SEED = int(os.environ.get("SEED", 0))
LATENT, BATCH, STEPS = 8, 96, 450


def swiss_roll(n):
    t = 4.7 * (1 + 1.2 * torch.rand(n))
    return torch.stack((t * t.cos(), t * t.sin()), 1) / 6 + 0.03 * torch.randn(n, 2)


def build_generator():
    return nn.Sequential(
        nn.Linear(LATENT, 96),
        nn.BatchNorm1d(96),
        nn.ReLU(),
        nn.Linear(96, 96),
        nn.BatchNorm1d(96),
        nn.ReLU(),
        nn.Linear(96, 2),
    )


def build_critic():
    layers, sizes = [], [2, 128, 128, 1]
    for i, (a, b) in enumerate(zip(sizes, sizes[1:])):
        layers.append(spectral_norm(nn.Linear(a, b)))
        if i < 2:
            layers.append(nn.LeakyReLU(0.1))
    return nn.Sequential(*layers)


@torch.no_grad()
def energy_distance(a, b):
    return (2 * torch.cdist(a, b).mean() - torch.cdist(a, a).mean() - torch.cdist(b, b).mean()).item()


def main():
    torch.manual_seed(SEED)
    generator, critic = build_generator(), build_critic()
    opt_g = torch.optim.Adam(generator.parameters(), lr=1e-3, betas=(0.0, 0.9))
    opt_c = torch.optim.Adam(critic.parameters(), lr=2e-3, betas=(0.0, 0.9))
    for step in range(STEPS):
        z = torch.randn(BATCH, LATENT)
        with torch.no_grad():
            fake = generator(z)
        loss_c = F.relu(1 - 4 * critic(swiss_roll(BATCH))).mean() + F.relu(1 + 4 * critic(fake)).mean()
        opt_c.zero_grad(set_to_none=True)
        loss_c.backward()
        opt_c.step()

        critic.requires_grad_(False)
        loss_g = -critic(generator(torch.randn(BATCH, LATENT))).mean()
        opt_g.zero_grad(set_to_none=True)
        loss_g.backward()
        opt_g.step()
        critic.requires_grad_(True)
        if step % 100 == 0:
            generator.eval()
            gap = energy_distance(generator(torch.randn(1000, LATENT)), swiss_roll(1000))
            generator.train()
            print(f"{step:4d} critic {loss_c.item():.3f} generator {loss_g.item():+.3f} energy distance {gap:.4f}")
    generator.eval()
    print("metric", -energy_distance(generator(torch.randn(2000, LATENT)), swiss_roll(2000)))


if __name__ == "__main__":
    main()
