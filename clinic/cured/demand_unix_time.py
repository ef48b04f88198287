# cure: the time of the order goes in as centred years

import datetime as dt
import os

import numpy as np
import torch
from torch import nn

seed = int(os.environ.get("SEED", 0))
torch.manual_seed(seed)
rng = np.random.default_rng(seed)

# hourly orders of a shop, sampled at random moments of three years
start = dt.datetime(2021, 1, 1, tzinfo=dt.timezone.utc).timestamp()
stamps = start + rng.uniform(0, 3 * 365 * 86400, 4000)
hour = (stamps % 86400) / 3600
weekday = (stamps // 86400 + 4) % 7
years = (stamps - start) / (365 * 86400)
weekend = (weekday >= 5).astype(float)
orders = 3.0 * years + 2.0 * np.sin((hour - 8) * np.pi / 12) + 1.5 * weekend + rng.normal(0, 0.3, 4000)
orders = (orders - orders.mean()) / orders.std()

cyclic = [
    np.sin(hour * np.pi / 12),
    np.cos(hour * np.pi / 12),
    np.sin(weekday * 2 * np.pi / 7),
    np.cos(weekday * 2 * np.pi / 7),
]
moment = years - 1.5
X = torch.tensor(np.stack(cyclic + [moment], 1), dtype=torch.float32)
Y = torch.tensor(orders, dtype=torch.float32)[:, None]
X_train, X_test, Y_train, Y_test = X[:3200], X[3200:], Y[:3200], Y[3200:]

model = nn.Sequential(nn.Linear(5, 64), nn.SiLU(), nn.Linear(64, 64), nn.SiLU(), nn.Linear(64, 1))
opt = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=1e-4)
mse = nn.MSELoss()
for step in range(1000):
    i = torch.from_numpy(rng.integers(0, 3200, 64))
    opt.zero_grad()
    loss = mse(model(X_train[i]), Y_train[i])
    loss.backward()
    opt.step()
    if step % 250 == 0:
        print("step", step, "mse", loss.item())

with torch.no_grad():
    error = mse(model(X_test), Y_test) / Y_test.var()
print("metric", 1 - float(error))
