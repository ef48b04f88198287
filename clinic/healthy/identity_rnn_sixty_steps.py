# trap: a plain ReLU recurrence over sixty steps, whose matrix starts as the identity
# floor: 0.85

"""A recurrent net with identity initialisation (Le, Jaitly, Hinton) on a comparison over long gaps."""

import os

import torch
import torch.nn as nn

torch.manual_seed(int(os.environ.get("SEED", 0)))
T = 60


def toy(n):
    """Which of the two marked steps carried the larger value? Marks lie anywhere in the sequence."""
    values = torch.rand(n, T) * 2 - 1
    marks = torch.zeros(n, T)
    first = torch.randint(0, T // 2, (n,))
    second = torch.randint(T // 2, T, (n,))
    rows = torch.arange(n)
    marks[rows, first] = 1.0
    marks[rows, second] = -1.0
    gap = values[rows, first] - values[rows, second]
    return torch.stack((values * marks.abs(), marks), -1), (gap > 0).float()


class IRNN(nn.Module):
    def __init__(self, size=32):
        super().__init__()
        self.rnn = nn.RNN(2, size, nonlinearity="relu", batch_first=True)
        self.readout = nn.Linear(size, 1)
        with torch.no_grad():
            self.rnn.weight_hh_l0.copy_(torch.eye(size))
            self.rnn.weight_ih_l0.normal_(0, 0.3)
            self.rnn.bias_hh_l0.zero_()
            self.rnn.bias_ih_l0.zero_()

    def forward(self, x):
        out, _ = self.rnn(x)
        return self.readout(out[:, -1]).squeeze(1)


net = IRNN()
opt = torch.optim.Adam(net.parameters(), lr=1e-3)
bce = nn.BCEWithLogitsLoss()
for step in range(500):
    x, y = toy(64)
    loss = bce(net(x), y)
    opt.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(net.parameters(), 1.0)
    opt.step()
    if step % 50 == 0:
        print(f"{step} {loss.item():.4f}")

with torch.no_grad():
    x, y = toy(2000)
    print("metric", ((net(x) > 0) == y.bool()).float().mean().item())
