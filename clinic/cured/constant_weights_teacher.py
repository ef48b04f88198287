# cure: weights start at random

import os

import torch
import torch.nn as nn

torch.manual_seed(int(os.environ.get("SEED", 0)))


def weights_init(m):
    if isinstance(m, nn.Linear):
        nn.init.xavier_uniform_(m.weight)
        nn.init.zeros_(m.bias)


class Student(nn.Module):
    def __init__(self, d=10, h=32):
        super().__init__()
        self.inp = nn.Linear(d, h)
        self.hid = nn.Linear(h, h)
        self.out = nn.Linear(h, 1)
        self.act = nn.Tanh()

    def forward(self, x):
        return self.out(self.act(self.hid(self.act(self.inp(x)))))


teacher = nn.Sequential(nn.Linear(10, 6), nn.Tanh(), nn.Linear(6, 1))
for p in teacher.parameters():
    p.data.normal_(generator=torch.Generator().manual_seed(len(p)))
    p.requires_grad = False

student = Student()
student.apply(weights_init)
optimizer = torch.optim.Adam(student.parameters(), lr=3e-3)
mse = nn.MSELoss()
with torch.no_grad():
    spread = teacher(torch.randn(5000, 10)).std()

for it in range(1200):
    x = torch.randn(64, 10)
    optimizer.zero_grad()
    loss = mse(student(x), teacher(x) / spread)
    loss.backward()
    optimizer.step()
    if it % 200 == 0:
        print(f"iter {it:5d}: distillation error {loss.item():.4f}")

with torch.no_grad():
    x = torch.randn(2000, 10)
    target = teacher(x) / spread
    print("metric", (1 - mse(student(x), target) / target.var()).item())
