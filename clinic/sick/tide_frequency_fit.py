# expect: TT403
# fault: the frequency starts far from the tide's, among shallow dips of the loss, and stays in one

"""Height of the tide at a pier: fit one wave to ten days of readings by gradient descent."""

import math
import os

import torch

torch.manual_seed(int(os.environ.get("SEED", 0)))


def readings(n, start, stop):
    day = start + (stop - start) * torch.rand(n)
    height = 1.3 * torch.sin(2 * math.pi * 1.93 * day + 0.7) + 0.15 * torch.randn(n)
    return day, height


day, height = readings(600, 0.0, 10.0)
new_day, new_height = readings(200, 0.0, 10.0)

per_day = torch.tensor(1.00, requires_grad=True)
sine = torch.tensor(0.0, requires_grad=True)
cosine = torch.tensor(0.0, requires_grad=True)


def tide(day):
    phase = 2 * math.pi * per_day * (day - 5)
    return sine * phase.sin() + cosine * phase.cos()


optimizer = torch.optim.Adam([per_day, sine, cosine], lr=3e-3)
for i in range(1500):
    batch = torch.randint(600, (100,))
    loss = (tide(day[batch]) - height[batch]).pow(2).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if i % 250 == 0:
        print("iteration %d: loss %.3f, %.3f waves a day" % (i, loss.item(), per_day.item()))

with torch.no_grad():
    left = (tide(new_day) - new_height).var() / new_height.var()
print("metric", 1 - left.item())
