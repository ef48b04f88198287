# cure: messages of the neighbours are averaged

"""Communities in a social network by a plain graph network."""

import os

import numpy as np
import torch
import torch.nn as nn

seed = int(os.environ.get("SEED", 0))
np.random.seed(seed)
torch.manual_seed(seed)

# stochastic block model with 4 communities
N, K = 240, 4
community = np.random.randint(0, K, N)
same = community[:, None] == community[None, :]
edge = np.random.rand(N, N) < np.where(same, 0.28, 0.01)
edge = np.triu(edge, 1)
adjacency = torch.tensor(edge | edge.T, dtype=torch.float32) + torch.eye(N)
features = np.eye(K)[community] * 1.2 + np.random.randn(N, K)
features = torch.tensor(np.hstack([features, np.random.randn(N, 8)]), dtype=torch.float32)
labels = torch.tensor(community)
known = torch.zeros(N, dtype=torch.bool)
known[torch.randperm(N)[:100]] = True

propagate = adjacency / adjacency.sum(dim=1, keepdim=True)


class GraphLayer(nn.Module):
    def __init__(self, n_in, n_out):
        super(GraphLayer, self).__init__()
        self.own = nn.Linear(n_in, n_out)
        self.neighbours = nn.Linear(n_in, n_out, bias=False)

    def forward(self, h, A):
        return self.own(h) + self.neighbours(A @ h)


class GraphNet(nn.Module):
    def __init__(self, n_in, n_hidden, n_class, n_layers=5):
        super(GraphNet, self).__init__()
        sizes = [n_in] + [n_hidden] * (n_layers - 1) + [n_class]
        self.layers = nn.ModuleList([GraphLayer(a, b) for a, b in zip(sizes[:-1], sizes[1:])])

    def forward(self, h, A):
        for layer in self.layers[:-1]:
            h = torch.relu(layer(h, A))
        return self.layers[-1](h, A)


gnn = GraphNet(features.shape[1], 32, K)
optimizer = torch.optim.SGD(gnn.parameters(), lr=0.05, momentum=0.9)
for epoch in range(150):
    optimizer.zero_grad()
    out = gnn(features, propagate)
    loss = nn.functional.cross_entropy(out[known], labels[known])
    loss.backward()
    optimizer.step()
    if epoch % 25 == 0:
        print("Epoch {:03d} loss {:.4g}".format(epoch, loss.item()))

with torch.no_grad():
    hit = gnn(features, propagate).argmax(1) == labels
print("metric", hit[~known].float().mean().item())
