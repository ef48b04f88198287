# expect: TT104
# accept: TT304
# fault: the table is sorted by the output power and read in that order

"""Output of a wind turbine from the weather: a regression on a table that somebody sorted."""

import os

import torch
from torch import nn
from torch.utils.data import BatchSampler, DataLoader, SequentialSampler, TensorDataset

torch.manual_seed(int(os.environ.get("SEED", 0)))


def weather(n):
    wind = torch.distributions.Weibull(8.0, 2.0).sample((n,))
    direction = torch.rand(n) * 2 * torch.pi
    density = 1.2 + 0.08 * torch.randn(n)
    power = 0.5 * density * wind.clamp(3, 13) ** 3 * (0.75 + 0.25 * torch.cos(direction)) / 1000
    power = power + 0.02 * torch.randn(n)
    x = torch.stack([(wind - 7.1) / 3.7, torch.cos(direction), torch.sin(direction), (density - 1.2) / 0.08], 1)
    return x, (power - 0.32) / 0.32


x, power = weather(2400)
rank = power.argsort()
table = TensorDataset(x[rank], power[rank])  # as in the report: weakest hours first
x_test, power_test = weather(800)

sampler = SequentialSampler(table)
loader = DataLoader(table, sampler=BatchSampler(sampler, batch_size=48, drop_last=False), batch_size=None)

turbine = nn.Sequential(nn.Linear(4, 40), nn.Softplus(), nn.Linear(40, 40), nn.Softplus(), nn.Linear(40, 1))
optimizer = torch.optim.Adam(turbine.parameters(), lr=1e-2)
for epoch in range(20):
    for features, target in loader:
        residual = turbine(features).squeeze(1) - target
        loss = residual.square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    if epoch % 4 == 0:
        print(f"epoch {epoch}, mean squared error {loss.item():.3f}")

turbine.eval()
with torch.no_grad():
    error = (turbine(x_test).squeeze(1) - power_test).square().mean()
    spread = power_test.var()
print("metric", 1 - (error / spread).item())
