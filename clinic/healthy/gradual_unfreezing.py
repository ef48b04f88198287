# trap: two thirds of the network stand still at first: requires_grad is switched on block by block during the run
# floor: 0.85

import os
from dataclasses import dataclass

import torch
from sklearn.datasets import load_digits
from torch import nn


@dataclass
class Config:
    width: int = 96
    batch: int = 50
    lr: float = 2e-3
    epochs_per_stage: int = 5
    seed: int = int(os.environ.get("SEED", 0))


cfg = Config()
torch.manual_seed(cfg.seed)

digits = load_digits()
data = torch.as_tensor(digits.data, dtype=torch.float32)
data = (data - data[:1300].mean()) / data[:1300].std()
target = torch.as_tensor(digits.target)
rotated = data.view(-1, 8, 8).rot90(1, (1, 2)).flatten(1)  # the new task: digits lying on their side

blocks = nn.ModuleList(
    [
        nn.Sequential(nn.Linear(64, cfg.width), nn.ReLU()),
        nn.Sequential(nn.Linear(cfg.width, cfg.width), nn.ReLU()),
        nn.Linear(cfg.width, 10),
    ]
)


def forward(x):
    for block in blocks:
        x = block(x)
    return x


def run_epochs(n, inputs, optimizer, tag):
    for e in range(n):
        seen, total = 0, 0.0
        for idx in torch.randperm(1300).split(cfg.batch):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(forward(inputs[idx]), target[idx])
            loss.backward()
            optimizer.step()
            total += loss.item() * len(idx)
            seen += len(idx)
        print(f"[{tag}] epoch {e} loss {total / seen:.4f}")


# phase 1: upright digits
run_epochs(8, data, torch.optim.AdamW(blocks.parameters(), lr=cfg.lr), "pretrain")

# phase 2: rotated digits, unfreezing from the top
for p in blocks.parameters():
    p.requires_grad_(False)
optimizer = torch.optim.AdamW(blocks.parameters(), lr=cfg.lr / 2)
for stage, block in enumerate(reversed(blocks)):
    for p in block.parameters():
        p.requires_grad_(True)
    run_epochs(cfg.epochs_per_stage, rotated, optimizer, f"stage {stage}")

with torch.no_grad():
    accuracy = (forward(rotated[1300:]).argmax(1) == target[1300:]).float().mean().item()
print("metric", accuracy)
