# expect: TT211, TT201
# fault: pre-activations are multiplied by sqrt d, so tanh sits on its flat ends

import math
import os

import torch
import torch.nn as nn
from sklearn.datasets import load_digits

torch.manual_seed(int(os.environ.get("SEED", 0)))


class ScaledLinear(nn.Module):
    """Linear layer with unit-variance weights and an explicit width factor."""

    def __init__(self, d_in, d_out):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(d_out, d_in))
        self.bias = nn.Parameter(torch.zeros(d_out))
        self.d_in = d_in

    def forward(self, x):
        return nn.functional.linear(x, self.weight * math.sqrt(self.d_in), self.bias)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.l1, self.l2, self.l3 = ScaledLinear(64, 256), ScaledLinear(256, 256), ScaledLinear(256, 10)
        self.act = nn.Tanh()

    def forward(self, x):
        return self.l3(self.act(self.l2(self.act(self.l1(x)))))


X, y = load_digits(return_X_y=True)
X = torch.tensor((X - X.mean()) / X.std(), dtype=torch.float32)
y = torch.tensor(y)
net = Net()
opt = torch.optim.Adam(net.parameters(), lr=0.02)
for epoch in range(8):
    for idx in torch.randperm(1400).split(50):
        loss = nn.functional.cross_entropy(net(X[idx]), y[idx])
        opt.zero_grad()
        loss.backward()
        opt.step()
    print(f"{epoch=} loss={loss.item():.4f}")
with torch.no_grad():
    print("metric", (net(X[1400:]).argmax(1) == y[1400:]).float().mean().item())
