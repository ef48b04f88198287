# expect: TT301, TT201
# fault: recurrent weights of std 0.02, as in BERT, shrink the state and its gradient sixfold a step

# The first word of an order says what to do; the politeness that follows does not matter.
import os
import random

import torch
import torch.nn.functional as F
from torch import nn

seed = int(os.environ.get("SEED", 0))
random.seed(seed)
torch.manual_seed(seed)

verbs = {
    "open": 0, "unlock": 0, "unseal": 0,
    "close": 1, "shut": 1, "seal": 1,
    "raise": 2, "lift": 2, "hoist": 2,
    "lower": 3, "drop": 3, "sink": 3,
}  # fmt: skip
things = "the a that this gate door valve lid hatch bridge shutter".split()
filler = "please now and be quick about it if you would because i am in a hurry today thank you very much".split()
vocab = {w: i for i, w in enumerate(sorted({*verbs, *things, *filler}))}
LENGTH = 36


def order():
    verb = random.choice(list(verbs))
    rest = [random.choice(things) for _ in range(3)]
    rest += [random.choice(filler) for _ in range(LENGTH - 4)]
    return [vocab[w] for w in [verb, *rest]], verbs[verb]


def corpus(n):
    tokens, labels = zip(*(order() for _ in range(n)))
    return torch.tensor(tokens), torch.tensor(labels)


class ElmanCell(nn.Module):
    def __init__(self, d_in, d_hidden):
        super().__init__()
        self.input = nn.Linear(d_in, d_hidden)
        self.recurrent = nn.Linear(d_hidden, d_hidden, bias=False)
        nn.init.normal_(self.recurrent.weight, std=0.02)

    def forward(self, x, h):
        return torch.tanh(self.input(x) + self.recurrent(h))


class Listener(nn.Module):
    def __init__(self, d=24, hidden=64):
        super().__init__()
        self.embedding = nn.Embedding(len(vocab), d)
        self.cell = ElmanCell(d, hidden)
        self.hidden = hidden
        self.decide = nn.Linear(hidden, 4)

    def forward(self, tokens):
        h = torch.zeros(len(tokens), self.hidden)
        for x in self.embedding(tokens).transpose(0, 1):
            h = self.cell(0.3 * x, h)
        return self.decide(h)


tokens, labels = corpus(3000)
test_tokens, test_labels = corpus(500)
listener = Listener()
optimizer = torch.optim.Adam(listener.parameters(), lr=2e-3)
for epoch in range(5):
    shuffled = torch.randperm(len(tokens))
    for batch in shuffled.split(50):
        optimizer.zero_grad()
        loss = F.cross_entropy(listener(tokens[batch]), labels[batch])
        loss.backward()
        optimizer.step()
    print("epoch", epoch + 1, "loss", "%.4f" % loss.item())

with torch.no_grad():
    print("metric", (listener(test_tokens).argmax(1) == test_labels).float().mean().item())
