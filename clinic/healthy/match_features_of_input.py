# trap: the optimizer holds an image; the network is frozen and only hands the gradient on to it
# floor: 0.4

"""Texture synthesis in small: change a noise image until the feature correlations of a stripe texture appear."""

import os

import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(int(os.environ.get("SEED", 0)))

SIZE = 24
axis = torch.arange(SIZE, dtype=torch.float32)
yy, xx = torch.meshgrid(axis, axis, indexing="ij")


def texture(kind, n):
    phase = 6.2832 * torch.rand(n, 1, 1)
    wave = {0: xx, 1: yy, 2: (xx + yy) / 1.414, 3: (xx - yy) / 1.414}[kind]
    return torch.sin(1.2 * wave + phase) + 0.3 * torch.randn(n, SIZE, SIZE)


# a small classifier of textures serves as feature extractor
net = nn.Sequential(
    nn.Conv2d(1, 16, 5, padding=2, padding_mode="circular"), nn.ReLU(), nn.AvgPool2d(2),
    nn.Conv2d(16, 24, 5, padding=2, padding_mode="circular"), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(24, 4),
)  # fmt: skip
opt = torch.optim.Adam(net.parameters(), lr=3e-3)
for step in range(80):
    batch = torch.cat([texture(k, 8) for k in range(4)]).unsqueeze(1)
    loss = F.cross_entropy(net(batch), torch.arange(4).repeat_interleave(8))
    opt.zero_grad()
    loss.backward()
    opt.step()
    if step % 20 == 0:
        print("classifier", step, loss.item())
net.eval().requires_grad_(False)


def gram(image):
    grams = []
    h = image
    for layer in net[:5]:
        h = layer(h)
        if isinstance(layer, nn.ReLU):
            f = h.flatten(2)
            grams.append(f @ f.transpose(1, 2) / f.shape[-1])
    return grams


goal = [g.mean(0, keepdim=True) for g in gram(texture(2, 32).unsqueeze(1))]
canvas = nn.Parameter(0.5 * torch.randn(1, 1, SIZE, SIZE))
artist = torch.optim.Adam([canvas], lr=0.05)
for step in range(300):
    loss = sum(F.mse_loss(g, t) / t.pow(2).mean() for g, t in zip(gram(canvas), goal))
    artist.zero_grad()
    loss.backward()
    artist.step()
    if step % 50 == 0:
        print("image", step, loss.item())

# share of the image's power at the frequency and in the direction of the texture (three per cent for noise)
power = torch.fft.fft2(canvas.detach()[0, 0]).abs().pow(2)
power[0, 0] = 0
share = 2 * power[2:5, 2:5].sum() / power.sum()
print("metric", share.item())
