# cure: mode="min"

"""Twenty-step forecast of a quasi-periodic series with a small temporal convolution."""

import os

import numpy as np
import torch
from torch import nn
from torch.optim.lr_scheduler import ReduceLROnPlateau


def series(n, rng):
    t = np.arange(n)
    slow = np.sin(2 * np.pi * t / 132 + rng.uniform(0, 6))
    fast = np.sin(2 * np.pi * t / 23 + 1.5 * slow)
    return (slow + 0.8 * fast * (1 + 0.5 * slow) + 0.05 * rng.standard_normal(n)).astype(np.float32)


def windows(values, length, ahead=20):
    stacked = np.lib.stride_tricks.sliding_window_view(values, length + ahead)
    return torch.tensor(stacked[:, None, :length].copy()), torch.tensor(stacked[:, -1].copy())


class TCN(nn.Module):
    def __init__(self, channels=16):
        super().__init__()
        self.convs = nn.ModuleList([nn.Conv1d(1 if i == 0 else channels, channels, 3, dilation=2**i) for i in range(3)])
        self.readout = nn.Linear(channels * 18, 1)

    def forward(self, x):
        for conv in self.convs:
            x = nn.functional.silu(conv(x))
        return self.readout(x.flatten(1)).squeeze(1)


def main():
    seed = int(os.environ.get("SEED", 0))
    torch.manual_seed(seed)
    values = series(2400, np.random.default_rng(seed))
    values = (values - values[:1800].mean()) / values[:1800].std()
    x, y = windows(values[:1500], 32)
    x_val, y_val = windows(values[1500:1800], 32)
    x_test, y_test = windows(values[1800:], 32)

    model = TCN()
    mse = nn.MSELoss()
    opt = torch.optim.Adam(model.parameters(), lr=2e-3)
    scheduler = ReduceLROnPlateau(opt, mode="min", factor=0.1, patience=1)
    for epoch in range(24):
        model.train()
        for batch in torch.randperm(len(x)).split(64):
            opt.zero_grad()
            loss = mse(model(x[batch]), y[batch])
            loss.backward()
            opt.step()
        model.eval()
        with torch.no_grad():
            val = mse(model(x_val), y_val).item()
        scheduler.step(val)
        print("epoch", epoch, "train", round(loss.item(), 5), "val", round(val, 5))
    with torch.no_grad():
        print("metric", 1 - (mse(model(x_test), y_test) / y_test.var()).item())


if __name__ == "__main__":
    main()
