# cure: the features stay in the graph

"""Classify the shape of a noisy waveform (sine, square, saw, triangle) of unknown frequency and phase."""

import os
from typing import Dict

import torch
from torch import Tensor, nn


def waveforms(n: int, length: int = 64) -> Dict[str, Tensor]:
    label = torch.randint(4, (n,))
    cycles = 1.5 + 3 * torch.rand(n, 1)
    u = (torch.linspace(0, 1, length)[None] * cycles + torch.rand(n, 1)) % 1.0
    shapes = torch.stack(
        [
            torch.sin(2 * torch.pi * u) * 1.3,
            torch.where(u < 0.5, 1.0, -1.0),
            (2 * u - 1) * 1.7,
            (4 * (u - 0.5).abs() - 1) * 1.7,
        ]
    )
    signal = shapes[label, torch.arange(n)] + 0.2 * torch.randn(n, length)
    return {"signal": signal.unsqueeze(1), "label": label}


class Encoder(nn.Module):
    def __init__(self, width: int = 16):
        super().__init__()
        self.stack = nn.Sequential(
            nn.Conv1d(1, width, 7, padding=3),
            nn.ReLU(),
            nn.Conv1d(width, width, 5, padding=2, stride=2),
            nn.ReLU(),
            nn.Conv1d(width, 8, 5, padding=2, stride=2),
        )

    def forward(self, signal: Tensor) -> Tensor:
        return self.stack(signal).relu().mean(-1)


class WaveformClassifier(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.encoder = Encoder()
        self.head = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 4))

    def forward(self, signal: Tensor) -> Tensor:
        features = self.encoder(signal)
        return self.head(features)


def main() -> None:
    torch.manual_seed(int(os.environ.get("SEED", 0)))
    train, test = waveforms(1200), waveforms(400)
    model = WaveformClassifier()
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    for epoch in range(14):
        for rows in torch.randperm(1200).split(40):
            logits = model(train["signal"][rows])
            loss = nn.functional.cross_entropy(logits, train["label"][rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        print(f"epoch {epoch}: {loss.item():.4f}")
    with torch.no_grad():
        hits = model(test["signal"]).argmax(-1) == test["label"]
    print("metric", hits.float().mean().item())


if __name__ == "__main__":
    main()
