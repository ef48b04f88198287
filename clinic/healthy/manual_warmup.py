# trap: the learning rate warms up from 1e-7, so the first updates move nothing
# floor: 0.88

import os

import torch
import torch.nn as nn
from sklearn.datasets import load_digits

torch.manual_seed(int(os.environ.get("SEED", 0)))
X, y = load_digits(return_X_y=True)
X = torch.tensor((X - X.mean()) / X.std(), dtype=torch.float32)
y = torch.tensor(y)
model = nn.Sequential(
    nn.Linear(64, 128), nn.LayerNorm(128), nn.GELU(), nn.Linear(128, 128), nn.GELU(), nn.Linear(128, 10)
)
optimizer = torch.optim.Adam(model.parameters(), lr=1e-7)
MAX_LR, WARMUP, STEPS = 2e-3, 80, 400


def set_lr(step):
    lr = 1e-7 + (MAX_LR - 1e-7) * min(1.0, step / WARMUP)
    for group in optimizer.param_groups:
        group["lr"] = lr
    return lr


for step in range(STEPS):
    lr = set_lr(step)
    idx = torch.randint(0, 1400, (32,))
    loss = nn.functional.cross_entropy(model(X[idx]), y[idx])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 50 == 0:
        print(f"step {step} lr {lr:.2e} loss {loss.item():.3f}")
with torch.no_grad():
    print("metric", (model(X[1400:]).argmax(1) == y[1400:]).float().mean().item())
