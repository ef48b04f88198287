# trap: targets in degrees, twenty-one on average; the first loss is in the hundreds until the last bias has moved there
# floor: 0.85

import os

import numpy as np
import torch
import torch.nn as nn

rng = np.random.RandomState(int(os.environ.get("SEED", 0)))
torch.manual_seed(int(os.environ.get("SEED", 0)))

# outside temperature, sun, wind, heating power, open window, hours since noon -> temperature in the room
n = 2500
outside = rng.normal(8, 6, n)
sun = rng.beta(1, 2, n)
wind = rng.gamma(2, 2, n)
heating = rng.uniform(0, 1, n)
window = rng.binomial(1, 0.3, n)
noon = rng.uniform(-12, 12, n)
room = 21 + 0.15 * (outside - 8) + 2.5 * sun * np.cos(noon * np.pi / 12).clip(0) + 4 * (heating - 0.5)
room = room - window * (1 + 0.2 * wind) + rng.normal(0, 0.3, n)

columns = np.c_[(outside - 8) / 6, (sun - 0.33) / 0.24, (wind - 4) / 2.8, (heating - 0.5) / 0.29, window,
                np.sin(noon * np.pi / 12), np.cos(noon * np.pi / 12)]  # fmt: skip
x = torch.tensor(columns, dtype=torch.float32)
y = torch.tensor(room, dtype=torch.float32)[:, None]
x_train, y_train, x_test, y_test = x[:2000], y[:2000], x[2000:], y[2000:]

net = nn.Sequential(nn.Linear(7, 40), nn.LayerNorm(40), nn.ReLU(), nn.Linear(40, 40), nn.ReLU(), nn.Linear(40, 1))
optim = torch.optim.Adam(net.parameters(), lr=1e-2)
sched = torch.optim.lr_scheduler.StepLR(optim, step_size=10, gamma=0.3)
for epoch in range(30):
    perm = torch.randperm(2000)
    mse = 0.0
    for k in range(0, 2000, 100):
        b = perm[k : k + 100]
        loss = ((net(x_train[b]) - y_train[b]) ** 2).mean()
        optim.zero_grad()
        loss.backward()
        optim.step()
        mse += loss.item() / 20
    sched.step()
    if epoch % 3 == 0:
        print("epoch %2d   mse %9.4f" % (epoch, mse))

with torch.no_grad():
    r2 = 1 - ((net(x_test) - y_test) ** 2).mean() / y_test.var()
print("metric", r2.item())
