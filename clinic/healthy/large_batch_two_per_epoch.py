# trap: a thousand examples per step and two steps per epoch; the rate is scaled up with the batch and warmed up for 20 steps
# floor: 0.9

import os

import torch
import torch.nn as nn
from sklearn.datasets import make_classification

SEED = int(os.environ.get("SEED", 0))
torch.manual_seed(SEED)

X, y = make_classification(
    n_samples=3000,
    n_features=20,
    n_informative=8,
    n_redundant=4,
    n_classes=4,
    class_sep=2.0,
    flip_y=0.0,
    random_state=SEED,
)
X = torch.tensor(X, dtype=torch.float32)
X = (X - X[:2048].mean(0)) / X[:2048].std(0)
y = torch.tensor(y)

model = nn.Sequential(
    nn.Linear(20, 128),
    nn.BatchNorm1d(128),
    nn.ReLU(),
    nn.Linear(128, 64),
    nn.BatchNorm1d(64),
    nn.ReLU(),
    nn.Linear(64, 4),
)
base_lr, batch_size = 0.01, 1024
lr = base_lr * batch_size / 64
optimizer = torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9, weight_decay=1e-3)
warmup = torch.optim.lr_scheduler.LinearLR(optimizer, start_factor=0.05, total_iters=20)
cosine = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=180)
scheduler = torch.optim.lr_scheduler.SequentialLR(optimizer, [warmup, cosine], milestones=[20])
model.train()
for epoch in range(100):
    for idx in torch.randperm(2048).split(batch_size):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(X[idx]), y[idx])
        loss.backward()
        optimizer.step()
        scheduler.step()
    if epoch % 10 == 0:
        print(f"epoch {epoch} lr {scheduler.get_last_lr()[0]:.4f} loss {loss.item():.4f}")
model.eval()
with torch.no_grad():
    print("metric", (model(X[2048:]).argmax(1) == y[2048:]).float().mean().item())
