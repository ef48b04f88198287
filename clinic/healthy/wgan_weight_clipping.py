# trap: weights of the critic are clamped to a tiny box after each step; its loss is negative and five steps go to one
# floor: -0.1

import os

import torch
from torch import nn
from torch.optim import RMSprop

torch.manual_seed(int(os.environ.get("SEED", 0)))
CLIP, N_CRITIC, BATCH = 0.1, 5, 128
mix = torch.tensor([[1.0, 0.6], [-0.4, 0.8]])


def real_batch(n):
    """A bent, correlated cloud."""
    z = torch.randn(n, 2)
    z = torch.stack((z[:, 0], 0.5 * z[:, 1] + 0.4 * z[:, 0] ** 2 - 0.4), dim=1)
    return z @ mix.T


def mlp(n_in, n_out):
    return nn.Sequential(nn.Linear(n_in, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, n_out))


G, D = mlp(4, 2), mlp(2, 1)
opt_g, opt_d = RMSprop(G.parameters(), lr=1e-3), RMSprop(D.parameters(), lr=1e-3)
for p in D.parameters():
    p.data.clamp_(-CLIP, CLIP)

for step in range(400):
    for _ in range(N_CRITIC):
        with torch.no_grad():
            fake = G(torch.randn(BATCH, 4))
        loss_d = D(fake).mean() - D(real_batch(BATCH)).mean()
        opt_d.zero_grad()
        loss_d.backward()
        opt_d.step()
        for p in D.parameters():
            p.data.clamp_(-CLIP, CLIP)
    loss_g = -D(G(torch.randn(BATCH, 4))).mean()
    opt_g.zero_grad()
    loss_g.backward()
    opt_g.step()
    if step % 50 == 0:
        print(f"{step:4d}  wasserstein estimate {-loss_d.item():.4f}")

with torch.no_grad():
    a, b = G(torch.randn(1500, 4)), real_batch(1500)
    # energy distance between generated and fresh real points
    energy = 2 * torch.cdist(a, b).mean() - torch.cdist(a, a).mean() - torch.cdist(b, b).mean()
print("metric", -energy.item())
