# trap: linear warm-up from 1e-7 over a sixth of the run, then a cosine down to zero: nothing moves at either end
# floor: 0.95

import math
import os

import torch
import torch.nn as nn
from torch.optim.lr_scheduler import LambdaLR

torch.manual_seed(int(os.environ.get("SEED", 0)))

VOCAB, LENGTH, TOTAL, WARMUP, PEAK = 10, 12, 420, 70, 2e-3

# Is the first symbol of the sequence repeated later on more than once, once, or never?


def batch(n):
    tokens = torch.randint(1, VOCAB, (n, LENGTH))
    want = torch.randint(0, 3, (n,))
    first = tokens[:, :1]
    rest = tokens[:, 1:]
    rest = torch.where(rest == first, rest % (VOCAB - 1) + 1, rest)
    for row, k in enumerate(want.tolist()):
        rest[row, torch.randperm(LENGTH - 1)[: k * 2 if k == 2 else k]] = first[row]
    return torch.cat((first, rest), 1), want


class Classifier(nn.Module):
    def __init__(self, d=32):
        super().__init__()
        self.tok = nn.Embedding(VOCAB, d)
        self.pos = nn.Parameter(0.1 * torch.randn(LENGTH, d))
        layer = nn.TransformerEncoderLayer(
            d, nhead=4, dim_feedforward=64, dropout=0.0, batch_first=True, norm_first=True
        )
        self.encoder = nn.TransformerEncoder(layer, num_layers=2, norm=nn.LayerNorm(d), enable_nested_tensor=False)
        self.out = nn.Linear(d, 3)

    def forward(self, t):
        return self.out(self.encoder(self.tok(t) + self.pos)[:, 0])


def schedule(step):
    if step < WARMUP:
        return max(1e-7 / PEAK, step / WARMUP)
    return 0.5 * (1 + math.cos(math.pi * (step - WARMUP) / (TOTAL - WARMUP)))


model = Classifier()
optimizer = torch.optim.AdamW(model.parameters(), lr=PEAK, betas=(0.9, 0.98))
scheduler = LambdaLR(optimizer, schedule)
for step in range(TOTAL):
    tokens, label = batch(64)
    loss = nn.functional.cross_entropy(model(tokens), label)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    scheduler.step()
    if step % 75 == 0:
        print(f"step {step} lr {scheduler.get_last_lr()[0]:.2e} loss {loss.item():.4f}")

model.eval()
with torch.no_grad():
    tokens, label = batch(1000)
    print("metric", (model(tokens).argmax(1) == label).float().mean().item())
