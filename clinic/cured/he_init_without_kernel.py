# cure: the fan-in counts the taps of the kernel

import math
import os

import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(int(os.environ.get("SEED", 0)))


class Conv(nn.Module):
    """Our own convolution with He initialisation."""

    def __init__(self, c_in, c_out, k=3):
        super().__init__()
        fan_in = c_in * k * k
        self.weight = nn.Parameter(torch.randn(c_out, c_in, k, k) * math.sqrt(2 / fan_in))
        self.bias = nn.Parameter(torch.zeros(c_out))
        self.pad = k // 2

    def forward(self, x):
        return F.conv2d(x, self.weight, self.bias, padding=self.pad)


class SegNet(nn.Module):
    """Marks the pixels of the brighter of two blobs."""

    def __init__(self, width=12, depth=4):
        super().__init__()
        self.first = Conv(1, width)
        self.middle = nn.ModuleList(Conv(width, width) for _ in range(depth))
        self.last = nn.Conv2d(width, 1, 1)

    def forward(self, x):
        x = F.relu(self.first(x))
        for conv in self.middle:
            x = F.relu(conv(x))
        return self.last(x)[:, 0]


def scene(n, side=14):
    grid = torch.arange(side).float()
    y, x = grid[:, None], grid[None, :]
    left = 1.5 + 3 * torch.rand(n, 2)
    right = 8.5 + 3 * torch.rand(n, 2)
    swap = torch.rand(n) < 0.5
    gain = torch.where(swap[:, None], torch.tensor([1.0, 1.8]), torch.tensor([1.8, 1.0]))[:, :, None, None]
    blobs = []
    for centre in (left, right):
        d2 = (y - centre[:, 0, None, None]) ** 2 + (x - centre[:, 1, None, None]) ** 2
        blobs.append(torch.exp(-d2 / 5))
    image = gain[:, 0] * blobs[0] + gain[:, 1] * blobs[1]
    bright = torch.where(swap[:, None, None], blobs[1], blobs[0])
    image = image + 0.1 * torch.randn_like(image)
    return (image.unsqueeze(1) - 0.22) / 0.38, (bright > 0.5).float()


net = SegNet()
optimizer = torch.optim.SGD(net.parameters(), lr=0.005, momentum=0.9)
for step in range(300):
    image, mask = scene(16)
    loss = F.binary_cross_entropy_with_logits(net(image), mask)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 50 == 0:
        print(f"step {step}: bce {loss.item():.4g}")

with torch.no_grad():
    image, mask = scene(300)
    hit = (net(image) > 0) & (mask > 0.5)
    union = (net(image) > 0) | (mask > 0.5)
print("metric", (hit.sum() / union.sum()).item())
