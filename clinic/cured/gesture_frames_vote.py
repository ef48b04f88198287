# cure: the logarithm of the averaged probabilities and nll_loss

"""Recognise one of twenty hand gestures from the path of the fingertip; every frame has a vote."""

from __future__ import annotations

import os

import torch
import torch.nn.functional as F
from torch import Tensor, nn

CLASSES, FRAMES, CHANNELS = 20, 24, 4


class Gestures:
    """Each class is a smooth path; examples are warped in time, scaled, and trembling."""

    def __init__(self, generator: torch.Generator) -> None:
        self.waves = torch.randn(CLASSES, CHANNELS, 3, generator=generator)
        self.phases = torch.rand(CLASSES, CHANNELS, 3, generator=generator) * 6.28

    def draw(self, n: int) -> tuple[Tensor, Tensor]:
        label = torch.randint(0, CLASSES, (n,))
        pace = 0.85 + 0.3 * torch.rand(n, 1)
        t = pace * torch.linspace(0, 1, FRAMES) + 0.1 * torch.rand(n, 1)
        angle = 6.28 * t[:, None, :, None] * torch.tensor([0.5, 1.0, 1.5]) + self.phases[label][:, :, None, :]
        path = (self.waves[label][:, :, None, :] * angle.sin()).sum(-1)
        path = (0.8 + 0.4 * torch.rand(n, 1, 1)) * path + 0.8 * torch.randn(n, CHANNELS, FRAMES)
        return path.transpose(1, 2) / 1.4, label


class FrameVoter(nn.Module):
    def __init__(self, hidden: int = 48) -> None:
        super().__init__()
        self.encoder = nn.GRU(CHANNELS, hidden, batch_first=True, bidirectional=True)
        self.frame_scores = nn.Linear(2 * hidden, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        states, _ = self.encoder(x)
        votes = self.frame_scores(states).softmax(-1)
        return votes.mean(dim=1)


class Trainer:
    def __init__(self, model: nn.Module, data: Gestures, lr: float = 0.1) -> None:
        self.model, self.data = model, data
        self.optimizer = torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9)

    def loss(self, x: Tensor, label: Tensor) -> Tensor:
        votes = self.model(x)
        return F.nll_loss(votes.clamp_min(1e-9).log(), label)

    def run(self, steps: int, batch: int = 32) -> None:
        self.model.train()
        for step in range(1, steps + 1):
            loss = self.loss(*self.data.draw(batch))
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            if step % 50 == 0:
                print(f"{step:>5} {loss.item():.4f}")

    @torch.no_grad()
    def test(self, n: int = 1000) -> float:
        self.model.eval()
        x, label = self.data.draw(n)
        return (self.model(x).argmax(-1) == label).double().mean().item()


if __name__ == "__main__":
    torch.manual_seed(int(os.environ.get("SEED", 0)))
    gestures = Gestures(torch.Generator().manual_seed(11))
    trainer = Trainer(FrameVoter(), gestures)
    trainer.run(250)
    print("metric", trainer.test())
