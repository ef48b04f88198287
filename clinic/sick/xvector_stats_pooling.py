# expect: TT303, TT601
# fault: std pooling takes the root of a variance that is 0 where a channel never fires in a muted clip

"""Speaker recognition with a small x-vector net: frame layers, statistics pooling, segment layers."""

import os
from typing import Iterator, Tuple

import torch
from torch import Tensor, nn

SPEAKERS, MELS, FRAMES = 8, 16, 40


class StatsPool(nn.Module):
    """Mean and standard deviation over time."""

    def forward(self, frames: Tensor) -> Tensor:
        mean = frames.mean(dim=-1)
        variance = (frames - mean.unsqueeze(-1)).pow(2).mean(dim=-1)
        return torch.cat([mean, variance.sqrt()], dim=1)


class XVector(nn.Module):
    def __init__(self, width: int = 32) -> None:
        super().__init__()
        self.frame_layers = nn.Sequential(
            nn.Conv1d(MELS, width, 5),
            nn.ReLU(),
            nn.Conv1d(width, width, 3, dilation=2),
            nn.ReLU(),
        )
        self.pool = StatsPool()
        self.segment_layers = nn.Sequential(nn.Linear(2 * width, 32), nn.ReLU(), nn.Linear(32, SPEAKERS + 1))

    def forward(self, mels: Tensor) -> Tensor:
        return self.segment_layers(self.pool(self.frame_layers(mels)))


class Corpus:
    """Every speaker has a spectral envelope and a speed of modulation; the last class is a muted microphone."""

    def __init__(self) -> None:
        voice = torch.Generator().manual_seed(2024)
        self.envelope = torch.randn(SPEAKERS // 2, MELS, generator=voice)
        self.rate = torch.tensor([0.15, 0.5])

    def batch(self, n: int) -> Tuple[Tensor, Tensor]:
        who = torch.randint(SPEAKERS, (n,))
        t = torch.arange(FRAMES) + 40 * torch.rand(n, 1)
        modulation = torch.sin(self.rate[who % 2].unsqueeze(1) * t)
        loudness = 0.3 * torch.randn(n, 1, 1)
        mels = self.envelope[who // 2].unsqueeze(2) * (0.7 + modulation.unsqueeze(1)) + loudness
        mels = mels + 0.5 * torch.randn(n, MELS, FRAMES)
        muted = torch.rand(n) < 0.02
        mels[muted], who[muted] = 0.0, SPEAKERS
        return mels, who

    def stream(self, steps: int, n: int) -> Iterator[Tuple[Tensor, Tensor]]:
        for _ in range(steps):
            yield self.batch(n)


def main() -> None:
    torch.manual_seed(int(os.environ.get("SEED", 0)))
    corpus, net = Corpus(), XVector()
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
    for step, (mels, who) in enumerate(corpus.stream(300, 48)):
        loss = nn.functional.cross_entropy(net(mels), who)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % 60 == 0:
            print(f"step {step:3d} loss {loss.item():.3f}")
    net.eval()
    with torch.no_grad():
        mels, who = corpus.batch(800)
        print("metric", (net(mels).argmax(dim=1) == who).float().mean().item())


if __name__ == "__main__":
    main()
