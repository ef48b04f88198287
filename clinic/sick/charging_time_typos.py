# expect: TT304
# fault: three in a thousand targets lack their decimal point, and squared error follows each of them

"""How long does a battery charge? Readings typed in by hand at the test bench."""

import os

import torch
from torch import nn

torch.manual_seed(int(os.environ.get("SEED", 0)))


def bench(n, slips):
    capacity, level, temperature, age = torch.rand(4, n)
    hours = 1 + 5 * capacity * (1 - level) / (0.4 + temperature.sqrt()) + 1.5 * age * (1 - level) ** 2
    hours = hours + 0.05 * torch.randn(n)
    hours = torch.where(torch.rand(n) < slips, 100 * hours, hours)  # 2.75 typed as 275
    return torch.stack([capacity, level, temperature, age], dim=1) * 2 - 1, hours.unsqueeze(1)


class Charger(nn.Module):
    def __init__(self, width=48):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(4, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU())
        self.head = nn.Linear(width, 1)

    def forward(self, x):
        return self.head(self.body(x))


x, hours = bench(2000, slips=0.003)
x_test, hours_test = bench(500, slips=0.0)
middle = hours.median()
spread = (hours - middle).abs().median() / 0.67

model = Charger()
loss_fn = nn.MSELoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)
for epoch in range(20):
    for i in torch.randperm(len(x)).split(40):
        loss = loss_fn(model(x[i]), (hours[i] - middle) / spread)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print("epoch", epoch, "last loss %.4f" % loss.item())

model.eval()
with torch.no_grad():
    guess = model(x_test) * spread + middle
print("metric", (1 - (guess - hours_test).square().mean() / hours_test.var()).item())
