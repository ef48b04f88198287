# expect: TT101
# accept: TT302, TT212, TT401
# fault: grey values from 0 to 255 are only cast to float

"""Squares, discs and crosses on a noisy canvas."""

import os

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

SEED = int(os.environ.get("SEED", 0))
torch.manual_seed(SEED)
np.random.seed(SEED)
SIZE = 16


def draw(kind):
    canvas = np.random.randint(60, 120, (SIZE, SIZE))
    r = np.random.randint(3, 6)
    cx, cy = np.random.randint(r, SIZE - r, 2)
    yy, xx = np.mgrid[:SIZE, :SIZE]
    dx, dy = np.abs(xx - cx), np.abs(yy - cy)
    if kind == 0:
        mask = (dx <= r) & (dy <= r)
    elif kind == 1:
        mask = dx**2 + dy**2 <= r * r
    else:
        mask = ((dx <= 1) & (dy <= r)) | ((dy <= 1) & (dx <= r))
    canvas[mask] += np.random.randint(70, 120)
    return canvas.clip(0, 255).astype(np.uint8)


def dataset(n):
    kinds = np.random.randint(0, 3, n)
    return np.stack([draw(k) for k in kinds]), kinds


class ShapeNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 12, 3, padding=1)
        self.conv2 = nn.Conv2d(12, 24, 3, padding=1)
        self.fc1 = nn.Linear(24 * 16, 48)
        self.fc2 = nn.Linear(48, 3)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        x = F.relu(self.fc1(x.flatten(1)))
        return self.fc2(x)


def to_tensor(images):
    x = torch.from_numpy(images).float().unsqueeze(1)
    return x


train_images, train_kinds = dataset(1500)
test_images, test_kinds = dataset(500)
train_kinds, test_kinds = torch.from_numpy(train_kinds), torch.from_numpy(test_kinds)

net = ShapeNet()
optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
for epoch in range(8):
    order = np.random.permutation(1500)
    for i in range(0, 1500, 50):
        batch = order[i : i + 50]
        logits = net(to_tensor(train_images[batch]))
        loss = F.cross_entropy(logits, train_kinds[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch}: {loss.item():.3f}")

with torch.no_grad():
    hits = net(to_tensor(test_images)).argmax(1) == test_kinds
print("metric", hits.float().mean().item())
