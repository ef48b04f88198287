# trap: four hidden units in five are at zero on any input, as place fields should be; each unit still fires somewhere
# floor: 0.95

"""Regression of a landscape over 2-d positions from bump-like ReLU units with learned centres and radii."""

import math
import os

import torch
import torch.nn.functional as F
from torch import Tensor, nn, optim

torch.manual_seed(int(os.environ.get("SEED", 0)))


class PlaceCells(nn.Module):
    def __init__(self, n_cells: int, radius: float) -> None:
        super().__init__()
        side = int(math.sqrt(n_cells))
        axis = torch.linspace(-1, 1, side)
        grid = torch.cartesian_prod(axis, axis)
        self.centre = nn.Parameter(grid + 0.05 * torch.randn_like(grid))
        self.log_radius = nn.Parameter(torch.full((side * side,), math.log(radius)))

    def forward(self, position: Tensor) -> Tensor:
        squared = (position[:, None, :] - self.centre).pow(2).sum(-1)
        return F.relu(1 - squared / (2 * self.log_radius).exp())


def landscape(p: Tensor) -> Tensor:
    x, y = p.unbind(-1)
    return torch.sin(4 * x) * torch.cos(3 * y) + 0.5 * torch.cos(7 * (x + y))


cells, readout = PlaceCells(100, 0.45), nn.Linear(100, 1)
optimizer = optim.Adam([{"params": cells.parameters(), "lr": 3e-3}, {"params": readout.parameters(), "lr": 1e-2}])
positions = 2 * torch.rand(3000, 2) - 1
heights = landscape(positions)

for epoch in range(16):
    total = 0.0
    for idx in torch.randperm(3000).split(100):
        response = cells(positions[idx])
        loss = F.mse_loss(readout(response).squeeze(-1), heights[idx])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() / 30
    print(f"epoch {epoch:2d} mse {total:.5f} silent {(response == 0).float().mean().item():.2f}")

with torch.no_grad():
    test = 2 * torch.rand(2000, 2) - 1
    truth = landscape(test)
    error = F.mse_loss(readout(cells(test)).squeeze(-1), truth)
    print("metric", 1 - (error / truth.var()).item())
