# cure: gamma 0.99

import os

import torch
import torch.nn as nn
from torch.optim.lr_scheduler import ExponentialLR

torch.manual_seed(int(os.environ.get("SEED", 0)))


class ParityGRU(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(1, 24, batch_first=True)
        self.fc = nn.Linear(24, 1)

    def forward(self, x):
        out, _ = self.gru(x)
        return self.fc(out).squeeze(-1)


def batch(n=32, T=24):
    x = torch.randn(n, T, 1)
    kernel = 0.7 ** torch.arange(T)
    y = torch.stack([(x[:, : t + 1, 0].flip(1) * kernel[: t + 1]).sum(1) for t in range(T)], 1)
    return x, y


model = ParityGRU()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
scheduler = ExponentialLR(optimizer, gamma=0.99)
criterion = nn.MSELoss()
for step in range(200):
    x, y = batch()
    optimizer.zero_grad()
    loss = criterion(model(x), y)
    loss.backward()
    optimizer.step()
    scheduler.step()
    if step % 25 == 0:
        print("step", step, "loss", round(loss.item(), 4), "lr", scheduler.get_last_lr()[0])
with torch.no_grad():
    x, y = batch(300)
    print("metric", -criterion(model(x), y).item())
