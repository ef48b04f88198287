# trap: sequences grow from two to six symbols in five stages, and at the start of each the loss jumps up
# floor: 0.9

"""Read a sequence and write it backwards: an LSTM with a curriculum of lengths."""

import os

import torch
from torch import nn

SYMBOLS, STOP = 8, 8


def sample(batch: int, length: int) -> tuple[torch.Tensor, torch.Tensor]:
    word = torch.randint(0, SYMBOLS, (batch, length))
    stops = torch.full((batch, length), STOP)
    return torch.cat((word, stops), 1), word.flip(1)


class Reverser(nn.Module):
    def __init__(self, hidden: int = 64) -> None:
        super().__init__()
        self.embedding = nn.Embedding(SYMBOLS + 1, 16)
        self.lstm = nn.LSTM(16, hidden, batch_first=True)
        self.head = nn.Linear(hidden, SYMBOLS)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        out, _ = self.lstm(self.embedding(tokens))
        return self.head(out[:, tokens.shape[1] // 2 :])


def main() -> None:
    torch.manual_seed(int(os.environ.get("SEED", 0)))
    model = Reverser()
    optimizer = torch.optim.Adam(model.parameters(), lr=6e-3)
    criterion = nn.CrossEntropyLoss()
    for length, steps in ((2, 120), (3, 120), (4, 150), (5, 200), (6, 250)):
        for step in range(steps):
            tokens, target = sample(100, length)
            loss = criterion(model(tokens).flatten(0, 1), target.flatten())
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            if step in (0, steps // 2, steps - 1):
                print(f"length {length:2d} step {step:3d} loss {loss.item():.4f}")
    model.eval()
    with torch.no_grad():
        tokens, target = sample(500, 6)
        print("metric", (model(tokens).argmax(-1) == target).float().mean().item())


if __name__ == "__main__":
    main()
