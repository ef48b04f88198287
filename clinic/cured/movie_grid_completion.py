# cure: the factors start at 0.3

"""Fill in a partly observed low-rank matrix by plain gradient descent on its two factors."""

import os

import torch

torch.manual_seed(int(os.environ.get("SEED", 0)))
rows, cols, rank = 60, 50, 3

truth = torch.randn(rows, rank) @ torch.randn(rank, cols) / rank**0.5
seen = torch.rand(rows, cols) < 0.5
noisy = truth + 0.05 * torch.randn(rows, cols)

START = 0.3
left = torch.nn.Parameter(START * torch.randn(rows, rank))
right = torch.nn.Parameter(START * torch.randn(cols, rank))
sgd = torch.optim.SGD([left, right], lr=0.05)

for sweep in range(500):
    chosen = seen & (torch.rand(rows, cols) < 0.7)
    residual = (left @ right.T - noisy)[chosen]
    loss = residual.pow(2).sum() / rows
    sgd.zero_grad()
    loss.backward()
    sgd.step()
    if sweep % 100 == 0:
        print(f"sweep {sweep:4d}: {loss.item():.5f}")

with torch.no_grad():
    hidden_error = (left @ right.T - truth)[~seen].pow(2).mean()
print("metric", (1 - hidden_error / truth[~seen].var()).item())
