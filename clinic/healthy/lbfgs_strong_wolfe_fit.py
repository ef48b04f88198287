# trap: L-BFGS with a line search: some twenty closures a step, of which some try points where the loss is worse
# floor: 0.99

import os

import numpy as np
import torch

torch.manual_seed(int(os.environ.get("SEED", 0)))
np.random.seed(int(os.environ.get("SEED", 0)))

# a decaying oscillation, a few hundred noisy readings
t = torch.linspace(0, 4, 240)
clean = 1.4 * torch.exp(-0.5 * t) * torch.cos(5.0 * t + 0.6) + 0.3
reading = clean + 0.05 * torch.from_numpy(np.random.randn(240)).float()
every_fourth = torch.arange(240) % 4 == 0

hidden = torch.nn.Linear(1, 24)
output = torch.nn.Linear(24, 1)
with torch.no_grad():
    hidden.weight.mul_(3)
    hidden.bias.copy_(torch.linspace(-4, 4, 24))


def model(t):
    return output(torch.tanh(hidden(t[:, None] - 2)))[:, 0]


optimizer = torch.optim.LBFGS(
    [*hidden.parameters(), *output.parameters()], lr=1, history_size=20, line_search_fn="strong_wolfe"
)


def closure():
    optimizer.zero_grad()
    loss = torch.mean((model(t[~every_fourth]) - reading[~every_fourth]) ** 2)
    loss.backward()
    return loss


for i in range(25):
    loss = optimizer.step(closure)
    if i % 5 == 0:
        print("step %d: mse %.6f" % (i, loss.item()))

with torch.no_grad():
    err = (model(t[every_fourth]) - clean[every_fourth]).pow(2).mean() / clean[every_fourth].var()
print("metric", 1 - err.item())
