# expect: TT602
# fault: the log-likelihood is minimised: the sign is missing

import os

import torch
from sklearn.datasets import load_breast_cancer
from sklearn.preprocessing import scale
from torch import nn

torch.manual_seed(int(os.environ.get("SEED", 0)))
data, target = load_breast_cancer(return_X_y=True)
data = torch.tensor(scale(data), dtype=torch.float32)
target = torch.tensor(target, dtype=torch.float32)
order = torch.randperm(len(data))
train, test = order[:400], order[400:]


def log_likelihood(logit, t):
    return (t * nn.functional.logsigmoid(logit) + (1 - t) * nn.functional.logsigmoid(-logit)).mean()


model = nn.Sequential(nn.Linear(30, 16), nn.Tanh(), nn.Linear(16, 1))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for epoch in range(40):
    for idx in train[torch.randperm(400)].split(40):
        ll = log_likelihood(model(data[idx])[:, 0], target[idx])
        objective = ll
        optimizer.zero_grad()
        objective.backward()
        optimizer.step()
    if epoch % 8 == 0:
        print("epoch", epoch, "log-likelihood", ll.item())
with torch.no_grad():
    hit = (model(data[test])[:, 0] > 0) == (target[test] > 0.5)
print("metric", hit.float().mean().item())
