# trap: one label in five is wrong by nature: the loss stops at 0.5 nats, which is all that there is to learn
# floor: -0.53

"""XOR of two signs among four inputs. Each label is flipped with probability 0.2; no model can go below 0.5004 nats."""

import os

import torch
from torch import nn


def noisy_xor(n, p_flip=0.2):
    x = torch.randn(n, 4)
    clean = (x[:, 0] > 0) ^ (x[:, 1] > 0)
    flip = torch.rand(n) < p_flip
    return x, (clean ^ flip).float()


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer1 = nn.Linear(4, 64)
        self.layer2 = nn.Linear(64, 64)
        self.layer3 = nn.Linear(64, 1)
        self.act = nn.LeakyReLU()

    def forward(self, x):
        return self.layer3(self.act(self.layer2(self.act(self.layer1(x))))).squeeze(1)


torch.manual_seed(int(os.environ.get("SEED", 0)))
net, criterion = Net(), nn.BCEWithLogitsLoss()
optimizer = torch.optim.AdamW(net.parameters(), lr=3e-3, weight_decay=0.01)
smooth = None
for step in range(900):
    x, y = noisy_xor(256)  # fresh data at each step
    optimizer.zero_grad()
    loss = criterion(net(x), y)
    loss.backward()
    optimizer.step()
    smooth = loss.item() if smooth is None else 0.97 * smooth + 0.03 * loss.item()
    if (step + 1) % 150 == 0:
        print("step", step + 1, "smoothed loss", round(smooth, 4))

with torch.no_grad():
    x, y = noisy_xor(20000)
    print("metric", -criterion(net(x), y).item())
