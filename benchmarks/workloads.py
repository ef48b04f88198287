"""Networks to train in benchmarks: an MLP, a CNN and a small transformer, each with a slow step and a fast one."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

CLASSES = 10


@dataclass(frozen=True, slots=True)
class Workload:
    """A model, the shape of its batch, the steps of a run, and those of a block of about a quarter of a second."""

    name: str
    make: Callable[[], nn.Module]
    batch: tuple[int, ...]
    steps: int
    block: int


def mlp(width: int, depth: int) -> nn.Module:
    """Linear layers with ReLU between them."""
    layers: list[nn.Module] = []
    for _ in range(depth):
        layers += [nn.Linear(width, width), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers, nn.Linear(width, CLASSES))


def cnn(channels: int, blocks: int) -> nn.Module:
    """Convolutions with batch norm and ReLU at constant width, pooled at the end."""
    layers: list[nn.Module] = [nn.Conv2d(3, channels, 3, padding=1)]
    for _ in range(blocks):
        layers += [nn.BatchNorm2d(channels), nn.ReLU(), nn.Conv2d(channels, channels, 3, padding=1)]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, CLASSES))


class Transformer(nn.Module):
    """Pre-norm encoder blocks without dropout; the mean over the sequence is classified."""

    def __init__(self, width: int, blocks: int) -> None:
        super().__init__()
        block = nn.TransformerEncoderLayer(width, 4, 4 * width, dropout=0.0, batch_first=True, norm_first=True)
        self.encoder = nn.TransformerEncoder(block, blocks, enable_nested_tensor=False)
        self.head = nn.Linear(width, CLASSES)

    def forward(self, tokens: Tensor) -> Tensor:
        """Logits [B, CLASSES] of tokens [B, T, width]."""
        return self.head(self.encoder(tokens).mean(1))


WORKLOADS = {
    workload.name: workload
    for workload in (
        Workload("mlp-slow", lambda: mlp(1024, 8), (288, 1024), 60, 3),
        Workload("cnn-slow", lambda: cnn(32, 4), (96, 3, 32, 32), 60, 3),
        Workload("transformer-slow", lambda: Transformer(192, 4), (22, 64, 192), 60, 3),
        Workload("mlp-fast", lambda: mlp(320, 5), (160, 320), 1500, 60),
        Workload("cnn-fast", lambda: cnn(16, 3), (24, 3, 16, 16), 1500, 60),
        Workload("transformer-fast", lambda: Transformer(64, 2), (16, 24, 64), 1500, 60),
    )
}


class Training:
    """A workload that trains on random batches with Adam for as long as it is asked to."""

    def __init__(self, workload: Workload) -> None:
        torch.manual_seed(0)
        self._batches = [(torch.randn(workload.batch), torch.randint(0, CLASSES, workload.batch[:1])) for _ in range(8)]
        self._model = workload.make()
        self._optimizer = torch.optim.Adam(self._model.parameters(), lr=1e-4)

    def seconds(self, steps: int) -> float:
        """Train so many steps; returns the wall time that they took."""
        began = time.perf_counter()
        for step in range(steps):
            inputs, targets = self._batches[step % len(self._batches)]
            self._optimizer.zero_grad()
            nn.functional.cross_entropy(self._model(inputs), targets).backward()
            self._optimizer.step()
        return time.perf_counter() - began
