# cure: forget gates start open and input gates shut, as the paper has it

"""Which of eight symbols was flagged near the start of a long stream?  LSTM with the chrono initialisation
of Tallec and Ollivier (2018): gate biases are drawn so that memories last for up to the length of the stream."""

import os
from typing import NamedTuple

import torch
from torch import Tensor, nn


class Config(NamedTuple):
    length: int = 40
    symbols: int = 8
    hidden: int = 48
    batch: int = 64
    steps: int = 350
    lr: float = 1e-2


def stream(cfg: Config, n: int) -> tuple[Tensor, Tensor]:
    """One-hot symbols and a flag, which is raised once in the first five steps."""
    symbols = torch.randint(0, cfg.symbols, (n, cfg.length))
    at = torch.randint(0, 5, (n,))
    flag = nn.functional.one_hot(at, cfg.length).unsqueeze(-1)
    x = torch.cat([nn.functional.one_hot(symbols, cfg.symbols), flag], -1).float()
    return x, symbols[torch.arange(n), at]


def chrono_(lstm: nn.LSTM, longest: int) -> None:
    h = lstm.hidden_size
    horizon = torch.empty(h).uniform_(1, longest - 1)
    with torch.no_grad():
        lstm.bias_hh_l0.zero_()
        lstm.bias_ih_l0.zero_()
        lstm.bias_ih_l0[:h] = -horizon.log()  # input gate
        lstm.bias_ih_l0[h : 2 * h] = horizon.log()  # forget gate


class Recall(nn.Module):
    def __init__(self, cfg: Config) -> None:
        super().__init__()
        self.lstm = nn.LSTM(cfg.symbols + 1, cfg.hidden, batch_first=True)
        chrono_(self.lstm, cfg.length)
        self.answer = nn.Linear(cfg.hidden, cfg.symbols)

    def forward(self, x: Tensor) -> Tensor:
        _, (h, _) = self.lstm(x)
        return self.answer(h[-1])


def main(cfg: Config = Config()) -> None:
    torch.manual_seed(int(os.environ.get("SEED", 0)))
    model = Recall(cfg)
    optimizer = torch.optim.Adam(model.parameters(), lr=cfg.lr)
    loss_fn = nn.CrossEntropyLoss()
    for step in range(cfg.steps):
        x, target = stream(cfg, cfg.batch)
        loss = loss_fn(model(x), target)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        if step % 50 == 49:
            print(f"step {step + 1}/{cfg.steps}: loss {loss.item():.4f}")
    model.eval()
    with torch.no_grad():
        x, target = stream(cfg, 1000)
        accuracy = (model(x).argmax(-1) == target).float().mean()
    print("metric", accuracy.item())


if __name__ == "__main__":
    main()
