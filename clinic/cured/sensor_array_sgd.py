# cure: Adam

"""Leak detection from an array of pressure sensors: some loud, some quiet, in the same unit."""

import os

import numpy as np
import torch
import torch.nn as nn


def record(rng, n):
    common = rng.normal(size=(n, 1))
    loud = 1.5 * common + 0.3 * rng.normal(size=(n, 8))
    quiet = 0.1 * rng.normal(size=(n, 4))
    leak = 10 * quiet @ np.array([1.0, -1.0, 1.0, 1.0]) + 0.3 * common[:, 0]
    label = leak + 0.2 * rng.normal(size=n) > 0
    return np.hstack([loud, quiet]).astype(np.float32), label.astype(np.int64)


def main():
    seed = int(os.environ.get("SEED", 0))
    rng = np.random.default_rng(seed)
    torch.manual_seed(seed)
    x, y = map(torch.from_numpy, record(rng, 2000))
    x_test, y_test = map(torch.from_numpy, record(rng, 1000))

    model = nn.Sequential(nn.Linear(12, 16), nn.Tanh(), nn.Linear(16, 2))
    loss_function = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    for epoch in range(15):
        order = torch.randperm(2000)
        for start in range(0, 2000, 40):
            index = order[start : start + 40]
            optimizer.zero_grad()
            loss = loss_function(model(x[index]), y[index])
            loss.backward()
            optimizer.step()
        if epoch % 3 == 0:
            print("epoch", epoch, "loss", round(loss.item(), 4))
    with torch.no_grad():
        accuracy = (model(x_test).argmax(1) == y_test).float().mean().item()
    print("metric", accuracy)


if __name__ == "__main__":
    main()
