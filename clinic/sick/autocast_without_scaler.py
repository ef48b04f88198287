# expect: TT301, TT307
# accept: TT402, TT407
# fault: gradients in float16 are below its smallest number and become 0, as no scaler is used

"""Denoise thin radar maps under float16 autocast."""

import os

import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(int(os.environ.get("SEED", 0)))


def maps(n, side=16):
    """A few moving targets on a quiet background; reflectivity is small, as in physical units."""
    grid = torch.arange(side).float()
    clean = torch.zeros(n, 1, side, side)
    for _ in range(3):
        cy, cx = side * torch.rand(2, n, 1, 1)
        clean[:, 0] += torch.exp(-((grid[:, None] - cy) ** 2 + (grid - cx) ** 2) / 8)
    noisy = clean + 0.3 * torch.randn_like(clean)
    return noisy, clean


class Denoiser(nn.Module):
    def __init__(self, c=12):
        super().__init__()
        self.enc = nn.Conv2d(1, c, 3, padding=1)
        self.mid = nn.Conv2d(c, c, 3, padding=1)
        self.dec = nn.Conv2d(c, 1, 3, padding=1)

    def forward(self, x):
        h = F.relu(self.enc(x))
        h = F.relu(self.mid(h))
        return self.dec(h)


model = Denoiser()
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
scaler = torch.amp.GradScaler("cpu", enabled=False)
weight = 1.5e-4  # the denoising loss is one of many terms in the full model
for step in range(150):
    noisy, clean = maps(24)
    with torch.autocast("cpu", dtype=torch.float16):
        loss = weight * F.mse_loss(model(noisy).float(), clean)
    optimizer.zero_grad()
    scaler.scale(loss).backward()
    scaler.step(optimizer)
    scaler.update()
    if step % 40 == 0:
        print(step, "mse", loss.item() / weight)

model.eval()
with torch.no_grad():
    noisy, clean = maps(100)
    print("metric", 1 - (F.mse_loss(model(noisy), clean) / clean.var()).item())
