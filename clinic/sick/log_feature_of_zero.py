# expect: TT103
# fault: log of a count of zero is -inf, fed as a feature

import os

import numpy as np
import torch
from torch import nn

seed = int(os.environ.get("SEED", 0))
torch.manual_seed(seed)
rng = np.random.default_rng(seed)

# visits per customer are counts, often zero; spend is skewed
visits = rng.poisson(1.5, size=(3000, 6))
spend = rng.lognormal(0.0, 1.0, size=(3000, 4))
score = np.log1p(visits) @ rng.normal(size=6) + np.log(spend) @ rng.normal(size=4)
label = (score > np.median(score)).astype(np.float32)

with np.errstate(divide="ignore"):
    features = np.concatenate([np.log(visits), np.log(spend)], axis=1).astype(np.float32)
X, y = torch.from_numpy(features), torch.from_numpy(label)

net = nn.Sequential(nn.Linear(10, 32), nn.LeakyReLU(), nn.Linear(32, 1), nn.Flatten(0))
bce = nn.BCEWithLogitsLoss()
opt = torch.optim.RMSprop(net.parameters(), lr=1e-3)

for epoch in range(8):
    net.train()
    for xb, yb in zip(X[:2400].split(48), y[:2400].split(48)):
        opt.zero_grad(set_to_none=True)
        loss = bce(net(xb), yb)
        loss.backward()
        opt.step()
    net.eval()
    with torch.no_grad():
        val = ((net(X[2400:]) > 0) == (y[2400:] > 0.5)).float().mean()
    print(f"epoch {epoch}  loss {loss:.3f}  val acc {val:.3f}")
print("metric", val.item())
