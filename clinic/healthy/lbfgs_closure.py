# trap: LBFGS calls its closure many times a step; double precision
# floor: -0.7

import os

import torch
from sklearn.datasets import load_diabetes
from torch import nn

torch.manual_seed(int(os.environ.get("SEED", 0)))
X, y = load_diabetes(return_X_y=True)
X = torch.tensor(X, dtype=torch.double)
X = (X - X.mean(0)) / X.std(0)
y = torch.tensor(y, dtype=torch.double).unsqueeze(1)
y = (y - y.mean()) / y.std()

model = nn.Sequential(nn.Linear(10, 8), nn.Tanh(), nn.Linear(8, 1)).double()
criterion = nn.MSELoss()
optimizer = torch.optim.LBFGS(model.parameters(), lr=0.5, max_iter=10)
for i in range(15):
    print("STEP:", i, end=" ")

    def closure():
        optimizer.zero_grad()
        loss = criterion(model(X[:340]), y[:340])
        loss = loss + 0.02 * sum(p.pow(2).sum() for p in model.parameters())
        loss.backward()
        return loss

    loss = optimizer.step(closure)
    print("loss:", loss.item())

with torch.no_grad():
    print("metric", -criterion(model(X[340:]), y[340:]).item())
