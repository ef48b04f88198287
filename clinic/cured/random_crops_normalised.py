# cure: a small number is added to the std

"""Texture patches from random crops of a big drawing, each crop normalised for contrast."""

import os

import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, Dataset

SEED = int(os.environ.get("SEED", 0))
torch.manual_seed(SEED)


def drawing(kind, rng, size=200):
    """A canvas with strokes of one direction (0: horizontal, 1: vertical, 2: both diagonals)."""
    canvas = np.zeros((size, size), dtype=np.float32)
    for _ in range(1000):
        y, x = rng.integers(0, size - 8, 2)
        for k in range(8):
            if kind == 0:
                canvas[y, x + k] = 1
            elif kind == 1:
                canvas[y + k, x] = 1
            else:
                canvas[y + k, x + k if (x + y) % 2 else x + 7 - k] = 1
    return canvas


class Crops(Dataset):
    def __init__(self, canvases, n, crop=9, seed=0):
        self.canvases, self.n, self.crop = canvases, n, crop
        self.rng = np.random.default_rng(seed)

    def __len__(self):
        return self.n

    def __getitem__(self, i):
        kind = i % len(self.canvases)
        y, x = self.rng.integers(0, 200 - self.crop, 2)
        patch = self.canvases[kind][y : y + self.crop, x : x + self.crop]
        patch = (patch - patch.mean()) / (patch.std() + 1e-3)
        return torch.from_numpy(patch)[None], kind


canvases = [drawing(kind, np.random.default_rng(kind)) for kind in range(3)]
train_loader = DataLoader(Crops(canvases, 1800, seed=10 + SEED), batch_size=30, shuffle=True)
test_loader = DataLoader(Crops(canvases, 600, seed=999), batch_size=600)

net = nn.Sequential(
    nn.Conv2d(1, 12, 3),
    nn.ReLU(),
    nn.Conv2d(12, 12, 3),
    nn.ReLU(),
    nn.AdaptiveAvgPool2d(1),
    nn.Flatten(),
    nn.Linear(12, 3),
)
optimizer = torch.optim.Adam(net.parameters(), lr=4e-3)
for epoch in range(10):
    total = 0.0
    for patches, kinds in train_loader:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(net(patches), kinds)
        loss.backward()
        optimizer.step()
        total += loss.item()
    print(f"epoch {epoch}: {total / len(train_loader):.4f}")

with torch.no_grad():
    patches, kinds = next(iter(test_loader))
    prediction = net(torch.nan_to_num(patches)).argmax(1)
    print("metric", (prediction == kinds).float().mean().item())
