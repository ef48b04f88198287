# cure: a sigmoid squashes the gates

import math
import os

import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

cfg = dict(width=48, depth=8, lr=1e-3, batch=64, epochs=8)
torch.manual_seed(int(os.environ.get("SEED", 0)))


class GatedLayer(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.value = nn.Linear(width, width)
        self.gate = nn.Linear(width, width)
        nn.init.xavier_uniform_(self.value.weight)
        nn.init.xavier_uniform_(self.gate.weight)

    def forward(self, h):
        return h + self.value(h) * torch.sigmoid(self.gate(h))


class Tower(nn.Module):
    def __init__(self, n_in, n_out, width, depth):
        super().__init__()
        self.enc = nn.Linear(n_in, width)
        nn.init.xavier_uniform_(self.enc.weight)
        self.layers = nn.ModuleList([GatedLayer(width) for _ in range(depth)])
        self.dec = nn.Linear(width, n_out)

    def forward(self, x):
        h = self.enc(x)
        for layer in self.layers:
            h = layer(h)
        return self.dec(h)


def rings(n):
    """Four interleaved classes in the plane: two rings, each in two halves."""
    label = torch.randint(0, 4, (n,))
    radius = torch.where(label % 2 == 0, 1.0, 2.0) + 0.15 * torch.randn(n)
    angle = math.pi * torch.rand(n) + math.pi * (label // 2) + 0.8 * radius
    xy = torch.stack([radius * angle.cos(), radius * angle.sin()], 1) / 1.1
    return torch.cat([xy, 0.5 * torch.randn(n, 4)], 1), label


train, (x_val, y_val) = TensorDataset(*rings(3000)), rings(1000)
model = Tower(6, 4, cfg["width"], cfg["depth"])
optimizer = torch.optim.RAdam(model.parameters(), lr=cfg["lr"])
for epoch in range(cfg["epochs"]):
    model.train()
    running = 0.0
    for x, y in DataLoader(train, batch_size=cfg["batch"], shuffle=True):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        running += loss.item() * len(y) / len(train)
    model.eval()
    with torch.no_grad():
        accuracy = (model(x_val).argmax(-1) == y_val).float().mean().item()
    print(f"epoch {epoch} loss {running:.4f} accuracy {accuracy:.4f}")
print("metric", accuracy)
