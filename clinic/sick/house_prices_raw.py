# expect: TT101
# accept: TT401, TT302
# fault: metres, years and square metres go in unscaled

"""House prices from area, year, distance and rooms (synthetic)."""

import os

import torch
from torch import nn

torch.manual_seed(int(os.environ.get("SEED", 0)))

N = 2000
area = torch.rand(N) * 300 + 20
year = torch.randint(1900, 2024, (N,)).float()
distance = torch.rand(N) * 20000
rooms = torch.randint(1, 8, (N,)).float()
price = 2.0 * (area / 100) + 0.02 * (year - 1960) - distance / 8000 + 0.3 * rooms + 0.2 * torch.randn(N)
X = torch.stack([area, year, distance, rooms], dim=1)
y = ((price - price.mean()) / price.std()).unsqueeze(1)

model = nn.Sequential(nn.Linear(4, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1))
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
loss_fn = nn.MSELoss()

for epoch in range(25):
    perm = torch.randperm(1500)
    for i in range(0, 1500, 50):
        rows = perm[i : i + 50]
        optimizer.zero_grad()
        loss = loss_fn(model(X[rows]), y[rows])
        loss.backward()
        optimizer.step()
    if epoch % 5 == 0:
        print("epoch", epoch, "mse", loss.item())

with torch.no_grad():
    residual = (model(X[1500:]) - y[1500:]).pow(2).mean()
    r2 = 1 - residual / y[1500:].var()
print("metric", r2.item())
