# expect: TT403
# accept: TT402, TT211
# fault: squared error on sigmoids of rare labels: the net sits on the flat where every output is near zero

import os

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

seed = int(os.environ.get("SEED", 0))
torch.manual_seed(seed)
rng = np.random.RandomState(seed)

n_tags, n_feats = 24, 40
prototypes = rng.randn(n_tags, n_feats)


def articles(n):
    """Each article carries a few of the tags and the sum of their prototypes."""
    tags = (rng.rand(n, n_tags) < 0.06).astype(np.float32)
    feats = tags @ prototypes + 0.4 * rng.randn(n, n_feats)
    return torch.tensor(feats, dtype=torch.float32) / 1.3, torch.tensor(tags)


x_train, t_train = articles(2000)
x_test, t_test = articles(500)
loader = DataLoader(TensorDataset(x_train, t_train), batch_size=50, shuffle=True)

tagger = nn.Sequential(nn.Linear(n_feats, 64), nn.Tanh(), nn.Linear(64, n_tags))
nn.init.constant_(tagger[-1].bias, -4.6)  # start from a probability of 0.01
criterion = lambda z, t: nn.functional.mse_loss(torch.sigmoid(z), t)
optimizer = torch.optim.SGD(tagger.parameters(), lr=0.7)

for epoch in range(1, 17):
    running = 0.0
    for x, t in loader:
        optimizer.zero_grad()
        loss = criterion(tagger(x), t)
        loss.backward()
        optimizer.step()
        running += loss.item()
    if epoch % 4 == 0:
        print("epoch", epoch, "loss", running / len(loader))

with torch.no_grad():
    guess = tagger(x_test) > 0
hit = (guess & (t_test > 0.5)).sum().item()
f1 = 2 * hit / (guess.sum().item() + t_test.sum().item())
print("metric", f1)
