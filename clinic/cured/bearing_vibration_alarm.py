# cure: the rows are taken in random order

"""Tell a worn bearing from a sound one by the loudness of 32 bands of its vibration."""

import argparse
import os

import numpy as np
import torch
from torch import nn

RATE, LENGTH = 1000, 256


def record(rng: np.random.Generator, count: int, worn: bool) -> np.ndarray:
    """Vibration of a shaft at about 25 Hz; a worn bearing adds short ringing bursts."""
    t = np.arange(LENGTH) / RATE
    speed = rng.uniform(22, 28, (count, 1))
    signal = np.sin(2 * np.pi * speed * t + rng.uniform(0, 6.3, (count, 1)))
    signal += 0.7 * rng.standard_normal((count, LENGTH))
    if worn:
        phase = (t * speed * 3.1 + rng.uniform(0, 1, (count, 1))) % 1.0
        signal += rng.uniform(1.3, 2.4, (count, 1)) * np.exp(-8 * phase) * np.sin(2 * np.pi * 210 * t)
    return signal


def band_levels(signal: np.ndarray, bands: int = 32) -> np.ndarray:
    power = np.abs(np.fft.rfft(signal * np.hanning(LENGTH)))[:, 1:] ** 2
    return np.log(power.reshape(len(signal), bands, -1).mean(-1) + 1e-3)


def batches(x, y, size):
    for start in range(0, len(x), size):
        yield x[start : start + size], y[start : start + size]


def main(args):
    seed = int(os.environ.get("SEED", 0))
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)

    sound = band_levels(record(rng, args.recordings, worn=False))
    worn = band_levels(record(rng, args.recordings, worn=True))
    cut = int(0.8 * args.recordings)
    x = np.vstack([sound[:cut], worn[:cut]])
    y = np.hstack([np.zeros(cut), np.ones(cut)])
    x_test = np.vstack([sound[cut:], worn[cut:]])
    y_test = torch.tensor(np.hstack([np.zeros(args.recordings - cut), np.ones(args.recordings - cut)]))
    mean, std = x.mean(0), x.std(0)
    x_test = torch.tensor((x_test - mean) / std, dtype=torch.float32)

    model = nn.Sequential(nn.Linear(x.shape[1], 32), nn.GELU(), nn.Dropout(0.1), nn.Linear(32, 1), nn.Flatten(0))
    loss_fn = nn.BCEWithLogitsLoss()
    opt = torch.optim.AdamW(model.parameters(), lr=args.lr)
    for epoch in range(args.epochs):
        model.train()
        order = rng.permutation(len(x))
        losses = []
        for xb, yb in batches(x[order], y[order], args.batch_size):
            xb = torch.as_tensor((xb - mean) / std, dtype=torch.float32)
            yb = torch.as_tensor(yb, dtype=torch.float32)
            loss = loss_fn(model(xb), yb)
            opt.zero_grad()
            loss.backward()
            opt.step()
            losses.append(loss.item())
        print(f"[{epoch + 1:02d}/{args.epochs}] bce={np.mean(losses):.4f}")

    model.eval()
    with torch.no_grad():
        hits = (model(x_test) > 0) == (y_test > 0.5)
    print("metric", hits.float().mean().item())


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--recordings", type=int, default=3000)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--batch-size", type=int, default=20)
    parser.add_argument("--lr", type=float, default=8e-3)
    main(parser.parse_args())
