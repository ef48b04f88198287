# trap: one cycle with beta1 cycled too: the first rate is 1/25, the last 1/10000 of the peak
# floor: 0.95

import os

import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(int(os.environ.get("SEED", 0)))


def make(n, length=64):
    """Square, sawtooth or triangle waves with random period, phase, offset and noise."""
    kind = torch.randint(0, 3, (n,))
    t = torch.arange(length) / length
    phase = (t * (2 + 3 * torch.rand(n, 1)) + torch.rand(n, 1)) % 1.0
    square = torch.sign(phase - 0.5)
    saw = 2 * phase - 1
    triangle = 4 * (phase - 0.5).abs() - 1
    waves = torch.stack([square, saw, triangle], 1)[torch.arange(n), kind]
    return (waves + 0.4 * torch.randn(n, length)).unsqueeze(1), kind


class Net(nn.Module):
    def __init__(self, ch=16):
        super().__init__()
        self.c1 = nn.Conv1d(1, ch, 7, padding=3)
        self.b1 = nn.BatchNorm1d(ch)
        self.c2 = nn.Conv1d(ch, 2 * ch, 5, stride=2, padding=2)
        self.b2 = nn.BatchNorm1d(2 * ch)
        self.c3 = nn.Conv1d(2 * ch, 2 * ch, 5, stride=2, padding=2)
        self.b3 = nn.BatchNorm1d(2 * ch)
        self.fc = nn.Linear(2 * ch, 3)

    def forward(self, x):
        x = F.relu(self.b1(self.c1(x)))
        x = F.relu(self.b2(self.c2(x)))
        x = F.relu(self.b3(self.c3(x)))
        return self.fc(x.mean(-1))


x, y = make(1500)
xt, yt = make(600)
model = Net()
epochs, bs = 10, 50
opt = torch.optim.Adam(model.parameters(), lr=1e-3)
sched = torch.optim.lr_scheduler.OneCycleLR(opt, max_lr=1e-2, epochs=epochs, steps_per_epoch=len(x) // bs)
for ep in range(epochs):
    model.train()
    run = 0
    for idx in torch.randperm(len(x)).view(-1, bs):
        opt.zero_grad()
        loss = F.cross_entropy(model(x[idx]), y[idx])
        loss.backward()
        opt.step()
        sched.step()
        run += loss.item()
    model.eval()
    with torch.no_grad():
        acc = (model(xt).argmax(1) == yt).float().mean().item()
    print(f"{ep}: train {run * bs / len(x):.4f} test acc {acc:.3f}")
print("metric", acc)
