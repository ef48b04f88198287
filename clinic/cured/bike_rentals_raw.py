# cure: inputs and rentals are standardised

import os

import torch

torch.manual_seed(int(os.environ.get("SEED", 0)))


def standardise(t, like):
    return (t - like.mean(0)) / like.std(0)


n = 3000
hour = torch.randint(0, 24, (n,)).float()
celsius = 15 + 9 * torch.randn(n)
humidity = 30 + 65 * torch.rand(n)
pressure = 1013 + 8 * torch.randn(n)
working = (torch.rand(n) < 0.7).float()
rush = torch.exp(-((hour - 17) ** 2) / 18)
leisure = torch.exp(-((hour - 12) ** 2) / 18)
rentals = 250 + 420 * working * rush + 300 * (1 - working) * leisure + 9 * celsius.clamp(0, 28) - 1.5 * humidity
rentals = (rentals + 15 * torch.randn(n)).clamp(min=0)

inputs = torch.stack([hour, celsius, humidity, pressure, working], dim=1)
x = standardise(inputs, inputs[:2400])
y = standardise(rentals, rentals[:2400])

net = torch.nn.Sequential(
    torch.nn.Linear(5, 80),
    torch.nn.ELU(),
    torch.nn.Linear(80, 80),
    torch.nn.ELU(),
    torch.nn.Linear(80, 1),
    torch.nn.Flatten(0),
)
optimizer = torch.optim.NAdam(net.parameters(), lr=3e-3)
for epoch in range(25):
    order = torch.randperm(2400)
    seen = 0.0
    for batch in order.split(60):
        optimizer.zero_grad()
        loss = torch.nn.functional.mse_loss(net(x[batch]), y[batch])
        loss.backward()
        optimizer.step()
        seen += loss.item() * len(batch)
    if epoch % 6 == 0:
        print(f"epoch {epoch}  train mse {seen / 2400:.4f}")

with torch.no_grad():
    ss_res = (net(x[2400:]) - y[2400:]).square().sum()
    ss_tot = (y[2400:] - y[2400:].mean()).square().sum()
print("metric", (1 - ss_res / ss_tot).item())
