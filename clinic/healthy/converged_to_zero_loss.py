# trap: separable data: loss and gradients fall to almost nothing because the task is solved
# floor: 0.95

import os

import torch
from sklearn.datasets import load_iris
from torch import nn

torch.manual_seed(int(os.environ.get("SEED", 0)))
iris = load_iris()
keep = iris.target < 2
X = torch.tensor(iris.data[keep], dtype=torch.float32)
X = (X - X.mean(0)) / X.std(0)
y = torch.tensor(iris.target[keep])
perm = torch.randperm(100)
train, test = perm[:70], perm[70:]

model = nn.Sequential(nn.Linear(4, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 2))
optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
for epoch in range(1000):
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(model(X[train]), y[train])
    loss.backward()
    optimizer.step()
    if epoch % 200 == 0:
        print(f"{epoch}: {loss.item():.3e}")
print("final", loss.item())
with torch.no_grad():
    print("metric", (model(X[test]).argmax(1) == y[test]).float().mean().item())
