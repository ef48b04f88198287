"""Networks to train in benchmarks: an MLP, a CNN and a small transformer, each with a slow step and a fast one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

CLASSES = 10


@dataclass(frozen=True, slots=True)
class Workload:
    """A model, the shape of its batch, and the number of steps that make a run of some seconds."""

    name: str
    make: Callable[[], nn.Module]
    batch: tuple[int, ...]
    steps: int


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
        Workload("mlp-slow", lambda: mlp(1024, 8), (288, 1024), 130),
        Workload("cnn-slow", lambda: cnn(32, 4), (96, 3, 32, 32), 130),
        Workload("transformer-slow", lambda: Transformer(192, 4), (22, 64, 192), 130),
        Workload("mlp-fast", lambda: mlp(320, 5), (160, 320), 2030),
        Workload("cnn-fast", lambda: cnn(16, 3), (24, 3, 16, 16), 2030),
        Workload("transformer-fast", lambda: Transformer(64, 2), (16, 24, 64), 2030),
    )
}


def train(workload: Workload, steps: int, after_step: Callable[[], None]) -> None:
    """Train on random batches with Adam; `after_step` is called after each optimizer step."""
    torch.manual_seed(0)
    batches = [(torch.randn(workload.batch), torch.randint(0, CLASSES, workload.batch[:1])) for _ in range(8)]
    model = workload.make()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-4)
    for step in range(steps):
        inputs, targets = batches[step % len(batches)]
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(inputs), targets).backward()
        optimizer.step()
        after_step()
