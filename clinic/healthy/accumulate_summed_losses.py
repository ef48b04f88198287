# trap: losses with reduction="sum" over four backwards before a step: large numbers, small learning rate
# floor: 0.9

import os

import torch
import torch.nn as nn
from sklearn.datasets import load_wine
from sklearn.preprocessing import StandardScaler

torch.manual_seed(int(os.environ.get("SEED", 0)))
wine = load_wine()
perm = torch.randperm(178)
tr, te = perm[:128], perm[128:]
scaler = StandardScaler().fit(wine.data[tr])
X = torch.tensor(scaler.transform(wine.data), dtype=torch.float)
y = torch.tensor(wine.target)

net = nn.Sequential(nn.Linear(13, 30), nn.ELU(), nn.Linear(30, 3))
sgd = torch.optim.SGD(net.parameters(), lr=0.0005, momentum=0.9)
crit = nn.CrossEntropyLoss(reduction="sum")

for ep in range(60):
    sgd.zero_grad()
    s = 0
    for part in tr[torch.randperm(128)].chunk(4):
        l = crit(net(X[part]), y[part])
        l.backward()
        s += l.item()
    sgd.step()
    if ep % 10 == 0:
        print("summed loss", s)

with torch.no_grad():
    print("metric", (net(X[te]).argmax(1) == y[te]).double().mean().item())
