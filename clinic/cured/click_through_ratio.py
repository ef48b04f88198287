# cure: the ratio is smoothed by one impression

import os

import numpy as np
import torch
import torch.nn as nn

SEED = int(os.environ.get("SEED", 0))
np.random.seed(SEED)
torch.manual_seed(SEED)

N = 2500
impressions = np.random.geometric(0.01, N) * 5
impressions[np.random.choice(N, 12, replace=False)] = 0
quality = np.random.beta(2, 5, N)
clicks = np.random.binomial(impressions, quality * 0.4)
position = np.random.randint(1, 7, N)
bid = np.random.lognormal(0, 0.4, N)

ctr = (clicks + 0.1) / (impressions + 1)
clicked = np.random.rand(N) < 1 / (
    1 + np.exp(-(40 * (quality * 0.4 - 0.1) - 0.8 * (position - 3.5) + 0.5 * np.log(bid)))
)

X = np.column_stack(
    [
        (ctr - np.nanmean(ctr)) / np.nanstd(ctr),
        (position - 3.5) / 1.7,
        np.log(bid) / 0.4,
        np.log1p(impressions) / 1.2 - 4.7,
    ]
)
X = torch.tensor(X, dtype=torch.float32)
y = torch.tensor(clicked, dtype=torch.float32)
test = slice(2000, N)


class Ranker(nn.Module):
    def __init__(self):
        super().__init__()
        self.deep = nn.Sequential(nn.Linear(4, 32), nn.ReLU(), nn.Linear(32, 16), nn.ReLU(), nn.Linear(16, 1))
        self.wide = nn.Linear(4, 1)

    def forward(self, x):
        return (self.deep(x) + self.wide(x)).flatten()


ranker = Ranker()
opt = torch.optim.Adagrad(ranker.parameters(), lr=0.03)
bce = nn.BCEWithLogitsLoss()
batch = 40
for epoch in range(15):
    idx = np.random.permutation(2000)
    loss_sum = 0
    for k in range(0, 2000, batch):
        rows = idx[k : k + batch]
        loss = bce(ranker(X[rows]), y[rows])
        opt.zero_grad()
        loss.backward()
        opt.step()
        loss_sum += loss.item()
    print("Epoch %02d: loss %.4f" % (epoch, loss_sum * batch / 2000))

with torch.no_grad():
    p = torch.sigmoid(ranker(torch.nan_to_num(X[test])))
    eps = 1e-6
    log_loss = -(y[test] * torch.log(p + eps) + (1 - y[test]) * torch.log(1 - p + eps)).mean()
print("metric", -log_loss.item())
