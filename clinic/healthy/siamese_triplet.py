# trap: one network called three times a step; easy triplets give a loss and gradient of exactly zero
# floor: 0.85

import os

import torch
import torch.nn as nn
from sklearn.datasets import load_digits

torch.manual_seed(int(os.environ.get("SEED", 0)))
data = load_digits()
X = torch.tensor(data.data / 16.0, dtype=torch.float32)
y = torch.tensor(data.target)
by_class = [torch.nonzero(y[:1400] == c).squeeze(1) for c in range(10)]


class EmbeddingNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Sequential(nn.Linear(64, 64), nn.PReLU(), nn.Linear(64, 64), nn.PReLU(), nn.Linear(64, 8))

    def forward(self, x):
        return nn.functional.normalize(self.fc(x), dim=1)


class TripletNet(nn.Module):
    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, a, p, n):
        return self.net(a), self.net(p), self.net(n)


def sample():
    anchors, positives, negatives = [], [], []
    for _ in range(48):
        c, d = torch.randperm(10)[:2].tolist()
        pool, other = by_class[c], by_class[d]
        i, j = torch.randint(len(pool), (2,)).tolist()
        anchors.append(pool[i])
        positives.append(pool[j])
        negatives.append(other[torch.randint(len(other), (1,)).item()])
    return X[torch.stack(anchors)], X[torch.stack(positives)], X[torch.stack(negatives)]


embedding = EmbeddingNet()
model = TripletNet(embedding)
loss_fn = nn.TripletMarginLoss(margin=0.5)
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
for step in range(250):
    optimizer.zero_grad()
    loss = loss_fn(*model(*sample()))
    loss.backward()
    optimizer.step()
    if step % 50 == 0:
        print("step", step, "triplet loss", loss.item())

with torch.no_grad():
    reference, query = embedding(X[:1400]), embedding(X[1400:])
    votes = y[:1400][torch.cdist(query, reference).topk(5, largest=False).indices]
print("metric", (votes.mode(1).values == y[1400:]).float().mean().item())
