# expect: TT405
# accept: TT401, TT602, TT213, TT302, TT211
# fault: `zero_grad` is named without parentheses, so nothing is ever cleared

"""Tag each token of a random bracket string with its nesting depth."""

import logging
import os
import sys

import torch
from torch import nn

logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(message)s")
log = logging.getLogger("tagger")


def bracket_batch(n, length, max_depth=4):
    tokens = torch.zeros(n, length, dtype=torch.long)
    depth = torch.zeros(n, length, dtype=torch.long)
    level = torch.zeros(n, dtype=torch.long)
    for t in range(length):
        up = torch.rand(n) < 0.5
        up = torch.where(level == 0, torch.ones_like(up), up)
        up = torch.where(level == max_depth, torch.zeros_like(up), up)
        level = level + torch.where(up, 1, -1)
        tokens[:, t] = up.long()
        depth[:, t] = level
    return tokens, depth


class Tagger(nn.Module):
    def __init__(self, n_tokens=2, n_tags=5, dim=16, hidden=32):
        super().__init__()
        self.emb = nn.Embedding(n_tokens, dim)
        self.rnn = nn.GRU(dim, hidden, batch_first=True, bidirectional=True)
        self.out = nn.Linear(2 * hidden, n_tags)

    def forward(self, tokens):
        return self.out(self.rnn(self.emb(tokens))[0])


class Trainer:
    def __init__(self, model, lr):
        self.model = model
        self.opt = torch.optim.Adam(model.parameters(), lr=lr)
        self.criterion = nn.CrossEntropyLoss()

    def training_step(self, batch):
        tokens, depth = batch
        return self.criterion(self.model(tokens).flatten(0, 1), depth.flatten())

    def fit(self, steps):
        for i in range(steps):
            self.opt.zero_grad
            loss = self.training_step(bracket_batch(32, 20))
            loss.backward()
            self.opt.step()
            if i % 50 == 0:
                log.info("step %d loss %.4f", i, loss.item())

    def test(self):
        with torch.no_grad():
            tokens, depth = bracket_batch(300, 20)
            return (self.model(tokens).argmax(-1) == depth).float().mean().item()


torch.manual_seed(int(os.environ.get("SEED", 0)))
trainer = Trainer(Tagger(), lr=5e-3)
trainer.fit(300)
print("metric", trainer.test())
