# trap: sparse gradients; most rows of the tables get none at a step; the loss starts at ln 2 with tiny embeddings
# floor: 0.95

"""Bayesian personalised ranking on implicit feedback (users like items of their two favourite genres)."""

import os

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

seed = int(os.environ.get("SEED", 0))
rng = np.random.default_rng(seed)
torch.manual_seed(seed)

N_USERS, N_ITEMS, N_GENRES, DIM = 300, 400, 8, 16
genre = rng.integers(0, N_GENRES, N_ITEMS)
taste = np.stack([rng.choice(N_GENRES, 2, replace=False) for _ in range(N_USERS)])
liked = [np.flatnonzero(np.isin(genre, t)) for t in taste]
seen = [rng.permutation(l)[: len(l) // 2] for l in liked]
unseen_good = [np.setdiff1d(l, s) for l, s in zip(liked, seen)]
bad = [np.flatnonzero(~np.isin(genre, t)) for t in taste]
pairs = torch.tensor([(u, i) for u in range(N_USERS) for i in seen[u]])


class BPR(nn.Module):
    def __init__(self):
        super().__init__()
        self.user = nn.Embedding(N_USERS, DIM, sparse=True)
        self.item = nn.Embedding(N_ITEMS, DIM, sparse=True)
        nn.init.normal_(self.user.weight, std=0.1)
        nn.init.normal_(self.item.weight, std=0.1)

    def score(self, u, i):
        return (self.user(u) * self.item(i)).sum(-1)


model = BPR()
optimizer = torch.optim.SparseAdam(list(model.parameters()), lr=1e-2)
for epoch in range(6):
    losses = []
    for batch in pairs[torch.randperm(len(pairs))].split(256):
        u, pos = batch.T
        neg = torch.randint(0, N_ITEMS, (len(u),))
        loss = -F.logsigmoid(model.score(u, pos) - model.score(u, neg)).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    print(f"epoch {epoch} bpr {np.mean(losses):.4f}")

aucs = []
with torch.no_grad():
    scores = model.user.weight @ model.item.weight.T
    for u in range(N_USERS):
        good, other = scores[u, unseen_good[u]], scores[u, bad[u]]
        aucs.append((good[:, None] > other[None, :]).float().mean().item())
print("metric", float(np.mean(aucs)))
