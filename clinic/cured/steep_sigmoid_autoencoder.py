# cure: no factor

import os

import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader

torch.manual_seed(int(os.environ.get("SEED", 0)))


class Scale(nn.Module):
    """Sharpen the code so that it is nearly binary."""

    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def forward(self, x):
        return self.factor * x


class AutoEncoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Linear(64, 48), Scale(1.0), nn.Sigmoid(), nn.Linear(48, 16), Scale(1.0), nn.Sigmoid()
        )
        self.decoder = nn.Sequential(nn.Linear(16, 48), nn.ReLU(), nn.Linear(48, 64))

    def forward(self, x):
        return self.decoder(self.encoder(x))


data = torch.tensor(load_digits().data, dtype=torch.float32)
data = (data - data.mean()) / data.std()
loader = DataLoader(data[:1500], batch_size=50, shuffle=True)
model = AutoEncoder()
distance = nn.MSELoss()
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3, weight_decay=1e-6)
for epoch in range(12):
    for x in loader:
        output = model(x)
        loss = distance(output, x)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print("epoch [{}/{}], loss:{:.4f}".format(epoch + 1, 12, loss.item()))
with torch.no_grad():
    print("metric", -distance(model(data[1500:]), data[1500:]).item())
