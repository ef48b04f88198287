# trap: features come from a frozen network under no_grad in eval mode; only a small head has gradients
# floor: 0.95

"""Train a convolutional net on the digits 0-4, reuse its features for the digits 5-9."""

import os

import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits


class ConvNet(nn.Module):
    def __init__(self, n_classes):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 16, kernel_size=3, padding=1, bias=False),
            nn.BatchNorm2d(16),
            nn.ReLU(inplace=True),
            nn.Conv2d(16, 32, kernel_size=3, padding=1, bias=False),
            nn.BatchNorm2d(32),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(2),
        )
        self.classifier = nn.Linear(32 * 4 * 4, n_classes)

    def forward(self, x):
        return self.classifier(self.features(x).flatten(1))


def batches(x, y, size):
    for idx in torch.randperm(len(x)).split(size):
        yield x[idx], y[idx]


def main():
    torch.manual_seed(int(os.environ.get("SEED", 0)))
    bunch = load_digits()
    images = torch.from_numpy(bunch.images).float().unsqueeze(1).div(8.0).sub(1.0)
    labels = torch.from_numpy(bunch.target)
    low, high = labels < 5, labels >= 5

    source = ConvNet(5)
    opt = torch.optim.Adam(source.parameters(), lr=1e-3)
    for epoch in range(6):
        source.train()
        running = 0.0
        for x, y in batches(images[low], labels[low], 64):
            loss = F.cross_entropy(source(x), y)
            opt.zero_grad(set_to_none=True)
            loss.backward()
            opt.step()
            running += loss.item()
        print(f"source epoch {epoch}: {running:.3f}")

    backbone = source.features.eval()
    x_new, y_new = images[high], labels[high] - 5
    n = int(0.7 * len(x_new))
    head = nn.Sequential(nn.Flatten(), nn.Linear(32 * 4 * 4, 64), nn.ReLU(), nn.Linear(64, 5))
    opt = torch.optim.Adam(head.parameters(), lr=1e-3)
    for epoch in range(12):
        running = 0.0
        for x, y in batches(x_new[:n], y_new[:n], 32):
            with torch.no_grad():
                feats = backbone(x)
            loss = F.cross_entropy(head(feats), y)
            opt.zero_grad(set_to_none=True)
            loss.backward()
            opt.step()
            running += loss.item()
        print(f"head epoch {epoch}: {running:.3f}")

    with torch.no_grad():
        predicted = head(backbone(x_new[n:])).argmax(1)
    print("metric", (predicted == y_new[n:]).float().mean().item())


if __name__ == "__main__":
    main()
