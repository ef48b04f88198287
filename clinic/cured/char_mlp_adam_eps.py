# cure: eps 1e-8

import os
import calendar
import torch
import torch.nn.functional as F

# names of months and days and then every public identifier of a few modules, one character at a time (makemore style)
import argparse, collections, datetime, logging, pathlib, string, threading, unittest, urllib.request

words = [w.lower() for w in list(calendar.month_name)[1:] + list(calendar.day_name)]
for module in (argparse, collections, datetime, logging, pathlib, string, threading, unittest, urllib.request):
    words += [w.lower() for w in dir(module) if w.isidentifier() and w.isalpha()]
words = sorted(set(words))

block_size = 3
itos = ["."] + [chr(c) for c in range(ord("a"), ord("z") + 1)]
stoi = {s: i for i, s in enumerate(itos)}


def build_dataset(words):
    X, Y = [], []
    for w in words:
        context = [0] * block_size
        for ch in w + ".":
            X.append(context)
            Y.append(stoi[ch])
            context = context[1:] + [stoi[ch]]
    return torch.tensor(X), torch.tensor(Y)


seed = int(os.environ.get("SEED", 0))
gen = torch.Generator().manual_seed(seed)
torch.manual_seed(seed)
shuffled = [words[i] for i in torch.randperm(len(words), generator=torch.Generator().manual_seed(1))]
n1 = int(0.85 * len(words))
Xtr, Ytr = build_dataset(shuffled[:n1])
Xte, Yte = build_dataset(shuffled[n1:])

C = torch.randn((27, 10), generator=gen)
W1 = torch.randn((30, 100), generator=gen) * (5 / 3) / 30**0.5
b1 = torch.zeros(100)
W2 = torch.randn((100, 27), generator=gen) * 0.05
b2 = torch.zeros(27)
parameters = [C, W1, b1, W2, b2]
for p in parameters:
    p.requires_grad = True
opt = torch.optim.Adam(parameters, lr=3e-3, eps=1e-8)


def forward(X):
    return torch.tanh(C[X].view(-1, 30) @ W1 + b1) @ W2 + b2


for i in range(600):
    ix = torch.randint(0, Xtr.shape[0], (64,), generator=gen)
    loss = F.cross_entropy(forward(Xtr[ix]), Ytr[ix])
    opt.zero_grad()
    loss.backward()
    opt.step()
    if i % 100 == 0:
        print(f"{i:5d}/600: {loss.item():.4f}")

with torch.no_grad():
    print("metric", -F.cross_entropy(forward(Xte), Yte).item())
