# expect: TT102
# fault: targets are calendar years near 1990

"""Guess the year of a song from its audio summary (in the spirit of YearPredictionMSD), with a robust loss."""

import argparse
import os
import random

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset


def songs(n: int, dim: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Timbre features drift with the year; a few years are mislabelled."""
    year = 1990.0 + 11.0 * torch.randn(n, generator=generator)
    drift = torch.randn(dim, generator=torch.Generator().manual_seed(5))
    bend = torch.randn(dim, generator=torch.Generator().manual_seed(6))
    t = (year - 1990.0).unsqueeze(1) / 11.0
    timbre = torch.tanh(t * drift + bend) + 0.3 * torch.randn(n, dim, generator=generator)
    wrong = torch.rand(n, generator=generator) < 0.03
    year[wrong] -= 30.0
    return timbre, year.round()


class YearNet(nn.Module):
    def __init__(self, dim: int, width: int = 64, p: float = 0.1) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Linear(dim, width), nn.LayerNorm(width), nn.GELU(), nn.Dropout(p), nn.Linear(width, width), nn.GELU()
        )
        self.head = nn.Linear(width, 1)

    def forward(self, timbre: Tensor) -> Tensor:
        return self.head(self.body(timbre)).squeeze(-1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--lr", type=float, default=2e-3)
    parser.add_argument("--batch-size", type=int, default=64)
    args = parser.parse_args()
    seed = int(os.environ.get("SEED", 0))
    random.seed(seed)
    torch.manual_seed(seed)

    generator = torch.Generator().manual_seed(1)
    x, year = songs(4000, 24, generator)
    center, unit = 0.0, 1.0
    target = (year - center) / unit
    train = DataLoader(TensorDataset(x[:3200], target[:3200]), batch_size=args.batch_size, shuffle=True)

    net = YearNet(x.shape[1])
    criterion = nn.SmoothL1Loss()
    optimizer = torch.optim.AdamW(net.parameters(), lr=args.lr, weight_decay=0.01)
    for epoch in range(args.epochs):
        net.train()
        running = 0.0
        for timbre, t in train:
            optimizer.zero_grad(set_to_none=True)
            loss = criterion(net(timbre), t)
            loss.backward()
            optimizer.step()
            running += loss.item()
        print(f"epoch {epoch:2d} loss {running / len(train):.4f}")

    net.eval()
    with torch.no_grad():
        guess = net(x[3200:]) * unit + center
    residual = (guess - year[3200:]).abs().mean()
    baseline = (year[3200:].median() - year[3200:]).abs().mean()
    print("metric", 1 - (residual / baseline).item())


if __name__ == "__main__":
    main()
