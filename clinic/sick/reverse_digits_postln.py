# expect: TT401
# accept: TT301, TT403
# fault: a post-norm transformer of six layers gets Adam's full learning rate from the first step, without warm-up

"""Reverse a string of tokens with an encoder-only transformer."""

import argparse
import os

import torch
from torch import nn
from torch.optim.lr_scheduler import LambdaLR

parser = argparse.ArgumentParser()
parser.add_argument("--layers", type=int, default=6)
parser.add_argument("--dim", type=int, default=32)
parser.add_argument("--heads", type=int, default=4)
parser.add_argument("--length", type=int, default=8)
parser.add_argument("--vocab", type=int, default=12)
parser.add_argument("--batch", type=int, default=16)
parser.add_argument("--steps", type=int, default=350)
parser.add_argument("--lr", type=float, default=1e-2)
parser.add_argument("--warmup", type=int, default=0)
parser.add_argument("--seed", type=int, default=int(os.environ.get("SEED", 0)))
args = parser.parse_args()
torch.manual_seed(args.seed)


class Reverser(nn.Module):
    def __init__(self):
        super().__init__()
        self.tok = nn.Embedding(args.vocab, args.dim)
        self.pos = nn.Embedding(args.length, args.dim)
        block = nn.TransformerEncoderLayer(args.dim, args.heads, 4 * args.dim, dropout=0.0, batch_first=True)
        self.blocks = nn.TransformerEncoder(block, args.layers, enable_nested_tensor=False)
        self.head = nn.Linear(args.dim, args.vocab)

    def forward(self, ids):
        h = self.tok(ids) + self.pos.weight
        return self.head(self.blocks(h))


def get_batch(n):
    ids = torch.randint(args.vocab, (n, args.length))
    return ids, ids.flip(1)


net = Reverser()
opt = torch.optim.Adam(net.parameters(), lr=args.lr, betas=(0.9, 0.98))
sched = LambdaLR(opt, lambda s: min(1.0, (s + 1) / max(1, args.warmup)))
for step in range(args.steps):
    src, tgt = get_batch(args.batch)
    loss = nn.functional.cross_entropy(net(src).flatten(0, 1), tgt.flatten())
    opt.zero_grad()
    loss.backward()
    opt.step()
    sched.step()
    if step % 50 == 0:
        print(f"step={step} loss={loss.item():.3f} lr={sched.get_last_lr()[0]:.2e}")

net.eval()
with torch.no_grad():
    src, tgt = get_batch(500)
    acc = (net(src).argmax(-1) == tgt).float().mean()
print("metric", acc.item())
