# cure: torch.xlogy takes 0 log 0 as 0

import os
from collections import Counter

import numpy as np
import torch
from torch import nn
from torch.nn.functional import softmax

torch.manual_seed(int(os.environ.get("SEED", 0)))
np.random.seed(int(os.environ.get("SEED", 0)))

# Five annotators vote on the mood of a melody; the vote shares are the target.
MOODS = 5


def melodies(n):
    mood = np.random.dirichlet(np.full(MOODS, 0.35), n)
    templates = np.random.RandomState(4).randn(MOODS, 20)
    notes = np.tanh(mood @ templates + 0.25 * np.random.randn(n, 20))
    shares = np.zeros((n, MOODS))
    for i, m in enumerate(mood):
        for vote, count in Counter(np.random.choice(MOODS, 5, p=m).tolist()).items():
            shares[i, vote] = count / 5
    return torch.tensor(notes, dtype=torch.float32), torch.tensor(shares, dtype=torch.float32)


train_x, train_p = melodies(2000)
test_x, test_p = melodies(500)


def kl_divergence(p, q):
    """KL(p || q), averaged over the rows."""
    pointwise = torch.xlogy(p, p) - p * torch.log(q)
    return pointwise.sum(dim=-1).mean()


model = nn.Sequential(nn.Linear(20, 64), nn.Mish(), nn.Linear(64, MOODS))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, nesterov=True)

for epoch in range(15):
    losses = []
    for rows in np.array_split(np.random.permutation(2000), 40):
        q = softmax(model(train_x[rows]), dim=-1)
        loss = kl_divergence(train_p[rows], q)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    if epoch % 3 == 0:
        print(f"epoch {epoch}: KL {np.mean(losses):.4f}")

with torch.no_grad():
    q = softmax(model(test_x), dim=-1)
    print("metric", -(test_p - q).abs().sum(-1).mean().item() / 2)
