# trap: a teacher in eval mode without gradients; the KL term is multiplied by temperature squared; the student sees no labels
# floor: 0.8

import os

import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(int(os.environ.get("SEED", 0)))
T = 4.0

bunch = load_digits()
x = torch.tensor(bunch.images, dtype=torch.float32).unsqueeze(1)
x = (x - x[:1400].mean()) / x[:1400].std()
y = torch.tensor(bunch.target)
loader = DataLoader(TensorDataset(x[:1400], y[:1400]), batch_size=56, shuffle=True)

teacher = nn.Sequential(
    nn.Conv2d(1, 24, 3, padding=1), nn.BatchNorm2d(24), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(24, 32, 3, padding=1),
    nn.BatchNorm2d(32), nn.ReLU(), nn.Flatten(), nn.Dropout(0.3), nn.Linear(512, 10),
)  # fmt: skip
student = nn.Sequential(nn.Flatten(), nn.Linear(64, 20), nn.ReLU(), nn.Linear(20, 10))


def accuracy(net):
    net.eval()
    with torch.no_grad():
        return (net(x[1400:]).argmax(1) == y[1400:]).float().mean().item()


optimizer = torch.optim.Adam(teacher.parameters(), lr=2e-3)
for epoch in range(6):
    teacher.train()
    for xb, yb in loader:
        optimizer.zero_grad()
        F.cross_entropy(teacher(xb), yb).backward()
        optimizer.step()
print("teacher", accuracy(teacher))

teacher.eval()
optimizer = torch.optim.Adam(student.parameters(), lr=4e-3)
for epoch in range(15):
    student.train()
    total = 0.0
    for xb, _ in loader:
        with torch.no_grad():
            soft_targets = F.softmax(teacher(xb) / T, dim=-1)
        soft_prob = F.log_softmax(student(xb) / T, dim=-1)
        loss = F.kl_div(soft_prob, soft_targets, reduction="batchmean") * T**2
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item()
    if epoch % 3 == 0:
        print(f"epoch {epoch} distillation loss {total / len(loader):.4f}")
print("metric", accuracy(student))
