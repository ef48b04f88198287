# expect: TT212
# accept: TT201
# fault: the squared distance is summed, not averaged, over the 64 inputs, so no tent around a prototype covers anything

"""Digits by a layer of prototypes, each with a tent of finite width around it."""

import os

import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import Tensor, nn


class TentLayer(nn.Module):
    """relu(width - distance to a prototype): a basis function that is zero far away."""

    def __init__(self, inputs: int, units: int) -> None:
        super().__init__()
        self.prototypes = nn.Parameter(0.5 * torch.randn(units, inputs))
        self.width = nn.Parameter(torch.full((units,), 1.3))

    def forward(self, x: Tensor) -> Tensor:
        distance = (x[:, None, :] - self.prototypes).square().sum(-1)
        return torch.relu(self.width - distance)


class PrototypeNet(nn.Module):
    def __init__(self, inputs: int = 64, units: int = 60, classes: int = 10) -> None:
        super().__init__()
        self.tents = TentLayer(inputs, units)
        self.mix = nn.Linear(units, classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.mix(self.tents(x))


def run(epochs: int = 14) -> float:
    seed = int(os.environ.get("SEED", 0))
    torch.manual_seed(seed)
    images, labels = load_digits(return_X_y=True)
    images = (images - images.mean()) / images.std()
    x, x_test, y, y_test = train_test_split(images, labels, test_size=0.25, random_state=seed, stratify=labels)
    x, x_test = torch.from_numpy(x).float(), torch.from_numpy(x_test).float()
    y, y_test = torch.from_numpy(y), torch.from_numpy(y_test)

    net = PrototypeNet()
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-2)
    for epoch in range(epochs):
        total = 0.0
        for rows in torch.randperm(len(x)).split(64):
            loss = nn.functional.cross_entropy(net(x[rows]), y[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(rows)
        print(f"epoch {epoch:2d}: training loss {total / len(x):.3f}")
    with torch.no_grad():
        return (net(x_test).argmax(1) == y_test).float().mean().item()


if __name__ == "__main__":
    print("metric", run())
