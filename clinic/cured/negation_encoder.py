# cure: the encoder runs with gradients

"""Sentiment with negation: 'not very bad but not good' - an encoder and a classifier with separate forward passes."""

import os
import random

import torch
import torch.nn as nn
from torch.nn.utils.rnn import pad_sequence

WORDS = {"<pad>": 0, "good": 1, "bad": 2, "not": 3, "very": 4, "but": 5, "fine": 6, "awful": 7, "film": 8, "the": 9}
POLARITY = {"good": 1, "fine": 1, "bad": -1, "awful": -1}


def clause():
    adjective = random.choice(list(POLARITY))
    negations = random.choice([0, 0, 1, 1, 2])
    words = ["the", "film"] * random.choice([0, 1]) + ["not"] * negations
    words += ["very"] * random.choice([0, 1]) + [adjective]
    return words, POLARITY[adjective] * (-1) ** negations


def sentence():
    first, _ = clause()
    second, polarity = clause()
    return first + ["but"] + second, int(polarity > 0)  # what follows "but" decides


def batch(n):
    texts, labels = zip(*[sentence() for _ in range(n)])
    lengths = torch.tensor([len(t) for t in texts])
    ids = pad_sequence([torch.tensor([WORDS[w] for w in t]) for t in texts], batch_first=True)
    return ids, lengths, torch.tensor(labels, dtype=torch.float)


class SentenceEncoder(nn.Module):
    def __init__(self, dim=12, hidden=16):
        super().__init__()
        self.embed = nn.Embedding(len(WORDS), dim, padding_idx=0)
        self.gru = nn.GRU(dim, hidden, batch_first=True)

    def forward(self, ids, lengths):
        out, _ = self.gru(self.embed(ids))
        return out[torch.arange(len(ids)), lengths - 1]


random.seed(int(os.environ.get("SEED", 0)))
torch.manual_seed(int(os.environ.get("SEED", 0)))
encoder = SentenceEncoder()
classifier = nn.Linear(16, 1)
optimizer = torch.optim.Adam([*encoder.parameters(), *classifier.parameters()], lr=0.01)
criterion = nn.BCEWithLogitsLoss()

for step in range(1, 401):
    ids, lengths, labels = batch(48)
    with torch.enable_grad():
        vectors = encoder(ids, lengths)
    loss = criterion(classifier(vectors).squeeze(1), labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 50 == 0:
        print("step %d: loss %.3f" % (step, loss.item()))

with torch.no_grad():
    ids, lengths, labels = batch(1000)
    guess = classifier(encoder(ids, lengths)).squeeze(1) > 0
print("metric", (guess == (labels > 0.5)).float().mean().item())
