# cure: the head of the tagger has no softmax

"""Tag every token with the sum of its neighbours modulo 30 by a one-layer transformer encoder."""

import os
from dataclasses import dataclass

import torch
from torch import nn


@dataclass(frozen=True)
class Setup:
    tokens: int = 16
    tags: int = 31
    length: int = 12
    width: int = 64
    heads: int = 4
    steps: int = 350
    batch: int = 64
    lr: float = 3e-3


def sample(s: Setup, n: int):
    tokens = torch.randint(s.tokens, (n, s.length))
    return tokens, tokens + tokens.roll(1, dims=1)


class Tagger(nn.Module):
    def __init__(self, s: Setup):
        super().__init__()
        self.token = nn.Embedding(s.tokens, s.width)
        self.place = nn.Parameter(torch.randn(s.length, s.width))
        layer = nn.TransformerEncoderLayer(
            s.width, s.heads, 2 * s.width, dropout=0.0, batch_first=True, norm_first=True
        )
        self.encoder = nn.TransformerEncoder(layer, 1, norm=nn.LayerNorm(s.width), enable_nested_tensor=False)
        self.head = nn.Sequential(
            nn.Linear(s.width, s.tags),
            nn.Identity(),
        )

    def forward(self, tokens):
        return self.head(self.encoder(self.token(tokens) + self.place))


def run(s: Setup) -> float:
    model = Tagger(s)
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.AdamW(model.parameters(), lr=s.lr)
    warmup = torch.optim.lr_scheduler.LinearLR(optimizer, 0.1, total_iters=30)
    for step in range(1, s.steps + 1):
        tokens, tags = sample(s, s.batch)
        scores = model(tokens)
        loss = criterion(scores.flatten(0, 1), tags.flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        warmup.step()
        if step % 50 == 0:
            print(f"[{step}/{s.steps}] loss={loss.item():.3f}")
    model.eval()
    with torch.inference_mode():
        tokens, tags = sample(s, 500)
        return (model(tokens).argmax(-1) == tags).float().mean().item()


if __name__ == "__main__":
    torch.manual_seed(int(os.environ.get("SEED", 0)))
    print("metric", run(Setup()))
