# trap: eight backwards for one optimizer step, loss divided by eight, clipping
# floor: 0.85

import os

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(int(os.environ.get("SEED", 0)))
X, y = load_digits(return_X_y=True)
X = torch.tensor(X / 16, dtype=torch.float32)
y = torch.tensor(y)
loader = DataLoader(TensorDataset(X[:1408], y[:1408]), batch_size=8, shuffle=True)
ACCUMULATE = 8

model = nn.Sequential(nn.Linear(64, 128), nn.GELU(), nn.Dropout(0.1), nn.Linear(128, 64), nn.GELU(), nn.Linear(64, 10))
optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
criterion = nn.CrossEntropyLoss()

optimizer.zero_grad()
for epoch in range(8):
    model.train()
    for step, (xb, yb) in enumerate(loader, start=1):
        loss = criterion(model(xb), yb) / ACCUMULATE
        loss.backward()
        if step % ACCUMULATE == 0:
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad()
    print(f"epoch {epoch} loss {loss.item() * ACCUMULATE:.4f}")

model.eval()
with torch.no_grad():
    print("metric", (model(X[1408:]).argmax(1) == y[1408:]).float().mean().item())
