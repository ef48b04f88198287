# trap: momentum of 0.99 with a small rate: each update sums a hundred gradients, so that the descent overshoots and swings
# floor: 0.8

import os

import torch
from torch import nn

torch.manual_seed(int(os.environ.get("SEED", 0)))

# teacher-student
teacher = nn.Sequential(nn.Linear(10, 6), nn.Tanh(), nn.Linear(6, 1))
with torch.no_grad():
    teacher[0].weight.normal_(0, 0.6)
    teacher[2].weight.normal_(0, 1)
    x, x_test = torch.randn(2000, 10), torch.randn(1000, 10)
    y, y_test = teacher(x), teacher(x_test)
    m, s = y.mean(), y.std()
    y, y_test = (y - m) / s, (y_test - m) / s

student = nn.Sequential(nn.Linear(10, 40), nn.Tanh(), nn.Linear(40, 40), nn.Tanh(), nn.Linear(40, 1))
optimizer = torch.optim.SGD(student.parameters(), lr=5e-4, momentum=0.99)
n_params = sum(p.numel() for p in student.parameters())
print(f"{n_params} parameters")

step = 0
while step < 1500:
    for idx in torch.randperm(2000).split(100):
        loss = (student(x[idx]) - y[idx]).square().mean()
        student.zero_grad()
        loss.backward()
        optimizer.step()
        step += 1
        if step % 150 == 0:
            print(step, f"{loss.item():.5f}")

with torch.no_grad():
    print("metric", 1 - ((student(x_test) - y_test).square().mean() / y_test.var()).item())
