# cure: the cosine is kept a hair inside the border

"""Direction of a light source from the shading of a sphere; the loss is the angle between unit vectors."""

import os

import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(int(os.environ.get("SEED", 0)))

# surface normals of the visible half of a sphere, seen on a 9 x 9 grid
axis = torch.linspace(-0.9, 0.9, 9)
gy, gx = torch.meshgrid(axis, axis, indexing="ij")
inside = gx**2 + gy**2 < 0.95
normals = torch.stack([gx, gy, (1 - gx**2 - gy**2).clamp(min=0).sqrt()], -1)[inside]


def render(n):
    light = F.normalize(torch.randn(n, 3), dim=1)
    shade = (light @ normals.T).clamp(min=0) + 0.02 * torch.randn(n, len(normals))
    return shade, light


class LightNet(nn.Module):
    def __init__(self, n_pixels):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(n_pixels, 64), nn.Linear(64, 64), nn.Linear(64, 3)])

    def forward(self, shade):
        h = (shade - 0.25) / 0.35
        for layer in self.layers[:-1]:
            h = F.silu(layer(h))
        return F.normalize(self.layers[-1](h), dim=1)


def angular_error(pred, target):
    cosine = (pred * target).sum(dim=1)
    cosine = cosine.clamp(-1 + 1e-6, 1 - 1e-6)
    return torch.acos(cosine)


net = LightNet(len(normals))
optimizer = torch.optim.Adam(net.parameters(), lr=2e-3)
scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 800)
for step in range(800):
    shade, light = render(128)
    loss = angular_error(net(shade), light).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    scheduler.step()
    if step % 100 == 0:
        print(f"{step:4d} | mean angle {torch.rad2deg(loss).item():6.2f} degrees")

with torch.no_grad():
    shade, light = render(2000)
    print("metric", -torch.rad2deg(angular_error(net(shade), light)).mean().item())
