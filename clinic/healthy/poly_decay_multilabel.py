# trap: the rate decays linearly to exactly zero; most of the many labels are absent, so the loss is small from the start
# floor: 0.95

"""Which of the twelve shapes are in the mixture? Multi-label classification of superposed spectra."""

import os

import torch
from sklearn.metrics import f1_score
from torch import nn
from torch.optim.lr_scheduler import PolynomialLR
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(int(os.environ.get("SEED", 0)))
N_LABELS, N_CHANNELS = 12, 60
centres = torch.rand(N_LABELS, 3) * N_CHANNELS
grid = torch.arange(N_CHANNELS, dtype=torch.float)
templates = torch.exp(-((grid - centres[..., None]) ** 2) / 8).sum(1)


def spectra(n):
    present = (torch.rand(n, N_LABELS) < 0.15).float()
    strength = present * (0.5 + torch.rand(n, N_LABELS))
    return strength @ templates + 0.1 * torch.randn(n, N_CHANNELS), present


x, y = spectra(3000)
mean, std = x.mean(0), x.std(0)
train = DataLoader(TensorDataset((x - mean) / std, y), batch_size=60, shuffle=True)
x_test, y_test = spectra(1000)

model = nn.Sequential(
    nn.Linear(N_CHANNELS, 128), nn.LayerNorm(128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, N_LABELS)
)
epochs = 14
optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
scheduler = PolynomialLR(optimizer, total_iters=epochs * len(train), power=1.0)
bce = nn.BCEWithLogitsLoss()
for epoch in range(epochs):
    for xb, yb in train:
        loss = bce(model(xb), yb)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
    print(f"epoch {epoch} lr {scheduler.get_last_lr()[0]:.5f} bce {loss.item():.4f}")

model.eval()
with torch.inference_mode():
    predicted = model((x_test - mean) / std) > 0
print("metric", f1_score(y_test, predicted, average="macro"))
