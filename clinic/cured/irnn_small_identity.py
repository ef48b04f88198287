# cure: the recurrent weight starts at the identity

"""The adding problem with an IRNN (Le, Jaitly, Hinton 2015)."""

import argparse
import os

import torch
from torch import nn


class IRNN(nn.Module):
    def __init__(self, hidden, identity):
        super().__init__()
        self.cell = nn.RNNCell(2, hidden, nonlinearity="relu")
        self.linear = nn.Linear(hidden, 1)
        nn.init.normal_(self.cell.weight_ih, std=0.1)
        self.cell.weight_hh.data.copy_(identity * torch.eye(hidden))
        nn.init.zeros_(self.cell.bias_ih)
        nn.init.zeros_(self.cell.bias_hh)

    def forward(self, sequence):
        state = sequence.new_zeros(sequence.shape[0], self.cell.hidden_size)
        for t in range(sequence.shape[1]):
            state = self.cell(sequence[:, t], state)
        return self.linear(state)[:, 0]


def adding(n, length):
    """Add the two values that are marked; both lie in the first half of the sequence."""
    values = torch.rand(n, length) - 0.5
    marks = torch.zeros(n, length)
    quarter = length // 4
    first, second = torch.randint(quarter, (n,)), quarter + torch.randint(quarter, (n,))
    rows = torch.arange(n)
    marks[rows, first] = 1
    marks[rows, second] = 1
    return torch.stack([values, marks], dim=2), 2 * (values[rows, first] + values[rows, second])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--identity", type=float, default=1.0)
    parser.add_argument("--length", type=int, default=50)
    parser.add_argument("--iterations", type=int, default=400)
    options = parser.parse_args()
    torch.manual_seed(int(os.environ.get("SEED", 0)))

    model = IRNN(50, options.identity)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    for i in range(options.iterations):
        sequence, target = adding(50, options.length)
        loss = (model(sequence) - target).pow(2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if i % 100 == 0:
            print(f"iteration {i}: mse {loss.item():.4f}")

    with torch.no_grad():
        sequence, target = adding(1000, options.length)
        mse = (model(sequence) - target).pow(2).mean()
    print("metric", 1 - (mse / target.var()).item())


if __name__ == "__main__":
    main()
