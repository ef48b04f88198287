# cure: each column is divided by its spread

"""Will the pump fail within the week? Logistic regression with pairwise terms on eight sensors."""

import os

import numpy as np
import torch
import torch.nn.functional as F

seed = int(os.environ.get("SEED", 0))
rng = np.random.default_rng(seed)
torch.manual_seed(seed)

# bar, mm/s, A, V (deviation), 10 rpm, K (deviation), l/s, mm
spread = np.array([0.05, 0.08, 0.1, 0.5, 5.0, 4.0, 1.0, 0.07])
effect = np.array([1.6, -1.4, 1.2, 0.5, 0.4, -0.3, 0.4, 1.5])


def sensors(n):
    z = rng.standard_normal((n, 8))
    risk = z @ effect + 1.2 * z[:, 0] * z[:, 1] - 0.3
    fails = rng.random(n) < 1 / (1 + np.exp(-2 * risk))
    return torch.tensor(z * spread, dtype=torch.float32), torch.tensor(fails, dtype=torch.float32)


SCALE = torch.tensor(spread, dtype=torch.float32)
X, y = sensors(3000)
X_test, y_test = sensors(1000)
X, X_test = X / SCALE, X_test / SCALE

model = torch.nn.Sequential(torch.nn.Linear(8, 24), torch.nn.Tanh(), torch.nn.Linear(24, 1))
sgd = torch.optim.SGD(model.parameters(), lr=0.2)
for epoch in range(20):
    for idx in torch.randperm(3000).split(50):
        loss = F.binary_cross_entropy_with_logits(model(X[idx]).squeeze(1), y[idx])
        sgd.zero_grad()
        loss.backward()
        sgd.step()
    print("epoch", epoch, "loss", round(loss.item(), 4))

with torch.no_grad():
    accuracy = ((model(X_test).squeeze(1) > 0) == (y_test > 0.5)).float().mean()
print("metric", accuracy.item())
