# cure: the network is put in eval mode to classify images

"""How full is the glass? Five levels, drawn as a bright area, photographed in noise."""

import os

import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(int(os.environ.get("SEED", 0)))


def photograph(n):
    level = torch.randint(5, (n,))
    height = 12 - 2 * level[:, None, None]
    rows = torch.arange(12)[None, :, None].expand(n, 12, 12)
    glass = (rows >= height).float() * (0.8 + 0.2 * torch.rand(n, 1, 1))
    return (glass + 0.25 * torch.randn(n, 12, 12) - 0.3).unsqueeze(1) / 0.5, level


def block(c_in, c_out):
    return nn.Sequential(nn.Conv2d(c_in, c_out, 3, padding=1), nn.BatchNorm2d(c_out), nn.ReLU(), nn.MaxPool2d(2))


net = nn.Sequential(block(1, 8), block(8, 16), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 5))
optimizer = torch.optim.AdamW(net.parameters(), lr=5e-3)
net.train()
for step in range(300):
    images, level = photograph(40)
    loss = F.cross_entropy(net(images), level)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 50 == 49:
        print("step %d: loss %.3f" % (step + 1, loss.item()))

# use it as the app will: one photograph after the other
net.eval()
hits = 0
for _ in range(400):
    image, level = photograph(1)
    with torch.no_grad():
        guess = net(image).argmax(dim=1)
    hits += int(guess == level)
print("metric", hits / 400)
