# cure: the optimizer gets all parameters

import os

import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(int(os.environ.get("SEED", 0)))


class RotationNet(nn.Module):
    """Which way was the digit turned: 0, 90, 180 or 270 degrees?"""

    def __init__(self, num_classes=4):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 10, kernel_size=3, padding=1),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(2),
            nn.Conv2d(10, 10, kernel_size=3, padding=1),
            nn.ReLU(inplace=True),
            nn.AdaptiveAvgPool2d(2),
        )
        self.classifier = nn.Linear(40, num_classes)

    def forward(self, x):
        x = self.features(x)
        x = torch.flatten(x, 1)
        return self.classifier(x)


images = torch.tensor(load_digits().images).float()
images = (images - images.mean()) / images.std()
turns = torch.randint(4, (len(images),))
images = torch.stack([torch.rot90(im, int(k)) for im, k in zip(images, turns)]).unsqueeze(1)
train = DataLoader(TensorDataset(images[:1400], turns[:1400]), batch_size=40, shuffle=True)
test_x, test_y = images[1400:], turns[1400:]

model = RotationNet()
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=4e-3)

for epoch in range(16):
    model.train()
    for inputs, labels in train:
        optimizer.zero_grad()
        loss = criterion(model(inputs), labels)
        loss.backward()
        optimizer.step()
    model.eval()
    with torch.no_grad():
        acc = (model(test_x).argmax(dim=1) == test_y).float().mean().item()
    print(f"Epoch {epoch:02d} | loss {loss.item():.3f} | test accuracy {acc:.3f}")

print("metric", acc)
