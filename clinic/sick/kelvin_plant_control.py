# expect: TT101
# accept: TT211
# fault: sensor readings near 300 with a spread of 1 go in without their offset removed

"""Twelve thermometers along a pipe; find the segment that leaks."""

import os

import torch
from torch import nn

torch.manual_seed(int(os.environ.get("SEED", 0)))
N_SENSORS, N_SEGMENTS = 12, 4


def simulate(n):
    segment = torch.randint(N_SEGMENTS, (n,))
    position = (segment.float() + torch.rand(n)) * N_SENSORS / N_SEGMENTS
    places = torch.arange(N_SENSORS).float()
    dip = -2.5 * torch.exp(-((places - position[:, None]) ** 2) / 3)
    ambient = 0.8 * torch.randn(n, 1)
    kelvin = 300 + ambient + dip + 0.5 * torch.randn(n, N_SENSORS)
    return kelvin, segment


class LeakFinder(nn.Module):
    def __init__(self, hidden=40):
        super().__init__()
        self.fc_in = nn.Linear(N_SENSORS, hidden)
        self.fc_mid = nn.Linear(hidden, hidden)
        self.fc_out = nn.Linear(hidden, N_SEGMENTS)

    def forward(self, kelvin):
        h = torch.tanh(self.fc_in(kelvin))
        h = torch.tanh(self.fc_mid(h))
        return self.fc_out(h)


x, y = simulate(2500)
x_test, y_test = simulate(1000)

finder = LeakFinder()
optimizer = torch.optim.Adam(finder.parameters(), lr=1e-3)
n_batches = 0
for epoch in range(14):
    for rows in torch.randperm(len(x)).chunk(50):
        loss = nn.functional.cross_entropy(finder(x[rows]), y[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        n_batches += 1
        if n_batches % 100 == 0:
            print(f"{n_batches} batches, loss {loss.item():.4f}")

with torch.inference_mode():
    found = finder(x_test).argmax(dim=1)
print("metric", (found == y_test).double().mean().item())
