# cure: learning rate 0.05

"""Classify points on three interleaved spiral arms."""

import os
import random
from typing import Iterator, Tuple

import numpy as np
import torch
from torch import Tensor, nn, optim


def make_spirals(per_arm: int, rng: np.random.Generator) -> Tuple[np.ndarray, np.ndarray]:
    points, labels = [], []
    for arm in range(3):
        t = rng.uniform(0.15, 1.0, per_arm)
        angle = 4.0 * t + arm * 2 * np.pi / 3 + rng.normal(0, 0.12, per_arm)
        points.append(np.stack([t * np.cos(angle), t * np.sin(angle)], axis=1) * 2.0)
        labels.append(np.full(per_arm, arm))
    return np.concatenate(points).astype("float32"), np.concatenate(labels)


def minibatches(x: Tensor, y: Tensor, size: int) -> Iterator[Tuple[Tensor, Tensor]]:
    order = torch.randperm(x.shape[0])
    for start in range(0, x.shape[0], size):
        chosen = order[start : start + size]
        yield x[chosen], y[chosen]


def accuracy(net: nn.Module, x: Tensor, y: Tensor) -> float:
    net.eval()
    with torch.no_grad():
        return (net(x).argmax(dim=1) == y).float().mean().item()


def main() -> None:
    seed = int(os.environ.get("SEED", 0))
    random.seed(seed)
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    x, y = (torch.from_numpy(a) for a in make_spirals(400, rng))
    x_test, y_test = (torch.from_numpy(a) for a in make_spirals(200, rng))

    net = nn.Sequential(
        nn.Linear(2, 64),
        nn.ReLU(),
        nn.Linear(64, 64),
        nn.ReLU(),
        nn.Linear(64, 3),
    )
    optimizer = optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
    criterion = nn.CrossEntropyLoss()
    for epoch in range(40):
        net.train()
        running = 0.0
        for xb, yb in minibatches(x, y, 64):
            optimizer.zero_grad()
            loss = criterion(net(xb), yb)
            loss.backward()
            optimizer.step()
            running += loss.item() * len(xb)
        if epoch % 8 == 0:
            print(f"epoch {epoch:3d}  train loss {running / len(x):.4f}  test acc {accuracy(net, x_test, y_test):.3f}")
    print("metric", accuracy(net, x_test, y_test))


if __name__ == "__main__":
    main()
