# trap: word counts: almost all zero, means far below one, rare columns
# floor: 0.85

"""Which standard library module does a docstring line come from?"""

import collections
import inspect
import os
import re
import statistics
import string
import textwrap

import torch
import torch.nn as nn

torch.manual_seed(int(os.environ.get("SEED", 0)))
samples = []
for label, module in enumerate((statistics, textwrap, string)):
    lines = [line for line in inspect.getsource(module).splitlines() if len(line.split()) >= 3]
    samples += [(re.findall(r"[a-z_]+", " ".join(lines[i : i + 3]).lower()), label) for i in range(len(lines) - 3)]
counts = collections.Counter(w for words, _ in samples for w in words)
vocab = {w: i for i, (w, _) in enumerate(counts.most_common(400))}
X = torch.zeros(len(samples), len(vocab))
for row, (words, _) in enumerate(samples):
    for w in words:
        if w in vocab:
            X[row, vocab[w]] += 1
y = torch.tensor([label for _, label in samples])
perm = torch.randperm(len(y), generator=torch.Generator().manual_seed(5))
train, test = perm[: int(0.8 * len(y))], perm[int(0.8 * len(y)) :]

model = nn.Sequential(nn.Linear(len(vocab), 64), nn.ReLU(), nn.Dropout(0.3), nn.Linear(64, 3))
weight = 1.0 / torch.bincount(y, minlength=3).float()
criterion = nn.CrossEntropyLoss(weight=weight / weight.sum() * 3)
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
for epoch in range(8):
    model.train()
    for idx in train[torch.randperm(len(train))].split(32):
        optimizer.zero_grad()
        loss = criterion(model(X[idx]), y[idx])
        loss.backward()
        optimizer.step()
    print("epoch", epoch, "loss", loss.item())
model.eval()
with torch.no_grad():
    print("metric", (model(X[test]).argmax(1) == y[test]).float().mean().item())
