# expect: TT402
# fault: the scheduler is stepped every batch, so the learning rate collapses in the first epoch

import os

import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from torch.optim.lr_scheduler import StepLR
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(int(os.environ.get("SEED", 0)))
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

X, y = load_digits(return_X_y=True)
X = torch.as_tensor(X / 16.0 - 0.3, dtype=torch.float32)
y = torch.as_tensor(y)
train_dl = DataLoader(TensorDataset(X[:1437], y[:1437]), batch_size=32, shuffle=True)
valid_dl = DataLoader(TensorDataset(X[1437:], y[1437:]), batch_size=128)

model = nn.Sequential(nn.Linear(64, 100), nn.ReLU(), nn.Linear(100, 100), nn.ReLU(), nn.Linear(100, 10)).to(device)
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
scheduler = StepLR(optimizer, step_size=4, gamma=0.5)

for epoch in range(12):
    model.train()
    for xb, yb in train_dl:
        xb, yb = xb.to(device), yb.to(device)
        optimizer.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()
        optimizer.step()
        scheduler.step()
    model.eval()
    correct = 0
    with torch.no_grad():
        for xb, yb in valid_dl:
            correct += (model(xb.to(device)).argmax(1).cpu() == yb).sum().item()
    acc = correct / (len(X) - 1437)
    print(f"Epoch {epoch}: loss {loss.item():.4f}, acc {acc:.4f}, lr {scheduler.get_last_lr()[0]:.2e}")
print("metric", acc)
