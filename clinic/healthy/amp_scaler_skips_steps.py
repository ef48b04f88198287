# trap: the scaler skips its first steps because float16 gradients overflow: by design; the scaled loss is in the millions
# floor: 0.88

import os

import torch
import torch.nn as nn
from sklearn.datasets import load_digits

torch.manual_seed(int(os.environ.get("SEED", 0)))
X, y = load_digits(return_X_y=True)
X = torch.tensor((X - X.mean()) / X.std(), dtype=torch.float32)
y = torch.tensor(y)
model = nn.Sequential(nn.Linear(64, 96), nn.ReLU(), nn.Linear(96, 96), nn.ReLU(), nn.Linear(96, 10))
optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
# the scale starts high and is halved until the float16 gradients fit
scaler = torch.amp.GradScaler("cpu", init_scale=2.0**22)
skipped = 0
for epoch in range(8):
    for idx in torch.randperm(1400).split(50):
        optimizer.zero_grad()
        with torch.autocast("cpu", dtype=torch.float16):
            logits = model(X[idx])
            loss = nn.functional.cross_entropy(logits, y[idx])
        scaler.scale(loss).backward()
        scaler.unscale_(optimizer)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        before = scaler.get_scale()
        scaler.step(optimizer)
        scaler.update()
        skipped += scaler.get_scale() < before
    print(f"epoch {epoch} loss {loss.item():.4f} scale {scaler.get_scale():.0f} skipped {skipped}")
with torch.no_grad():
    print("metric", (model(X[1400:]).argmax(1) == y[1400:]).float().mean().item())
