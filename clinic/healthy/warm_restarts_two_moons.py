# trap: cosine annealing with warm restarts: the rate falls to almost nothing and jumps up again, twice
# floor: 0.95

import os

import torch
from sklearn.datasets import make_moons
from torch import nn

seed = int(os.environ.get("SEED", 0))
torch.manual_seed(seed)
X, y = make_moons(n_samples=1200, noise=0.15, random_state=seed)
X = torch.tensor(X, dtype=torch.float32)
X = (X - X.mean(dim=0)) / X.std(dim=0)
y = torch.tensor(y, dtype=torch.float32)
X_tr, y_tr, X_te, y_te = X[:800], y[:800], X[800:], y[800:]

model = nn.Sequential(nn.Linear(2, 50), nn.ReLU(), nn.Linear(50, 50), nn.ReLU(), nn.Linear(50, 1), nn.Flatten(0))
criterion = nn.BCEWithLogitsLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
scheduler = torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(optimizer, T_0=5, T_mult=2, eta_min=1e-4)

n_batches = 800 // 40
for epoch in range(35):
    shuffled = torch.randperm(800)
    epoch_loss = 0.0
    for i in range(n_batches):
        idx = shuffled[i * 40 : (i + 1) * 40]
        optimizer.zero_grad()
        loss = criterion(model(X_tr[idx]), y_tr[idx])
        loss.backward()
        optimizer.step()
        scheduler.step(epoch + i / n_batches)
        epoch_loss += loss.item() / n_batches
    if epoch % 5 == 4:
        print(f"epoch {epoch + 1}  lr {optimizer.param_groups[0]['lr']:.4f}  loss {epoch_loss:.4f}")

with torch.no_grad():
    correct = ((model(X_te) > 0).float() == y_te).float().mean()
print(f"metric {correct.item():.4f}")
