# expect: TT104
# accept: TT304, TT602
# fault: batches are slices of arrays in which the classes follow each other

import os

import numpy as np
import torch

seed = int(os.environ.get("SEED", 0))
torch.manual_seed(seed)
rng = np.random.RandomState(seed)


def arm(k, n):
    """One arm of a three-armed spiral."""
    t = np.sqrt(rng.rand(n)) * 2.2
    angle = 2 * np.pi * k / 3 + 1.6 * t
    return np.c_[t * np.cos(angle), t * np.sin(angle)] + 0.24 * rng.randn(n, 2)


def build(n):
    x = np.concatenate([arm(0, n), arm(1, n), arm(2, n)])
    t = np.concatenate([np.full(n, 0), np.full(n, 1), np.full(n, 2)])
    return torch.tensor(x, dtype=torch.float), torch.tensor(t)


x, t = build(2500)
x_new, t_new = build(200)

net = torch.nn.Sequential()
net.append(torch.nn.Linear(2, 64)).append(torch.nn.LeakyReLU())
net.append(torch.nn.Linear(64, 64)).append(torch.nn.LeakyReLU())
net.append(torch.nn.Linear(64, 3))

opt = torch.optim.Adam(net.parameters(), lr=2e-3)
B = 50
for epoch in range(6):
    epoch_loss = 0
    for b in range(len(x) // B):
        inputs = x[b * B : (b + 1) * B]
        targets = t[b * B : (b + 1) * B]
        out = net(inputs)
        loss = torch.nn.functional.cross_entropy(out, targets)
        net.zero_grad()
        loss.backward()
        opt.step()
        epoch_loss += loss.item()
    if (epoch + 1) % 2 == 0:
        print("epoch", epoch + 1, "loss", round(epoch_loss / (len(x) // B), 3))

print("metric", (net(x_new).argmax(-1) == t_new).float().mean().item())
