# expect: TT213, TT201, TT302
# accept: TT401, TT602
# fault: forty residual branches are added at full strength, so the sum doubles again and again

"""Invert the map of a double pendulum with a very deep residual MLP."""

import os
from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass
class Hyper:
    depth: int = 40
    width: int = 32
    lr: float = 1e-2
    batch: int = 64
    steps: int = 200


class ResidualBlock(nn.Module):
    def __init__(self, width: int):
        super().__init__()
        self.expand = nn.Linear(width, width)
        self.contract = nn.Linear(width, width, bias=False)
        nn.init.kaiming_normal_(self.expand.weight, nonlinearity="relu")
        nn.init.kaiming_normal_(self.contract.weight, nonlinearity="linear")

    def branch(self, x: Tensor) -> Tensor:
        return self.contract(torch.relu(self.expand(x)))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.branch(x)


class DeepResMLP(nn.Module):
    def __init__(self, n_in: int, n_out: int, hp: Hyper):
        super().__init__()
        self.lift = nn.Linear(n_in, hp.width)
        self.blocks = nn.Sequential(*[ResidualBlock(hp.width) for _ in range(hp.depth)])
        self.drop_down = nn.Linear(hp.width, n_out)

    def forward(self, x: Tensor) -> Tensor:
        return self.drop_down(self.blocks(self.lift(x)))


def pendulum(n: int) -> tuple[Tensor, Tensor]:
    angles = (torch.rand(n, 2) * 2 - 1) * 1.4
    a, b = angles[:, 0], angles[:, 0] + angles[:, 1]
    place = torch.stack([a.sin(), -a.cos(), a.sin() + b.sin(), -a.cos() - b.cos()], dim=1)
    return place + 0.01 * torch.randn_like(place), angles / 0.81


if __name__ == "__main__":
    torch.manual_seed(int(os.environ.get("SEED", 0)))
    hp = Hyper()
    model = DeepResMLP(4, 2, hp)
    optimizer = torch.optim.SGD(model.parameters(), lr=hp.lr, momentum=0.9)
    for step in range(1, hp.steps + 1):
        place, angles = pendulum(hp.batch)
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(place), angles)
        loss.backward()
        optimizer.step()
        if step % 40 == 0:
            print(f"step {step}  mse {loss.item():.5g}")
    with torch.no_grad():
        place, angles = pendulum(1000)
        print("metric", -nn.functional.mse_loss(model(place), angles).item())
