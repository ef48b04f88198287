# trap: minus the log of differences of sigmoids between ordered thresholds, which may come near the log of zero
# floor: 0.85

"""Ordinal regression (proportional odds) of a score in five grades."""

import os

import torch
import torch.nn.functional as F
from sklearn.datasets import make_friedman1
from torch import nn

SEED = int(os.environ.get("SEED", 0))
torch.manual_seed(SEED)

X, score = make_friedman1(n_samples=2400, n_features=8, noise=1.0, random_state=SEED)
X = torch.tensor((X - 0.5) * 12**0.5, dtype=torch.float32)
score = torch.tensor(score, dtype=torch.float32)
grade = torch.bucketize(score, torch.quantile(score, torch.tensor([0.2, 0.4, 0.6, 0.8])))


class OrdinalHead(nn.Module):
    def __init__(self, n_grades):
        super().__init__()
        self.first = nn.Parameter(torch.tensor(-1.5))
        self.gaps = nn.Parameter(torch.zeros(n_grades - 2))

    def forward(self, latent):
        thresholds = torch.cat((self.first[None], self.first + F.softplus(self.gaps).cumsum(0)))
        below = torch.sigmoid(thresholds - latent)
        edges = F.pad(below, (1, 0), value=0.0), F.pad(below, (0, 1), value=1.0)
        return (edges[1] - edges[0]).clamp_min(1e-7).log()


body = nn.Sequential(nn.Linear(8, 64), nn.SiLU(), nn.Linear(64, 64), nn.SiLU(), nn.Linear(64, 1))
head = OrdinalHead(5)
optimizer = torch.optim.Adam([*body.parameters(), *head.parameters()], lr=3e-3)
for epoch in range(25):
    total = 0.0
    for rows in torch.randperm(2000).split(80):
        loss = F.nll_loss(head(body(X[rows])), grade[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() / 25
    if epoch % 5 == 0:
        print(f"epoch {epoch:2d} nll {total:.4f}")

with torch.no_grad():
    predicted = head(body(X[2000:])).exp() @ torch.arange(5.0)
    true = grade[2000:].float()
    print("metric", torch.corrcoef(torch.stack((predicted, true)))[0, 1].item() ** 2)
