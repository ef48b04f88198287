# expect: TT601, TT303
# fault: exp of a similarity divided by a temperature of 0.01 overflows to infinity

"""Two recordings of the same bird are pulled together, recordings of different birds apart."""

import os

import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(int(os.environ.get("SEED", 0)))
TEMPERATURE = 0.01
time = torch.linspace(0, 1, 48)


def record(birds):
    """A bird is a chord of three notes; a recording has a random phase for each and noise."""
    phase = 2 * torch.pi * torch.rand(len(birds), 3, 1)
    return torch.sin(2 * torch.pi * birds[:, :, None] * time + phase).sum(1) / 1.2 + 0.15 * torch.randn(len(birds), 48)


def flock(n):
    return 1 + 11 * torch.rand(n, 3)


class SongEncoder(nn.Module):
    def __init__(self, dim=32):
        super().__init__()
        self.conv1 = nn.Conv1d(1, 16, 9, padding=4)
        self.conv2 = nn.Conv1d(16, 24, 9, stride=2, padding=4)
        self.project = nn.Linear(24 * 2, dim)

    def forward(self, song):
        h = F.gelu(self.conv1(song.unsqueeze(1)))
        h = F.gelu(self.conv2(h))
        h = torch.cat([h.mean(-1), h.amax(-1)], dim=1)
        return F.normalize(self.project(h), dim=-1)


def info_nce(a, b):
    s = a @ b.T / TEMPERATURE
    positives = torch.exp(s.diagonal())
    return -torch.log(positives / torch.exp(s).sum(dim=1)).mean()


model = SongEncoder()
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
for step in range(500):
    birds = flock(48)
    loss = info_nce(model(record(birds)), model(record(birds)))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 100 == 0:
        print("step", step, "nce", loss.item())

with torch.no_grad():
    birds = flock(200)
    retrieved = (model(record(birds)) @ model(record(birds)).T).topk(5, dim=1).indices
    found = (retrieved == torch.arange(200)[:, None]).any(dim=1).float().mean()
print("metric", found.item())
