# cure: the readout takes the maximum over time

"""Toy long-range memory task: the label is the first symbol of the sequence."""

import os

import torch
from torch import nn

torch.manual_seed(int(os.environ.get("SEED", 0)))
T, CLASSES, HIDDEN = 50, 4, 32


def make_batch(n, generator=None):
    tokens = torch.randint(0, CLASSES, (n, T), generator=generator)
    return tokens, tokens[:, 0].clone()


class Memory(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(CLASSES, 16)
        self.rnn = nn.RNN(16, HIDDEN, batch_first=True)
        self.out = nn.Linear(HIDDEN, CLASSES)

    def forward(self, tokens):
        states, _ = self.rnn(self.embed(tokens))
        return self.out(states.amax(dim=1))


model = Memory()
opt = torch.optim.Adam(model.parameters(), lr=3e-3)
for step in range(200):
    tokens, label = make_batch(32)
    loss = nn.functional.cross_entropy(model(tokens), label)
    opt.zero_grad()
    loss.backward()
    opt.step()
    if step % 50 == 0:
        print(step, round(loss.item(), 4))

model.eval()
tokens, label = make_batch(500, torch.Generator().manual_seed(99))
with torch.no_grad():
    print("metric", (model(tokens).argmax(-1) == label).float().mean().item())
