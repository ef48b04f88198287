# cure: the forget gates start at a bias of 2

"""Subject-verb agreement in a toy grammar: the verb agrees with the noun that opens the sentence."""

import os
import random

import torch
from torch import nn

SEED = int(os.environ.get("SEED", 0))
random.seed(SEED)
torch.manual_seed(SEED)

NOUNS = ["dog", "cat", "child", "teacher", "tree", "river", "friend", "painter"]
FILLERS = ["near", "the", "old", "green", "behind", "with", "very", "small", "of", "a", "under", "quiet"]
VOCAB = {w: i for i, w in enumerate(["<end>"] + NOUNS + [w + "s" for w in NOUNS] + FILLERS)}


def sentence(length=18):
    plural = random.random() < 0.5
    words = [random.choice(NOUNS) + ("s" if plural else "")]
    while len(words) < length - 1:
        words.append(random.choice(FILLERS))
    return [VOCAB[w] for w in words] + [VOCAB["<end>"]], int(plural)


def batch(n):
    sentences, labels = zip(*(sentence() for _ in range(n)))
    return torch.tensor(sentences), torch.tensor(labels)


class Agreement(nn.Module):
    def __init__(self, emb=16, hidden=32):
        super().__init__()
        self.embed = nn.Embedding(len(VOCAB), emb)
        self.lstm = nn.LSTM(emb, hidden, batch_first=True)
        self.verb = nn.Linear(hidden, 2)
        with torch.no_grad():
            self.lstm.bias_hh_l0.zero_()
            self.lstm.bias_ih_l0.zero_()
            self.lstm.bias_ih_l0[hidden : 2 * hidden] = 2.0

    def forward(self, words):
        output, _ = self.lstm(self.embed(words))
        return self.verb(output[:, -1])


model = Agreement()
optim = torch.optim.Adam(model.parameters(), lr=3e-3)
for it in range(250):
    words, plural = batch(32)
    loss = nn.functional.cross_entropy(model(words), plural)
    optim.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optim.step()
    if it % 50 == 0:
        print(it, "%.4f" % loss.item())

with torch.no_grad():
    words, plural = batch(500)
    print("metric", (model(words).argmax(1) == plural).float().mean().item())
