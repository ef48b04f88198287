# trap: each layer has its own rate, a tenth of the next one's; the lowest moves at 1e-5; it all starts from a trained net
# floor: 0.85

"""Pretrain on clean digits, then fine-tune on digits under thick noise with rates that fall towards the input."""

import os

import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits

torch.manual_seed(int(os.environ.get("SEED", 0)))
images, labels = (torch.tensor(a) for a in load_digits(return_X_y=True))
images = (images.float() - 4.88) / 6.02
train, test = torch.arange(1350), torch.arange(1350, 1797)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.lower = nn.Linear(64, 128)
        self.middle = nn.Linear(128, 64)
        self.upper = nn.Linear(64, 10)

    def forward(self, x):
        return self.upper(F.gelu(self.middle(F.gelu(self.lower(x)))))


def corrupt(x):
    return x + 0.5 * torch.randn_like(x)


def epoch(net, optimizer, transform):
    total = 0.0
    for idx in train[torch.randperm(len(train))].split(45):
        loss = F.cross_entropy(net(transform(images[idx])), labels[idx])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * 45 / len(train)
    return total


net = Net()
adam = torch.optim.Adam(net.parameters(), lr=1e-3)
for e in range(8):
    print("pretraining", e, round(epoch(net, adam, lambda x: x), 4))

torch.manual_seed(1234 + int(os.environ.get("SEED", 0)))
groups = [
    {"params": net.lower.parameters(), "lr": 1e-5},
    {"params": net.middle.parameters(), "lr": 1e-4},
    {"params": net.upper.parameters(), "lr": 1e-3},
]
adam = torch.optim.Adam(groups)
for e in range(15):
    print("fine-tuning", e, round(epoch(net, adam, corrupt), 4))

with torch.no_grad():
    print("metric", (net(corrupt(images[test])).argmax(1) == labels[test]).float().mean().item())
