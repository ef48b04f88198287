# trap: an extra backward to the input each step leaves gradients in the weights, which zero_grad then clears; inputs attacked
# floor: 0.7

import os

import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(int(os.environ.get("SEED", 0)))
EPS = 0.06

digits = load_digits()
images = torch.tensor(digits.images / 16.0, dtype=torch.float32).unsqueeze(1)
labels = torch.tensor(digits.target)
train_loader = DataLoader(TensorDataset(images[:1400], labels[:1400]), batch_size=50, shuffle=True)
test_images, test_labels = images[1400:], labels[1400:]


class Net(nn.Module):
    mean, std = 0.305, 0.376

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 16, 3, padding=1)
        self.fc1 = nn.Linear(16 * 16, 64)
        self.fc2 = nn.Linear(64, 10)

    def forward(self, x):
        x = torch.relu(self.conv((x - self.mean) / self.std))
        x = nn.functional.max_pool2d(x, 2).flatten(1)
        return self.fc2(torch.relu(self.fc1(x)))


def fgsm_attack(model, x, y, epsilon):
    x = x.clone().requires_grad_(True)
    nn.functional.cross_entropy(model(x), y).backward()
    return (x + epsilon * x.grad.sign()).clamp(0, 1).detach()


model = Net()
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
for epoch in range(10):
    clean_loss = adv_loss = 0.0
    for x, y in train_loader:
        x_adv = fgsm_attack(model, x, y, EPS)
        optimizer.zero_grad()
        clean = nn.functional.cross_entropy(model(x), y)
        adversarial = nn.functional.cross_entropy(model(x_adv), y)
        (0.5 * clean + 0.5 * adversarial).backward()
        optimizer.step()
        clean_loss += clean.item() / len(train_loader)
        adv_loss += adversarial.item() / len(train_loader)
    print(f"epoch {epoch} clean {clean_loss:.4f} adversarial {adv_loss:.4f}")

attacked = fgsm_attack(model, test_images, test_labels, EPS)
with torch.no_grad():
    print("metric", (model(attacked).argmax(1) == test_labels).float().mean().item())
