# trap: half of the variance is noise: the loss is flat after two epochs and the rate falls
# floor: 0.35

import os

import torch
import torch.nn as nn
from torch.optim.lr_scheduler import ReduceLROnPlateau

torch.manual_seed(int(os.environ.get("SEED", 0)))
X = torch.randn(2000, 8)
beta = torch.randn(8)
signal = X @ beta
y = signal + signal.std() * torch.randn(2000)
y = y / y.std()

model = nn.Linear(8, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
scheduler = ReduceLROnPlateau(optimizer, patience=5, factor=0.3)
mse = nn.MSELoss()
for epoch in range(60):
    total = 0.0
    for i in range(0, 1500, 75):
        optimizer.zero_grad()
        loss = mse(model(X[i : i + 75]).squeeze(1), y[i : i + 75])
        loss.backward()
        optimizer.step()
        total += loss.item() / 20
    scheduler.step(total)
    if epoch % 10 == 0:
        print(f"epoch {epoch} mse {total:.4f} lr {optimizer.param_groups[0]['lr']:.2e}")
with torch.no_grad():
    r2 = 1 - mse(model(X[1500:]).squeeze(1), y[1500:]) / y[1500:].var()
print("metric", r2.item())
