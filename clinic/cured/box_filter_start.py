# cure: convolution filters start at random

import os

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

SEED = int(os.environ.get("SEED", 0))
torch.manual_seed(SEED)
rng = np.random.default_rng(SEED)


def grating(n):
    """Gratings in four orientations with a random frequency, phase and noise."""
    kind = rng.integers(0, 4, n)
    theta = kind * np.pi / 4 + rng.normal(0, 0.08, n)
    freq = rng.uniform(1.3, 1.9, n)
    phase = rng.uniform(0, 2 * np.pi, n)
    yy, xx = np.mgrid[:10, :10]
    wave = xx[None] * np.cos(theta)[:, None, None] + yy[None] * np.sin(theta)[:, None, None]
    image = np.sin(freq[:, None, None] * wave + phase[:, None, None]) + rng.normal(0, 0.4, (n, 10, 10))
    return torch.tensor(image[:, None], dtype=torch.float32), torch.tensor(kind)


class OrientationNet(nn.Module):
    def __init__(self, n_filters=16):
        super().__init__()
        self.filters = nn.Conv2d(1, n_filters, 4)
        self.mix = nn.Conv2d(n_filters, n_filters, 1)
        self.readout = nn.Linear(n_filters, 4)
        for conv in (self.filters, self.mix):
            nn.init.zeros_(conv.bias)
            nn.init.kaiming_normal_(conv.weight)

    def forward(self, image):
        h = F.relu(self.filters(image))
        h = F.relu(self.mix(h))
        return self.readout(h.mean(dim=(2, 3)))


images, kinds = grating(2000)
test_images, test_kinds = grating(800)
net = OrientationNet()
optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9, nesterov=True)
for epoch in range(10):
    correct = 0
    for idx in np.array_split(rng.permutation(2000), 50):
        scores = net(images[idx])
        loss = F.cross_entropy(scores, kinds[idx])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        correct += (scores.argmax(1) == kinds[idx]).sum().item()
    print(f"epoch {epoch}: training accuracy {correct / 2000:.3f}")
with torch.no_grad():
    print("metric", (net(test_images).argmax(1) == test_kinds).float().mean().item())
