"""Flats by area, year, income and distance, fed to a network as they stand in the table."""

import torch
from torch import nn

torch.manual_seed(0)

n = 2000
area = torch.empty(n).uniform_(30, 250)  # square metres
year = torch.randint(1900, 2024, (n,)).float()
income = torch.randn(n).mul(0.5).exp().mul(45_000)  # of the neighbourhood, a year
distance = torch.empty(n).exponential_(1 / 8)  # kilometres to the centre
rooms = (area / 28).round().clamp(1, 9)

worth = area / 60 + (year - 1960) / 40 + income / 45_000 - distance / 8 + 0.3 * torch.randn(n)
x = torch.stack([area, year, income, distance, rooms], dim=1)
y = (worth > worth.median()).long()


class Estimator(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden1 = nn.Linear(5, 32)
        self.hidden2 = nn.Linear(32, 32)
        self.out = nn.Linear(32, 2)

    def forward(self, features):
        h = torch.tanh(self.hidden1(features))
        h = torch.tanh(self.hidden2(h))
        return self.out(h)


model = Estimator()
optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
loss_fn = nn.CrossEntropyLoss()

for epoch in range(10):
    order = torch.randperm(1600)
    losses = []
    for start in range(0, 1600, 50):
        rows = order[start : start + 50]
        optimizer.zero_grad()
        loss = loss_fn(model(x[rows]), y[rows])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    with torch.no_grad():
        test = model(x[1600:])
        accuracy = (test.argmax(1) == y[1600:]).float().mean().item()
    print(f"epoch {epoch + 1:2d}  train loss {sum(losses) / len(losses):.3f}  test accuracy {accuracy:.3f}")
