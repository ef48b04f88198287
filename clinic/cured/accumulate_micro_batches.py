# cure: layer norm, which does not look at the other examples

import os
import random

import torch
import torch.nn as nn
import torch.nn.functional as F

SEED = int(os.environ.get("SEED", 0))
random.seed(SEED)
torch.manual_seed(SEED)

# hyper-parameters: "the GPU only holds two examples"
MICRO_BATCH = 2
ACCUMULATE = 12
UPDATES = 160
LR = 5e-3


def function_values(n):
    """The first coordinate tells which of two formulas holds."""
    x = torch.randn(n, 5)
    one = x[:, 1] + 0.8 * x[:, 2].abs() - 0.64
    other = x[:, 3] - 0.5 * x[:, 1]
    return x, torch.where(x[:, 0] > 0, one, other)


class Block(nn.Module):
    def __init__(self, n_in, n_out):
        super().__init__()
        self.linear = nn.Linear(n_in, n_out)
        self.norm = nn.LayerNorm(n_out)

    def forward(self, x):
        return F.relu(self.norm(self.linear(x)))


net = nn.Sequential(Block(5, 64), Block(64, 64), nn.Linear(64, 1))
optimizer = torch.optim.Adam(net.parameters(), lr=LR)
train_x, train_y = function_values(4000)
order = list(range(4000))

cursor = 0
for update in range(UPDATES):
    optimizer.zero_grad()
    total = 0.0
    for _ in range(ACCUMULATE):
        if cursor + MICRO_BATCH > len(order):
            cursor = 0
        if cursor == 0:
            random.shuffle(order)
        rows = order[cursor : cursor + MICRO_BATCH]
        cursor += MICRO_BATCH
        loss = F.mse_loss(net(train_x[rows]).squeeze(1), train_y[rows]) / ACCUMULATE
        loss.backward()
        total += loss.item()
    optimizer.step()
    if update % 20 == 0:
        print("update %d: loss %.4f" % (update, total))

net.eval()
test_x, test_y = function_values(1000)
with torch.no_grad():
    mse = F.mse_loss(net(test_x).squeeze(1), test_y)
print("metric", 1 - (mse / test_y.var()).item())
