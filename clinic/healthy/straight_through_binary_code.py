# trap: a custom autograd.Function rounds the code to 0 and 1; its backward passes the gradient as if nothing had happened
# floor: 0.65

import os

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn
from torch.autograd import Function

torch.manual_seed(int(os.environ.get("SEED", 0)))


class Binarize(Function):
    @staticmethod
    def forward(ctx, probabilities):
        return (probabilities > 0.5).to(probabilities.dtype)

    @staticmethod
    def backward(ctx, grad_output):
        return grad_output


class Hasher(nn.Module):
    def __init__(self, bits=24):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(64, 96), nn.ReLU(), nn.Linear(96, bits))
        self.decoder = nn.Sequential(nn.Linear(bits, 96), nn.ReLU(), nn.Linear(96, 64))

    def code(self, x):
        return Binarize.apply(torch.sigmoid(self.encoder(x)))

    def forward(self, x):
        return self.decoder(2 * self.code(x) - 1)


data = torch.tensor(load_digits().data, dtype=torch.float32) / 16
mean = data[:1400].mean(0)
train, test = (data - mean)[:1400] * 2, (data - mean)[1400:] * 2
model = Hasher()
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
for epoch in range(26):
    total = 0.0
    for rows in torch.randperm(1400).split(70):
        optimizer.zero_grad()
        loss = F.mse_loss(model(train[rows]), train[rows])
        loss.backward()
        optimizer.step()
        total += loss.item() / 20
    if epoch % 5 == 0:
        with torch.no_grad():
            print(f"epoch {epoch:2d} mse {total:.4f}, mean bit {model.code(test).mean().item():.3f}")

with torch.no_grad():
    print("metric", 1 - (F.mse_loss(model(test), test) / test.pow(2).mean()).item())
