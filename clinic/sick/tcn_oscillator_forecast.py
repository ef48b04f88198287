# expect: TT503
# fault: the forecasts are made with dropout switched on

"""Forecast a noisy oscillator from its past with a temporal convolution net."""

import os

import numpy as np
import torch
import torch.nn as nn

seed = int(os.environ.get("SEED", 0))
np.random.seed(seed)
torch.manual_seed(seed)


def van_der_pol(n, dt=0.1, mu=1.5):
    x, v = 0.5, 0.0
    path = np.empty(n)
    for i in range(n):
        v += dt * (mu * (1 - x * x) * v - x)
        x += dt * v
        path[i] = x
    return path


series = van_der_pol(3000) / 1.4 + 0.05 * np.random.randn(3000)
past, ahead = 32, 3
windows = np.lib.stride_tricks.sliding_window_view(series, past + ahead).astype(np.float32)
X, Y = torch.from_numpy(windows[:, :past].copy()), torch.from_numpy(windows[:, -1].copy())
X_train, Y_train, X_test, Y_test = X[:2200], Y[:2200], X[2300:], Y[2300:]


class TemporalBlock(nn.Module):
    def __init__(self, c_in, c_out, dilation, p=0.4):
        super().__init__()
        self.conv = nn.Conv1d(c_in, c_out, 3, dilation=dilation)
        self.relu = nn.ReLU()
        self.drop = nn.Dropout(p)
        self.match = nn.Conv1d(c_in, c_out, 1) if c_in != c_out else nn.Identity()

    def forward(self, x):
        y = self.drop(self.relu(self.conv(x)))
        return y + self.match(x)[..., -y.shape[-1] :]


class TCN(nn.Module):
    def __init__(self):
        super().__init__()
        self.blocks = nn.Sequential(TemporalBlock(1, 24, 1), TemporalBlock(24, 24, 2), TemporalBlock(24, 24, 4))
        self.head = nn.Linear(24, 1)

    def forward(self, x):
        return self.head(self.blocks(x.unsqueeze(1))[..., -1]).squeeze(-1)


tcn = TCN()
opt = torch.optim.Adam(tcn.parameters(), lr=2e-3)
for epoch in range(8):
    tcn.train()
    for idx in torch.randperm(len(X_train)).split(50):
        loss = nn.functional.mse_loss(tcn(X_train[idx]), Y_train[idx])
        opt.zero_grad()
        loss.backward()
        opt.step()
    print("Epoch: %d \t Train Loss: %.4f" % (epoch, loss.item()))

with torch.no_grad():
    forecast = tcn(X_test)
print("metric", -(forecast - Y_test).square().mean().sqrt().item())
