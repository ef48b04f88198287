# cure: the network regresses standardised latency

# How long will a report job run? A two layer net without torch.nn.
import os

import torch
from torch.nn.functional import relu

torch.manual_seed(int(os.environ.get("SEED", 0)))


def job_log(n):
    payload = torch.rand(n)
    cache_hit = (torch.rand(n) < 0.5).float()
    load = torch.rand(n)
    shards = torch.randint(1, 9, (n,)).float()
    ms = 20000 + 90000 * payload * (1 - cache_hit) + 70000 * load**2 + 120000 * load * payload / shards.sqrt()
    ms = ms + 2500 * torch.randn(n)
    feats = torch.stack([payload * 2 - 1, cache_hit * 2 - 1, load * 2 - 1, (shards - 4.5) / 2.3], 1)
    return feats, ms


x, ms = job_log(3000)
x_val, ms_val = job_log(1000)

offset, scale = ms.mean(), ms.std()

H = 48
W1 = torch.randn(4, H) * (2 / 4) ** 0.5
b1 = torch.zeros(H)
W2 = torch.randn(H, H) * (2 / H) ** 0.5
b2 = torch.zeros(H)
W3 = torch.randn(H, 1) * (1 / H) ** 0.5
b3 = torch.zeros(1)
params = [W1, b1, W2, b2, W3, b3]
for p in params:
    p.requires_grad_(True)


def predict(x):
    h = relu(x @ W1 + b1)
    h = relu(h @ W2 + b2)
    return (h @ W3 + b3)[:, 0]


opt = torch.optim.Adam(params, lr=2e-3)
for it in range(1000):
    pick = torch.randint(0, 3000, (64,))
    target = (ms[pick] - offset) / scale
    err = predict(x[pick]) - target
    loss = err.pow(2).mean()
    opt.zero_grad()
    loss.backward()
    opt.step()
    if it % 200 == 0:
        print("it %4d  mse %.4f" % (it, loss.item()))

with torch.no_grad():
    estimate = predict(x_val) * scale + offset
    unexplained = (estimate - ms_val).pow(2).mean() / ms_val.var()
print("metric", float(1 - unexplained))
