"""A small network on handwritten digits with a learning rate hundreds of times too large."""

import torch
from torch import nn
from torch.nn import functional as F

from trimtab.examples import digits

torch.manual_seed(0)

images, labels = digits.load()
x = torch.from_numpy(images).flatten(1) / 16 - 0.3
y = torch.from_numpy(labels)

model = nn.Sequential(nn.Linear(64, 128), nn.Tanh(), nn.Linear(128, 10))
optimizer = torch.optim.SGD(model.parameters(), lr=20.0)

for step in range(400):
    rows = torch.randint(0, 1500, (64,))
    loss = F.cross_entropy(model(x[rows]), y[rows])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 40 == 0:
        print(f"step {step:3d}  loss {loss.item():.3f}")

with torch.no_grad():
    print(f"test accuracy {(model(x[1500:]).argmax(1) == y[1500:]).float().mean().item():.3f}")
