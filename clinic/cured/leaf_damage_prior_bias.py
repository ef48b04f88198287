# cure: the prior is the typical damage, 0.25

"""Share of a leaf that is eaten, from a 12 x 12 picture of it. The head gets a prior, as in RetinaNet."""

import math
import os

import numpy as np
import torch
import torch.nn as nn

PRIOR = 0.25


def draw(n, rng):
    """Green discs with holes; the target is the share of the disc that the holes took."""
    yy, xx = np.mgrid[:12, :12] - 5.5
    leaf = (yy**2 + xx**2 < 30).astype(np.float32)
    pictures, damage = [], []
    for _ in range(n):
        hole = np.zeros_like(leaf)
        for _ in range(rng.integers(1, 5)):
            cy, cx, r = rng.uniform(-4, 4), rng.uniform(-4, 4), rng.uniform(1, 3.5)
            hole = np.maximum(hole, ((yy - cy) ** 2 + (xx - cx) ** 2 < r * r) * leaf)
        pictures.append(leaf - hole + 0.1 * rng.standard_normal(leaf.shape))
        damage.append(hole.sum() / leaf.sum())
    x = torch.tensor(np.stack(pictures), dtype=torch.float32)[:, None]
    return (x - 0.45) / 0.5, torch.tensor(np.array(damage), dtype=torch.float32)


class LeafNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 16, 3), nn.ReLU(), nn.Flatten()
        )
        self.head = nn.Linear(16 * 4 * 4, 1)
        nn.init.constant_(self.head.bias, math.log(PRIOR / (1 - PRIOR)))

    def forward(self, x):
        return torch.sigmoid(self.head(self.features(x))).squeeze(1)


seed = int(os.environ.get("SEED", 0))
torch.manual_seed(seed)
rng = np.random.default_rng(seed)
x_train, y_train = draw(1500, rng)
x_test, y_test = draw(500, rng)

net = LeafNet()
optimizer = torch.optim.SGD(net.parameters(), lr=0.2, momentum=0.9)
criterion = nn.MSELoss()
for epoch in range(10):
    total = 0.0
    for batch in torch.randperm(len(x_train)).split(50):
        loss = criterion(net(x_train[batch]), y_train[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(batch)
    print("epoch {} loss {:.5f}".format(epoch, total / len(x_train)))

net.eval()
with torch.no_grad():
    r2 = 1 - ((net(x_test) - y_test) ** 2).mean() / y_test.var()
print("metric", r2.item())
