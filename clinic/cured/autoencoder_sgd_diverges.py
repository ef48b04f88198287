# cure: the mean

import os

import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits

torch.manual_seed(int(os.environ.get("SEED", 0)))
x = torch.tensor(load_digits().data / 16, dtype=torch.float32)


class Autoencoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.enc1, self.enc2 = nn.Linear(64, 32), nn.Linear(32, 8)
        self.dec1, self.dec2 = nn.Linear(8, 32), nn.Linear(32, 64)

    def forward(self, x):
        z = self.enc2(F.relu(self.enc1(x)))
        return self.dec2(F.relu(self.dec1(z)))


ae = Autoencoder()
opt = torch.optim.SGD(ae.parameters(), lr=0.05, momentum=0.9)
for epoch in range(20):
    for i in range(0, 1500, 30):
        xb = x[i : i + 30]
        opt.zero_grad()
        loss = F.mse_loss(ae(xb), xb)
        loss.backward()
        opt.step()
    if epoch % 5 == 0:
        print("epoch", epoch, loss.item())
with torch.no_grad():
    print("metric", -F.mse_loss(ae(x[1500:]), x[1500:]).item())
