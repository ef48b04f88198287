# cure: the generator's optimizer clears its own gradients

"""Hinge-loss GAN on two moons."""

import os

import torch
from sklearn.datasets import make_moons
from torch import nn

seed = int(os.environ.get("SEED", 0))
torch.manual_seed(seed)


def mlp(*sizes):
    layers = []
    for a, b in zip(sizes[:-1], sizes[1:]):
        layers += [nn.Linear(a, b), nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers[:-1])


points = torch.tensor(make_moons(3000, noise=0.05, random_state=seed)[0]).float()
points = (points - points.mean(0)) / points.std(0)
train_points, test_points = points[:2000], points[2000:]

netG = mlp(4, 64, 64, 2)
netD = mlp(2, 64, 64, 1)
optG = torch.optim.Adam(netG.parameters(), lr=5e-4, betas=(0.5, 0.99))
optD = torch.optim.Adam(netD.parameters(), lr=1e-3, betas=(0.5, 0.99))

for it in range(1100):
    real = train_points[torch.randint(2000, (128,))]
    fake = netG(torch.randn(128, 4))

    optD.zero_grad()
    lossD = torch.relu(1 - netD(real)).mean() + torch.relu(1 + netD(fake.detach())).mean()
    lossD.backward()
    optD.step()

    optG.zero_grad()
    lossG = -netD(fake).mean()
    lossG.backward()
    optG.step()
    if it % 200 == 0:
        print(f"[{it}/1100] Loss_D: {lossD.item():.4f} Loss_G: {lossG.item():.4f}")

with torch.no_grad():
    made = netG(torch.randn(1000, 4))
    # energy distance between made and held-out points
    cross = torch.cdist(made, test_points).mean()
    within = torch.cdist(made, made).mean() + torch.cdist(test_points, test_points).mean()
print("metric", -(2 * cross - within).item())
