# trap: clipping at 0.25 is active in every step of a truncated-backprop GRU whose hidden state is carried along
# floor: -2.25

import argparse
import os
import random

import torch
import torch.nn as nn
import torch.nn.functional as F


class RNNModel(nn.Module):
    """Embedding, GRU, decoder, as in the word language model example."""

    def __init__(self, ntoken, ninp=32, nhid=96, dropout=0.1):
        super().__init__()
        self.drop = nn.Dropout(dropout)
        self.encoder = nn.Embedding(ntoken, ninp)
        self.rnn = nn.GRU(ninp, nhid)
        self.decoder = nn.Linear(nhid, ntoken)
        nn.init.uniform_(self.encoder.weight, -0.1, 0.1)
        nn.init.zeros_(self.decoder.bias)

    def forward(self, input, hidden):
        output, hidden = self.rnn(self.drop(self.encoder(input)), hidden)
        return F.log_softmax(self.decoder(self.drop(output)), dim=-1), hidden


def batchify(data, bsz):
    nbatch = data.size(0) // bsz
    return data[: nbatch * bsz].view(bsz, -1).t().contiguous()


parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=int(os.environ.get("SEED", 0)))
parser.add_argument("--bptt", type=int, default=24)
parser.add_argument("--lr", type=float, default=4e-3)
parser.add_argument("--clip", type=float, default=0.25)
args = parser.parse_args([])
torch.manual_seed(args.seed)

with open(random.__file__, encoding="utf-8") as f:
    text = f.read()[:24000]
symbols = sorted(set(text))
ids = torch.tensor([symbols.index(c) for c in text])
train_data, val_data = batchify(ids[:-3000], 20), batchify(ids[-3000:], 4)
model = RNNModel(len(symbols))
optimizer = torch.optim.Adam(model.parameters(), lr=args.lr)


def evaluate():
    model.eval()
    with torch.no_grad():
        output, _ = model(val_data[:-1], None)
        return F.nll_loss(output.flatten(0, 1), val_data[1:].flatten()).item()


for epoch in range(8):
    model.train()
    hidden, total, clipped, n = None, 0.0, 0, 0
    for i in range(0, len(train_data) - 1, args.bptt):
        seq = min(args.bptt, len(train_data) - 1 - i)
        data, target = train_data[i : i + seq], train_data[i + 1 : i + 1 + seq]
        if hidden is not None:
            hidden = hidden.detach()
        model.zero_grad()
        output, hidden = model(data, hidden)
        loss = F.nll_loss(output.flatten(0, 1), target.flatten())
        loss.backward()
        norm = nn.utils.clip_grad_norm_(model.parameters(), args.clip)
        optimizer.step()
        total, clipped, n = total + loss.item(), clipped + (norm > args.clip).item(), n + 1
    print(f"epoch {epoch} train {total / n:.3f} valid {evaluate():.3f} clipped {clipped}/{n}")
print("metric", -evaluate())
