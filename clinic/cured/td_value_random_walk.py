# cure: values are flattened before the comparison

"""Fitted value iteration with a target network for a walker on a ring road with a toll gate."""

import copy
import os

import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(int(os.environ.get("SEED", 0)))
PLACES, GAMMA = 16, 0.8
TOLL = torch.cos(2 * torch.pi * torch.arange(PLACES) / PLACES) + 0.5 * torch.sin(
    6 * torch.pi * torch.arange(PLACES) / PLACES
)


def walk(place):
    """Drift forward by one or two places, sometimes stay."""
    move = torch.multinomial(torch.tensor([0.2, 0.5, 0.3]), len(place), replacement=True)
    arrived = (place + move) % PLACES
    return TOLL[place], arrived


def exact_values():
    matrix = torch.zeros(PLACES, PLACES)
    for move, p in enumerate((0.2, 0.5, 0.3)):
        matrix[torch.arange(PLACES), (torch.arange(PLACES) + move) % PLACES] += p
    return torch.linalg.solve(torch.eye(PLACES) - GAMMA * matrix, TOLL)


class ValueNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(PLACES, 8)
        self.mlp = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 1))

    def forward(self, place):
        return self.mlp(self.embed(place))


value = ValueNet()
target_value = copy.deepcopy(value)
optimizer = torch.optim.Adam(value.parameters(), lr=3e-3)
for step in range(900):
    place = torch.randint(PLACES, (64,))
    reward, arrived = walk(place)
    with torch.no_grad():
        returns = reward + GAMMA * target_value(arrived).squeeze(1)
    loss = F.smooth_l1_loss(value(place).squeeze(1), returns)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 20 == 0:
        target_value.load_state_dict(value.state_dict())
    if step % 150 == 0:
        print("step", step, "td loss", loss.item())

with torch.no_grad():
    truth = exact_values()
    learned = value(torch.arange(PLACES)).squeeze(1)
print("metric", 1 - ((learned - truth).square().mean() / truth.var()).item())
