# trap: the pinball loss has gradients of constant size to the end and never nears zero; windows overlap heavily
# floor: 0.5

"""Forecast the 10 %, 50 % and 90 % quantiles of the next six hours of an electric load from the last two days."""

import os

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset


def load_curve(rng, hours=24 * 150):
    t = np.arange(hours)
    daily = np.sin(2 * np.pi * (t % 24) / 24 - 1.8) + 0.4 * np.sin(4 * np.pi * (t % 24) / 24)
    weekly = np.where((t // 24) % 7 >= 5, -0.5, 0.0)
    weather = np.zeros(hours)
    for i in range(1, hours):
        weather[i] = 0.97 * weather[i - 1] + 0.12 * rng.standard_normal()
    return 60 + 12 * daily + 10 * weekly + 8 * weather + (1.5 + 0.8 * daily) * rng.standard_normal(hours)


class Windows(Dataset):
    def __init__(self, series, past=48, ahead=6):
        self.series, self.past, self.ahead = torch.tensor(series, dtype=torch.float32), past, ahead

    def __len__(self):
        return len(self.series) - self.past - self.ahead

    def __getitem__(self, i):
        chunk = self.series[i : i + self.past + self.ahead]
        return chunk[: self.past], chunk[self.past :]


class QuantileMLP(nn.Module):
    def __init__(self, quantiles, past=48, ahead=6):
        super().__init__()
        self.register_buffer("q", torch.tensor(quantiles))
        self.net = nn.Sequential(
            nn.Linear(past, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, ahead * len(quantiles))
        )

    def forward(self, past):
        return past[:, -1, None, None] + self.net(past).unflatten(1, (-1, len(self.q)))

    def pinball(self, past, future):
        error = future[..., None] - self(past)
        return torch.maximum(self.q * error, (self.q - 1) * error).mean()


def main():
    seed = int(os.environ.get("SEED", 0))
    torch.manual_seed(seed)
    series = load_curve(np.random.default_rng(seed))
    split = 24 * 120
    mean, std = series[:split].mean(), series[:split].std()
    series = (series - mean) / std
    train = DataLoader(Windows(series[:split]), batch_size=64, shuffle=True)
    test = DataLoader(Windows(series[split:]), batch_size=512)
    model = QuantileMLP([0.1, 0.5, 0.9])
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    for epoch in range(14):
        losses = []
        for past, future in train:
            loss = model.pinball(past, future)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        if epoch % 2 == 0:
            print(f"epoch {epoch:2d} pinball {np.mean(losses):.4f}")
    with torch.no_grad():
        past, future = next(iter(test))
        ours = model.pinball(past, future)
        # against constant quantiles of the whole series
        constant = torch.quantile(torch.tensor(series[:split]).float(), model.q)
        error = future[..., None] - constant
        naive = torch.maximum(model.q * error, (model.q - 1) * error).mean()
    print("metric", 1 - (ours / naive).item())


if __name__ == "__main__":
    main()
