# trap: embeddings, matrices and batch norm written out with raw tensors; p.data changed by hand, rate cut near the end
# floor: -2.5

import builtins
import os
import re

import torch
import torch.nn.functional as F

# words: all lower-case words in the docstrings of the built-ins
text = " ".join((getattr(builtins, n).__doc__ or "") for n in dir(builtins))
words = sorted(set(re.findall(r"\b[a-z]{3,12}\b", text)))
g = torch.Generator().manual_seed(int(os.environ.get("SEED", 0)))
words = [words[i] for i in torch.randperm(len(words), generator=g)]

stoi = {s: i + 1 for i, s in enumerate("abcdefghijklmnopqrstuvwxyz")}
stoi["."] = 0
block_size = 3


def build_dataset(words):
    X, Y = [], []
    for w in words:
        context = [0] * block_size
        for ch in w + ".":
            ix = stoi[ch]
            X.append(context)
            Y.append(ix)
            context = context[1:] + [ix]
    return torch.tensor(X), torch.tensor(Y)


n = int(0.85 * len(words))
Xtr, Ytr = build_dataset(words[:n])
Xte, Yte = build_dataset(words[n:])
print(len(words), "words", Xtr.shape, Xte.shape)

n_embd, n_hidden = 8, 64
C = torch.randn((27, n_embd), generator=g)
W1 = torch.randn((n_embd * block_size, n_hidden), generator=g) * (5 / 3) / (n_embd * block_size) ** 0.5
W2 = torch.randn((n_hidden, 27), generator=g) * 0.01
b2 = torch.zeros(27)
bngain, bnbias = torch.ones((1, n_hidden)), torch.zeros((1, n_hidden))
bnmean_running, bnstd_running = torch.zeros((1, n_hidden)), torch.ones((1, n_hidden))
parameters = [C, W1, W2, b2, bngain, bnbias]
for p in parameters:
    p.requires_grad = True

max_steps, batch_size = 2000, 64
lossi = []
for i in range(max_steps):
    ix = torch.randint(0, Xtr.shape[0], (batch_size,), generator=g)
    Xb, Yb = Xtr[ix], Ytr[ix]
    # forward pass
    hpreact = C[Xb].view(batch_size, -1) @ W1
    bnmeani, bnstdi = hpreact.mean(0, keepdim=True), hpreact.std(0, keepdim=True)
    hpreact = bngain * (hpreact - bnmeani) / (bnstdi + 1e-5) + bnbias
    with torch.no_grad():
        bnmean_running = 0.99 * bnmean_running + 0.01 * bnmeani
        bnstd_running = 0.99 * bnstd_running + 0.01 * bnstdi
    logits = torch.tanh(hpreact) @ W2 + b2
    loss = F.cross_entropy(logits, Yb)
    # backward pass
    for p in parameters:
        p.grad = None
    loss.backward()
    # update
    lr = 0.1 if i < 1500 else 0.02
    for p in parameters:
        p.data += -lr * p.grad
    lossi.append(loss.item())
    if i % 250 == 249:
        print(f"{i + 1:5d}/{max_steps}: {sum(lossi[-250:]) / 250:.4f}")

with torch.no_grad():
    hpreact = bngain * (C[Xte].view(Xte.shape[0], -1) @ W1 - bnmean_running) / (bnstd_running + 1e-5) + bnbias
    print("metric", -F.cross_entropy(torch.tanh(hpreact) @ W2 + b2, Yte).item())
