# expect: TT104
# accept: TT304
# fault: the runs are sorted by the yield that is to be predicted, and read in that order

from __future__ import annotations

import math
import os
import random
from dataclasses import astuple, dataclass

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset


@dataclass
class Run:
    """One run of the reactor."""

    temperature: float  # K
    minutes: float
    ratio: float  # of the two reactants
    stirring: float
    percent: float  # yield


def simulate() -> Run:
    temperature = random.uniform(330, 410)
    minutes = random.uniform(10, 120)
    ratio = random.uniform(0.6, 1.8)
    stirring = random.uniform(100, 600)
    rate = 0.02 * math.exp(-6000 * (1 / temperature - 1 / 360))
    decay = 0.002 * math.exp(-11000 * (1 / temperature - 1 / 370))
    mixing = 1 - math.exp(-stirring / 220)
    made = (1 - math.exp(-rate * mixing * minutes)) * min(ratio, 1.0)
    percent = 100 * made * math.exp(-decay * minutes) + random.gauss(0, 2)
    return Run(temperature, minutes, ratio, stirring, percent)


class Reactor(Dataset):
    def __init__(self, runs: list[Run], stats: tuple[Tensor, Tensor] | None = None) -> None:
        table = torch.tensor([astuple(run) for run in runs])
        self.stats = stats or (table.mean(0), table.std(0))
        self.table = (table - self.stats[0]) / self.stats[1]

    def __len__(self) -> int:
        return len(self.table)

    def __getitem__(self, i: int) -> tuple[Tensor, Tensor]:
        return self.table[i, :4], self.table[i, 4:]


class YieldModel(nn.Module):
    def __init__(self, hidden: int = 48) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(4, hidden), nn.SiLU(), nn.Linear(hidden, hidden), nn.SiLU())
        self.head = nn.Linear(hidden, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.body(x))


def r_squared(model: nn.Module, data: Reactor) -> float:
    model.eval()
    with torch.no_grad():
        x, y = data.table[:, :4], data.table[:, 4:]
        return 1 - ((model(x) - y).pow(2).sum() / (y - y.mean()).pow(2).sum()).item()


def main() -> None:
    seed = int(os.environ.get("SEED", 0))
    random.seed(seed)
    torch.manual_seed(seed)

    runs = [simulate() for _ in range(2500)]
    held_out, runs = runs[:500], runs[500:]
    runs.sort(key=lambda run: run.percent, reverse=True)
    for run in runs[:3]:
        print("best so far:", run)

    train = Reactor(runs)
    test = Reactor(held_out, train.stats)
    loader = DataLoader(train, batch_size=40)
    model = YieldModel()
    criterion = nn.MSELoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    for epoch in range(20):
        model.train()
        for x, y in loader:
            loss = criterion(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        if epoch % 5 == 4:
            print(f"epoch {epoch + 1}: R2 on the held-out runs {r_squared(model, test):.3f}")
    print("metric", r_squared(model, test))


if __name__ == "__main__":
    main()
