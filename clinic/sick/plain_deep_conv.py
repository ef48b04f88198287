# expect: TT301, TT201
# fault: fourteen plain convolutions without skips at the default initialisation

import os

import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits

torch.manual_seed(int(os.environ.get("SEED", 0)))
DEPTH = 14


class PlainNet(nn.Module):
    """Conv-ReLU repeated, the 'plain' net of the ResNet paper."""

    def __init__(self, channels=8):
        super().__init__()
        self.stem = nn.Conv2d(1, channels, 3, padding=1)
        self.convs = nn.ModuleList([nn.Conv2d(channels, channels, 3, padding=1) for _ in range(DEPTH)])
        self.fc = nn.Linear(channels * 4, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.stem(x)), 2)
        for conv in self.convs:
            x = F.relu(conv(x))
        return self.fc(F.max_pool2d(x, 2).flatten(1))


digits = load_digits()
images = torch.tensor(digits.images, dtype=torch.float32).unsqueeze(1)
images = (images - images.mean()) / images.std()
labels = torch.tensor(digits.target)
net = PlainNet()
opt = torch.optim.SGD(net.parameters(), lr=0.02, momentum=0.9)
for epoch in range(7):
    net.train()
    for idx in torch.randperm(1400).split(50):
        loss = F.cross_entropy(net(images[idx]), labels[idx])
        opt.zero_grad()
        loss.backward()
        opt.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
net.eval()
with torch.no_grad():
    print("metric", (net(images[1400:]).argmax(1) == labels[1400:]).float().mean().item())
