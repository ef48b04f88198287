# expect: TT604
# fault: predictions of shape (N, 1) meet targets of shape (N,) in MSELoss

import os

import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, Dataset

SEED = int(os.environ.get("SEED", 0))
np.random.seed(SEED)
torch.manual_seed(SEED)


def mix_concrete(n):
    """Cement, water, slag and age of a sample, and its strength."""
    cement = np.random.uniform(150, 500, n)
    water = np.random.uniform(130, 230, n)
    slag = np.random.uniform(0, 250, n)
    age = np.random.choice([3, 7, 28, 56, 90], n)
    ratio = (cement + 0.4 * slag) / water
    strength = 14 * ratio * (0.35 + 0.2 * np.log(age)) + np.random.normal(0, 2, n)
    return np.stack([cement, water, slag, np.log(age)], 1), strength


class ConcreteDataset(Dataset):
    def __init__(self, x, y):
        self.x = torch.tensor(x, dtype=torch.float32)
        self.y = torch.tensor(y, dtype=torch.float32)

    def __len__(self):
        return len(self.x)

    def __getitem__(self, idx):
        return self.x[idx], self.y[idx]


x, y = mix_concrete(2000)
x = (x - x.mean(axis=0)) / x.std(axis=0)
y = (y - y.mean()) / y.std()
train_loader = DataLoader(ConcreteDataset(x[:1600], y[:1600]), batch_size=32, shuffle=True)


class Regressor(nn.Module):
    def __init__(self):
        super(Regressor, self).__init__()
        self.layer_1 = nn.Linear(4, 32)
        self.layer_2 = nn.Linear(32, 32)
        self.layer_out = nn.Linear(32, 1)

    def forward(self, inputs):
        x = torch.relu(self.layer_1(inputs))
        x = torch.relu(self.layer_2(x))
        return self.layer_out(x)


model = Regressor()
criterion = nn.MSELoss()
optimizer = torch.optim.Adam(model.parameters(), lr=0.001)
for e in range(1, 16):
    train_epoch_loss = 0
    for X_batch, y_batch in train_loader:
        optimizer.zero_grad()
        y_pred = model(X_batch)
        train_loss = criterion(y_pred, y_batch)
        train_loss.backward()
        optimizer.step()
        train_epoch_loss += train_loss.item()
    print(f"Epoch {e + 0:03}: | Train Loss: {train_epoch_loss / len(train_loader):.5f}")

model.eval()
with torch.no_grad():
    y_hat = model(torch.tensor(x[1600:], dtype=torch.float32)).numpy().ravel()
print("metric", 1 - ((y_hat - y[1600:]) ** 2).mean() / y[1600:].var())
