# trap: five backward calls between zero_grad and step, so that a gradient grows over several backwards by intent
# floor: 0.95

"""Emulate batches of 40 with micro-batches of 8."""

import math
import os
from typing import Iterator

import torch
from torch import Tensor, nn


def make_spirals(n: int) -> tuple[Tensor, Tensor]:
    label = torch.randint(0, 3, (n,))
    r = torch.rand(n).sqrt()
    theta = 3.5 * r + label * (2 * math.pi / 3) + 0.15 * torch.randn(n)
    return torch.stack((r * theta.cos(), r * theta.sin()), 1) * 1.5, label


class Trainer:
    def __init__(self, model: nn.Module, lr: float, accumulation: int) -> None:
        self.model = model
        self.accumulation = accumulation
        self.optimizer = torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9, nesterov=True)
        self.criterion = nn.CrossEntropyLoss()
        self.updates = 0

    def micro_batches(self, x: Tensor, y: Tensor, size: int) -> Iterator[tuple[Tensor, Tensor]]:
        order = torch.randperm(len(x))
        for k in range(0, len(x), size):
            yield x[order[k : k + size]], y[order[k : k + size]]

    def fit(self, x: Tensor, y: Tensor, epochs: int) -> None:
        self.model.train()
        for epoch in range(epochs):
            running = 0.0
            self.optimizer.zero_grad()
            for i, (xb, yb) in enumerate(self.micro_batches(x, y, 8)):
                loss = self.criterion(self.model(xb), yb)
                (loss / self.accumulation).backward()
                running += loss.item()
                if (i + 1) % self.accumulation == 0:
                    self.optimizer.step()
                    self.optimizer.zero_grad()
                    self.updates += 1
            if epoch % 4 == 0:
                print(f"epoch {epoch:2d} updates {self.updates:4d} loss {running / (i + 1):.4f}")

    @torch.no_grad()
    def accuracy(self, x: Tensor, y: Tensor) -> float:
        self.model.eval()
        return (self.model(x).argmax(1) == y).float().mean().item()


def main() -> None:
    torch.manual_seed(int(os.environ.get("SEED", 0)))
    x, y = make_spirals(1000)
    x_test, y_test = make_spirals(1000)
    model = nn.Sequential(nn.Linear(2, 64), nn.SiLU(), nn.Linear(64, 64), nn.SiLU(), nn.Linear(64, 3))
    trainer = Trainer(model, lr=0.1, accumulation=5)
    trainer.fit(x, y, epochs=32)
    print("metric", trainer.accuracy(x_test, y_test))


if __name__ == "__main__":
    main()
