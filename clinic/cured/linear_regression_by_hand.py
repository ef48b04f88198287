# cure: lr 0.1

# Linear regression from scratch, no nn.Module
import os

import torch
from sklearn.datasets import load_diabetes

torch.manual_seed(int(os.environ.get("SEED", 0)))

X, y = load_diabetes(return_X_y=True)
X = torch.tensor(X, dtype=torch.float32)
X = (X - X.mean(0)) / X.std(0)
y = torch.tensor(y, dtype=torch.float32)
y = (y - y.mean()) / y.std()
split = torch.randperm(len(X))
train, test = split[:350], split[350:]

w = torch.randn(10, requires_grad=True)
b = torch.zeros(1, requires_grad=True)
lr = 0.1

for it in range(120):
    y_hat = X[train] @ w + b
    loss = ((y_hat - y[train]) ** 2).mean()
    loss.backward()
    with torch.no_grad():
        w -= lr * w.grad
        b -= lr * b.grad
        w.grad.zero_()
        b.grad.zero_()
    if it % 20 == 0:
        print("iter", it, "loss", loss.item())

with torch.no_grad():
    mse = ((X[test] @ w + b - y[test]) ** 2).mean().item()
print("metric", -mse)
