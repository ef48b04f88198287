# trap: targets are counts up to dozens under a Poisson loss, which goes far below zero
# floor: 0.9

"""Number of bicycle hires in an hour from hour, weekday, weather and the hires of the day before."""

import argparse
import os

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn


def get_args():
    p = argparse.ArgumentParser()
    p.add_argument("--epochs", type=int, default=20)
    p.add_argument("--lr", type=float, default=3e-3)
    p.add_argument("--hidden", type=int, default=48)
    return p.parse_args([])


def hires(rng, n):
    hour = rng.integers(0, 24, n)
    weekend = rng.random(n) < 2 / 7
    rain = rng.random(n) < 0.25
    temperature = rng.normal(14, 7, n)
    yesterday = rng.lognormal(6.0, 0.8, n).round()
    commute = np.exp(-((hour - 8) ** 2) / 4) + np.exp(-((hour - 17) ** 2) / 6)
    leisure = np.exp(-((hour - 14) ** 2) / 18)
    rate = 1 + 14 * np.where(weekend, leisure, commute) * np.where(rain, 0.4, 1) * np.exp(0.04 * (temperature - 14))
    rate *= (yesterday / 400) ** 0.5
    x = np.stack(
        [
            np.sin(hour * np.pi / 12), np.cos(hour * np.pi / 12), np.sin(hour * np.pi / 6), np.cos(hour * np.pi / 6),
            weekend, rain, (temperature - 14) / 7, (np.log1p(yesterday) - 6) / 0.8,
        ],
        axis=1,
    )  # fmt: skip
    return torch.tensor(x, dtype=torch.float32), torch.tensor(rng.poisson(rate), dtype=torch.float32), rate


def main():
    args = get_args()
    seed = int(os.environ.get("SEED", 0))
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    x, y, _ = hires(rng, 3000)
    x_test, y_test, rate = hires(rng, 1000)
    model = nn.Sequential(
        nn.Linear(8, args.hidden), nn.GELU(), nn.Linear(args.hidden, args.hidden), nn.GELU(), nn.Linear(args.hidden, 1)
    )
    nn.init.constant_(model[-1].bias, float(y.mean().log()))
    optimizer = torch.optim.Adam(model.parameters(), lr=args.lr)
    for epoch in range(args.epochs):
        losses = []
        for rows in torch.randperm(len(x)).split(100):
            loss = F.poisson_nll_loss(model(x[rows]).squeeze(1), y[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        if epoch % 4 == 0:
            print(f"epoch {epoch}: poisson loss {np.mean(losses):.4f}")
    with torch.no_grad():
        predicted = model(x_test).squeeze(1).exp().numpy()
    explained = 1 - np.mean((np.log(predicted) - np.log(rate)) ** 2) / np.var(np.log(rate))
    print("metric", float(explained))


if __name__ == "__main__":
    main()
