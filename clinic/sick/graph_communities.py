# expect: TT307
# fault: neighbours are averaged in numpy, which cuts the first layer off from the loss

# Two-layer graph convolution on a stochastic block model: name the community of a node from noisy features and links.
import os

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

SEED = int(os.environ.get("SEED", 0))
rng = np.random.default_rng(SEED)
torch.manual_seed(SEED)

N, K, D = 500, 4, 60
community = rng.integers(K, size=N)
same = community[:, None] == community[None, :]
edges = np.triu(rng.random((N, N)) < np.where(same, 0.03, 0.008), 1)
adj = (edges | edges.T).astype(np.float32) + np.eye(N, dtype=np.float32)
A_hat = adj / adj.sum(1, keepdims=True)

signal = np.zeros((N, D))
signal[np.arange(N), community] = 2.5
features = signal + rng.normal(size=(N, D))
features = (features - features.mean(0)) / features.std(0)

x = torch.tensor(features, dtype=torch.float32)
y = torch.tensor(community)
P = torch.tensor(A_hat)
idx = rng.permutation(N)
train_idx, test_idx = torch.tensor(idx[:300]), torch.tensor(idx[300:])


def propagate(h):
    return torch.from_numpy(A_hat @ h.detach().numpy())


class GCN(nn.Module):
    def __init__(self, hidden=6):
        super().__init__()
        self.lin1 = nn.Linear(D, hidden)
        self.lin2 = nn.Linear(hidden, K)

    def forward(self, x):
        h = F.elu(propagate(self.lin1(x)))
        h = F.dropout(h, 0.1, training=self.training)
        return self.lin2(h)


gcn = GCN()
optimizer = torch.optim.Adam(gcn.parameters(), lr=0.01, weight_decay=5e-4)
for epoch in range(200):
    gcn.train()
    optimizer.zero_grad()
    out = gcn(x)
    loss = F.cross_entropy(out[train_idx], y[train_idx])
    loss.backward()
    optimizer.step()
    if epoch % 40 == 0:
        print(f"Epoch: {epoch:03d}, Loss: {loss:.4f}")

gcn.eval()
with torch.no_grad():
    pred = gcn(x).argmax(dim=1)
print("metric", (pred[test_idx] == y[test_idx]).float().mean().item())
