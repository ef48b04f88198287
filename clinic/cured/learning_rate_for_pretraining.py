# cure: lr 5e-3

import os

import torch
from torch import nn

torch.manual_seed(int(os.environ.get("SEED", 0)))

x = torch.linspace(-3, 3, 1200).unsqueeze(1)
y = torch.sin(2 * x) + 0.05 * torch.randn_like(x)
perm = torch.randperm(1200)
tr, te = perm[:1000], perm[1000:]

model = nn.Sequential(nn.Linear(1, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, 1))
optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3, weight_decay=0.0)

for epoch in range(40):
    total = 0.0
    for b in tr[torch.randperm(1000)].split(50):
        loss = (model(x[b]) - y[b]).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item()
    if epoch % 8 == 0:
        print(f"epoch {epoch:3d} mse {total / 20:.5f}")
with torch.no_grad():
    print("metric", -(model(x[te]) - y[te]).square().mean().item())
