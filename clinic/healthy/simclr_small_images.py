# trap: NT-Xent at temperature 0.2: the loss cannot reach zero, the similarity matrix holds -inf on its diagonal
# floor: 0.8

import math
import os

import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

torch.manual_seed(int(os.environ.get("SEED", 0)))

images = torch.from_numpy(load_digits().images).float().unsqueeze(1) / 8 - 1
labels = load_digits().target


def augment(x):
    """Small random rotation, scaling and shift, then noise."""
    n = len(x)
    angle = (torch.rand(n) - 0.5) * 0.6
    zoom = 1 + (torch.rand(n) - 0.5) * 0.3
    shift = (torch.rand(n, 2) - 0.5) * 0.4
    cos, sin = angle.cos() * zoom, angle.sin() * zoom
    theta = torch.stack((torch.stack((cos, -sin, shift[:, 0]), 1), torch.stack((sin, cos, shift[:, 1]), 1)), 1)
    grid = F.affine_grid(theta, list(x.shape), align_corners=False)
    warped = F.grid_sample(x + 1, grid, align_corners=False) - 1
    return warped + 0.1 * torch.randn_like(x)


def nt_xent(z, temperature=0.2):
    z = F.normalize(z, dim=1)
    n = len(z) // 2
    similarity = (z @ z.T / temperature).masked_fill(torch.eye(2 * n, dtype=torch.bool), -math.inf)
    partner = torch.cat((torch.arange(n, 2 * n), torch.arange(n)))
    return F.cross_entropy(similarity, partner)


encoder = nn.Sequential(
    nn.Conv2d(1, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU(),
    nn.Conv2d(16, 32, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(32), nn.ReLU(),
    nn.Flatten(), nn.Linear(512, 64),
)  # fmt: skip
projector = nn.Sequential(nn.ReLU(), nn.Linear(64, 32))
params = list(encoder.parameters()) + list(projector.parameters())
optimizer = torch.optim.Adam(params, lr=2e-3, weight_decay=1e-6)

for epoch in range(10):
    encoder.train()
    losses = []
    for idx in torch.randperm(1400)[:1344].split(96):
        x = images[idx]
        loss = nt_xent(projector(encoder(torch.cat((augment(x), augment(x))))))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    print(f"epoch {epoch}: nt-xent {sum(losses) / len(losses):.4f}")

encoder.eval()
with torch.no_grad():
    features = encoder(images).numpy()
few = slice(0, 200)  # linear probe on 200 labels
probe = LogisticRegression(max_iter=2000).fit(features[few], labels[few])
print("metric", probe.score(features[1400:], labels[1400:]))
