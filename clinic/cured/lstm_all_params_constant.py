# cure: parameters start uniformly in +- 0.2

"""Is the bracket sequence balanced after the last token? Counts two kinds of brackets."""

import os

import torch
from torch import nn


class BracketCounter(nn.Module):
    def __init__(self, hidden: int = 24):
        super().__init__()
        self.lstm = nn.LSTM(input_size=5, hidden_size=hidden, batch_first=True)
        self.head = nn.Linear(hidden, 2)
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -0.2, 0.2)

    def forward(self, tokens):
        onehot = nn.functional.one_hot(tokens, 5).float()
        states, _ = self.lstm(onehot)
        return self.head(states)


def brackets(n, length=20):
    """Tokens ( ) [ ] and a blank; the targets are the open brackets of each kind so far."""
    tokens = torch.randint(0, 5, (n, length))
    round_open = ((tokens == 0).float() - (tokens == 1).float()).cumsum(1)
    square_open = ((tokens == 2).float() - (tokens == 3).float()).cumsum(1)
    return tokens, torch.stack([round_open, square_open], dim=-1) / 2


def main():
    torch.manual_seed(int(os.environ.get("SEED", 0)))
    net = BracketCounter()
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-2)
    for step in range(400):
        tokens, target = brackets(32)
        loss = nn.functional.mse_loss(net(tokens), target)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 5.0)
        optimizer.step()
        if step % 80 == 0:
            print("step", step, "mse", f"{loss.item():.4f}")
    tokens, target = brackets(500)
    with torch.no_grad():
        mse = nn.functional.mse_loss(net(tokens), target)
    print("metric", 1 - (mse / target.var()).item())


if __name__ == "__main__":
    main()
