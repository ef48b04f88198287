# cure: a momentum of 0.1

# port of my keras model that reads dice
import os

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

seed = int(os.environ.get("SEED", 0))
np.random.seed(seed)
torch.manual_seed(seed)

PIPS = {
    1: [(0, 0)],
    2: [(-1, -1), (1, 1)],
    3: [(-1, -1), (0, 0), (1, 1)],
    4: [(-1, -1), (-1, 1), (1, -1), (1, 1)],
    5: [(-1, -1), (-1, 1), (0, 0), (1, -1), (1, 1)],
    6: [(-1, -1), (-1, 0), (-1, 1), (1, -1), (1, 0), (1, 1)],
}
YY, XX = np.mgrid[0:20, 0:20].astype(float)


def photo(face):
    angle = np.random.uniform(0, np.pi / 2)
    c, s = np.cos(angle), np.sin(angle)
    oy, ox = 9.5 + np.random.uniform(-1.5, 1.5, 2)
    paper, ink = np.random.uniform(0.6, 1.0), np.random.uniform(0.0, 0.3)
    dark = np.zeros_like(XX)
    for v, u in PIPS[face]:
        y, x = oy + 4.2 * (c * v - s * u), ox + 4.2 * (s * v + c * u)
        dark = np.maximum(dark, np.exp(-((YY - y) ** 2 + (XX - x) ** 2) / 2.5))
    return paper - (paper - ink) * dark + 0.08 * np.random.randn(20, 20)


def photos(n):
    faces = np.random.randint(1, 7, n)
    images = np.stack([photo(face) for face in faces])
    return torch.tensor((images - 0.7) / 0.25, dtype=torch.float32)[:, None], torch.tensor(faces - 1)


class DiceNet(nn.Module):
    def __init__(self, bn_momentum=0.1, bn_eps=1e-3):
        super().__init__()
        bn = dict(momentum=bn_momentum, eps=bn_eps)
        self.conv1 = nn.Conv2d(1, 12, 3, padding=1)
        self.bn1 = nn.BatchNorm2d(12, **bn)
        self.conv2 = nn.Conv2d(12, 24, 3, padding=1)
        self.bn2 = nn.BatchNorm2d(24, **bn)
        self.conv3 = nn.Conv2d(24, 32, 3, padding=1)
        self.bn3 = nn.BatchNorm2d(32, **bn)
        self.dense = nn.Linear(32, 6)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(x))), 2)
        x = F.max_pool2d(F.relu(self.bn2(self.conv2(x))), 2)
        x = F.relu(self.bn3(self.conv3(x)))
        return self.dense(x.mean((2, 3)))


def fit(model, x, y, epochs, batch_size):
    optimizer = torch.optim.Adam(model.parameters(), lr=4e-3)
    decay = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs, eta_min=1e-4)
    for epoch in range(epochs):
        model.train()
        right, total_loss = 0, 0.0
        perm = torch.randperm(len(x))
        for i in range(0, len(x), batch_size):
            xb, yb = x[perm[i : i + batch_size]], y[perm[i : i + batch_size]]
            optimizer.zero_grad()
            out = model(xb)
            loss = F.cross_entropy(out, yb)
            loss.backward()
            optimizer.step()
            right += int((out.argmax(1) == yb).sum())
            total_loss += loss.item() * len(xb)
        decay.step()
        print("Epoch %d/%d - loss: %.4f - accuracy: %.4f" % (epoch + 1, epochs, total_loss / len(x), right / len(x)))


def evaluate(model, x, y):
    model.eval()
    with torch.inference_mode():
        return float((model(x).argmax(1) == y).float().mean())


x_train, y_train = photos(2000)
x_test, y_test = photos(400)
model = DiceNet()
fit(model, x_train, y_train, epochs=7, batch_size=50)
print("metric", evaluate(model, x_test, y_test))
