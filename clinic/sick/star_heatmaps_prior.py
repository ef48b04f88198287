# expect: TT212, TT201
# fault: the bias of -4.6 that the last layer should get (a prior of 1 percent) is given to every convolution

# find stars: a heatmap of their centres from a noisy picture of the sky
import os

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

SEED = int(os.environ.get("SEED", 0))
torch.manual_seed(SEED)
rng = np.random.default_rng(SEED)
SIZE = 24


def sky(n):
    yy, xx = np.mgrid[:SIZE, :SIZE]
    images = 0.35 * rng.standard_normal((n, 1, SIZE, SIZE))
    heat = np.zeros((n, 1, SIZE, SIZE))
    for i in range(n):
        for _ in range(rng.integers(1, 5)):
            cy, cx = rng.uniform(2, SIZE - 3, 2)
            images[i, 0] += rng.uniform(1.0, 2.5) * np.exp(-((yy - cy) ** 2 + (xx - cx) ** 2) / 3)
            heat[i, 0, round(cy), round(cx)] = 1
        images[i, 0] += rng.uniform(-1, 1) * (xx - SIZE / 2) / SIZE  # sky glow
    return torch.tensor(images, dtype=torch.float32), torch.tensor(heat, dtype=torch.float32)


class StarNet(nn.Module):
    def __init__(self, channels=16):
        super().__init__()
        self.conv1 = nn.Conv2d(1, channels, 5, padding=2)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)
        self.head = nn.Conv2d(channels, 1, 3, padding=1)

    def forward(self, x):
        x = F.relu(self.conv1(x))
        x = F.relu(self.conv2(x))
        return self.head(x)


def set_prior(modules, p=0.01):
    """Few pixels are positive: start from their frequency, as in the focal loss paper."""
    for m in modules:
        if isinstance(m, nn.Conv2d):
            nn.init.constant_(m.bias, -float(np.log((1 - p) / p)))


images, heat = sky(700)
test_images, test_heat = sky(200)

net = StarNet()
set_prior(net.modules())
opt = torch.optim.Adam(net.parameters(), lr=3e-3)
for epoch in range(7):
    for idx in torch.randperm(len(images)).split(20):
        loss = F.binary_cross_entropy_with_logits(net(images[idx]), heat[idx])
        opt.zero_grad()
        loss.backward()
        opt.step()
    print("epoch", epoch, "loss", round(loss.item(), 5))

net.eval()
with torch.no_grad():
    logits = net(test_images)
    # a star counts as found if the brightest of the 5x5 pixels about it is a peak of the map and above 10 percent
    peaks = (F.max_pool2d(logits, 5, stride=1, padding=2) == logits) & (logits > np.log(0.1 / 0.9))
    found = (F.max_pool2d(peaks.float(), 3, stride=1, padding=1) * test_heat).sum() / test_heat.sum()
    right = (F.max_pool2d(test_heat, 3, stride=1, padding=1) * peaks).sum() / peaks.sum().clamp(min=1)
print("metric", (2 * found * right / (found + right).clamp(min=1e-9)).item())
