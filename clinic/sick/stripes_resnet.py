# expect: TT402
# fault: StepLR(step_size=1, gamma=0.5) is stepped after every batch, so the learning rate halves every batch

"""Tell the orientation of noisy gratings with a tiny residual network."""

import math
import os

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.optim import SGD
from torch.optim.lr_scheduler import StepLR
from torch.utils.data import DataLoader, Dataset


class Gratings(Dataset):
    def __init__(self, n, generator, classes=8, size=14):
        self.labels = torch.randint(classes, (n,), generator=generator)
        angle = self.labels * math.pi / classes
        phase = torch.rand(n, generator=generator) * 2 * math.pi
        freq = 0.9 + 0.5 * torch.rand(n, generator=generator)
        grid = torch.arange(size) - size / 2
        xs, ys = torch.meshgrid(grid, grid, indexing="ij")
        angle, phase, freq = (t.view(-1, 1, 1) for t in (angle, phase, freq))
        wave = torch.sin(freq * (torch.cos(angle) * xs + torch.sin(angle) * ys) + phase)
        self.images = (wave + 0.6 * torch.randn(wave.shape, generator=generator)).unsqueeze(1)

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, i):
        return self.images[i], self.labels[i]


class Residual(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(c, c, 3, padding=1, bias=False), nn.BatchNorm2d(c)
        self.conv2, self.bn2 = nn.Conv2d(c, c, 3, padding=1, bias=False), nn.BatchNorm2d(c)

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        return F.relu(x + self.bn2(self.conv2(y)))


class TinyResNet(nn.Module):
    def __init__(self, classes=8, width=12):
        super().__init__()
        self.stem = nn.Conv2d(1, width, 5, padding=2)
        self.blocks = nn.Sequential(Residual(width), nn.MaxPool2d(2), Residual(width))
        self.fc = nn.Linear(width, classes)

    def forward(self, x):
        return self.fc(self.blocks(F.relu(self.stem(x))).mean(dim=(2, 3)))


generator = torch.Generator().manual_seed(int(os.environ.get("SEED", 0)))
torch.manual_seed(int(os.environ.get("SEED", 0)))
train_loader = DataLoader(Gratings(800, generator), batch_size=32, shuffle=True)
test_loader = DataLoader(Gratings(400, generator), batch_size=100)

model = TinyResNet()
optimizer = SGD(model.parameters(), lr=0.05, momentum=0.9)
scheduler = StepLR(optimizer, step_size=1, gamma=0.5)

for epoch in range(6):
    model.train()
    for images, labels in train_loader:
        optimizer.zero_grad()
        loss = F.cross_entropy(model(images), labels)
        loss.backward()
        optimizer.step()
        scheduler.step()
    print(f"epoch {epoch} last batch loss {loss.item():.4f} lr {optimizer.param_groups[0]['lr']:.2e}")

model.eval()
hits = 0
with torch.no_grad():
    for images, labels in test_loader:
        hits += (model(images).argmax(1) == labels).sum().item()
print("metric", hits / len(test_loader.dataset))
